"""The faults of the campaign, as data: what is broken, how, and what has to come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ros_mbmrl.data.measurement_messages import measurement_topics
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.spec import RobotSpec

# What has to come of a fault. STOPS: at rest within the bound. LIMITED: goes on with less.
# GOES_ON: noticed, and no harm done. UNHARMED: no harm done, and perhaps nothing to notice.
# ENDS: the graph ends by itself, the robot at rest within the bound from when that was noticed.
STOPS, LIMITED, GOES_ON, ENDS, REFUSED = "stops", "limited", "goes on", "ends", "refused"
UNHARMED = "unharmed"
BOUND = 0.25  # [s] from the fault to rest
JOY_TIMEOUT, STILL_TIMEOUT = 0.5, 1.0  # [s] of the gamepad that is tried
DIVERGING = 20.0  # [s] of simulated time from the first step on, when the physics do


@dataclass(frozen=True)
class Fault:
    """One fault.

    how: topic, process, line, machine, launch, physics, gamepad or start; which part of the
    campaign breaks it. target: of a topic fault the topics, joined by commas; of others the
    process or line fault. kind: a disturbance, a signal, or another name that the injector knows.
    expected: what has to come of it. hold: how long it stands [s]. bound: from the fault to
    rest [s].
    """

    how: str
    target: str
    kind: str
    expected: str
    hold: float = 1.0
    bound: float = BOUND

    @property
    def name(self) -> str:
        """Target and kind."""
        what = "state" if "," in self.target else self.target
        return f"{what}: {self.kind.replace('_', ' ')}" if self.target else self.kind


def topic_faults(spec: RobotSpec) -> list[Fault]:
    """Every topic that carries the loop, disturbed in every way that it can be."""
    states = measurement_topics(spec)
    measured = {channel(where).topic for where in spec.channels}
    faults: list[Fault] = []
    for topic in (*states, "command/proposed", "command/safe"):
        named = topic.startswith("command/") or topic in ("joint_states", "back_emf")
        faults += [Fault("topic", topic, kind, STOPS) for kind in ("silent", "delayed")]
        faults += [Fault("topic", topic, kind, GOES_ON) for kind in ("duplicated", "reordered")]
        if topic in measured or topic.startswith("command/"):
            faults += [Fault("topic", topic, kind, STOPS) for kind in ("nan", "inf", "huge")]
            # A battery's voltage does stand still.
            frozen = GOES_ON if topic == "battery" else STOPS
            faults.append(Fault("topic", topic, "frozen", frozen))
        if named:
            faults += [Fault("topic", topic, kind, STOPS) for kind in ("wrong_size", "wrong_names")]
    return faults


def special_faults(spec: RobotSpec) -> list[Fault]:
    """Faults of the clock, of motion capture, of encoders, of the battery, of telemetry."""
    every = ",".join(measurement_topics(spec))
    return [
        Fault("topic", every, "clock_ahead", STOPS),
        Fault("topic", every, "clock_back", STOPS),
        Fault("topic", "odom", "jumped", STOPS),
        Fault("topic", "odom", "mirrored", STOPS),
        Fault("topic", "joint_states", "stuck", STOPS),
        Fault("topic", "joint_states", "wrapped", STOPS),
        Fault("topic", "battery", "sagging", LIMITED, hold=5.0),
        Fault("topic", "imu", "wild", STOPS, hold=2.0),
        Fault("topic", "back_emf", "wild", STOPS, hold=2.0),
        Fault("topic", "adaptation", "silent", GOES_ON),
    ]


def process_faults() -> list[Fault]:
    """Every process stopped and let go on, then every one killed."""
    names = ("driver", "adaptive", "safety", "reference", "recorder")
    harmless = ("reference", "recorder")
    paused = [
        Fault("process", name, "SIGSTOP", GOES_ON if name in harmless else STOPS) for name in names
    ]
    return [*paused, *(Fault("process", name, "SIGKILL", ENDS) for name in names)]


def machine_faults() -> list[Fault]:
    """Return faults of the machine and of its users."""
    return [
        Fault("machine", "", "second publisher of command/proposed", STOPS),
        Fault("machine", "", "second publisher of command/safe", STOPS),
        Fault("machine", "", "parameter changed while running", REFUSED),
        Fault("machine", "", "faults of another robot on /diagnostics", UNHARMED, hold=2.0),
        Fault("machine", "", "CPU starved", UNHARMED, hold=4.0),
        Fault("machine", "", "disk full", ENDS, hold=3.0),
    ]


def start_faults() -> list[Fault]:
    """Return faults that a start must refuse."""
    return [
        Fault("start", "", "model of another robot", REFUSED),
        Fault("start", "", "weights of another model", REFUSED),
        Fault("start", "", "weights cut short", REFUSED),
        Fault("start", "", "parameters for a node that is not there", REFUSED),
        Fault("start", "", "parameter that the launch sets, too", REFUSED),
    ]


def line_faults() -> list[Fault]:
    """Return faults of the radio and of the robot; the graph runs over the emulated line."""
    ends = [("driver", "SIGKILL", ENDS), ("driver", "SIGSTOP", STOPS)]
    return [
        *(Fault("line", "radio", kind, STOPS) for kind in ("silent", "garbage", "half")),
        Fault("line", "radio", "bit_errors", GOES_ON, hold=3.0),
        Fault("line", "radio", "stalled", STOPS),
        Fault("line", "radio", "lost_mocap", STOPS),
        Fault("line", "radio", "zero_quaternion", STOPS),
        Fault("line", "radio", "pose_ahead", STOPS),
        Fault("line", "radio", "unplugged", STOPS),
        *(Fault("process", name, kind, what) for name, kind, what in reversed(ends)),
    ]


def ros_time_faults() -> list[Fault]:
    """Return what is tried while ROS time stands still, over the emulated line.

    Every node has `use_sim_time`, and nobody publishes `/clock`.
    """
    return [
        Fault("line", "radio", "silent", STOPS),
        *(Fault("process", name, "SIGSTOP", STOPS) for name in ("adaptive", "driver")),
    ]


def composed_faults() -> list[Fault]:
    """Return what is tried while adaptive and safety are one process, over the emulated line.

    The driver is a process of its own there, and what it does in silence must not depend on them.
    """
    ends = [("composed", "SIGKILL", ENDS), ("composed", "SIGSTOP", STOPS)]
    ends.append(("driver", "SIGSTOP", STOPS))
    return [
        Fault("line", "radio", "silent", STOPS),
        *(Fault("process", name, kind, what) for name, kind, what in reversed(ends)),
    ]


def gamepad_faults() -> list[Fault]:
    """Return what is tried while a gamepad drives, dead-man button pressed, stick forward.

    Silence is what `joy_timeout` says, and bits that stay the same what `still_timeout` says.
    """
    return [
        Fault("gamepad", "joy", "silent", STOPS, hold=1.5, bound=JOY_TIMEOUT + BOUND),
        Fault("gamepad", "joy", "old_stamps", STOPS, hold=1.5, bound=JOY_TIMEOUT + BOUND),
        Fault("gamepad", "joy", "same_bits", STOPS, hold=2.5, bound=STILL_TIMEOUT + BOUND),
    ]


def all_faults(spec: RobotSpec) -> dict[str, Sequence[Fault]]:
    """By the graph that they are tried on."""
    return {
        "twin": [*topic_faults(spec), *special_faults(spec), *machine_faults()[:-1]],
        "processes": [*process_faults(), machine_faults()[-1]],
        "pty": line_faults(),
        "ros_time": ros_time_faults(),
        "composed": composed_faults(),
        "launch": [Fault("launch", "", "launch killed", ENDS)],
        "physics": [Fault("physics", "", "physics that diverge", ENDS)],
        "gamepad": gamepad_faults(),
        "start": start_faults(),
    }
