import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant, make_plant
from ros_mbmrl.plants.base import PlantFault, PlantOptions
from ros_mbmrl.plants.emulators.pr2_side import PR2Side
from ros_mbmrl.plants.emulators.rosbridge import RosbridgeEmulator
from ros_mbmrl.plants.pr2_rosbridge import PR2Rosbridge
from ros_mbmrl.plants.pr2_session import PR2Config
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.simulation.pr2 import START, PR2World

ROBOT = make_robot("pr2_arm")
PUSH = np.array([2.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0])


def arm(now: float, watchdog: bool = True) -> PR2Side:
    return PR2Side(PR2World(start=START), now, watchdog)


@pytest.fixture
def emulator() -> Iterator[RosbridgeEmulator]:
    with RosbridgeEmulator(arm) as emulator:
        yield emulator


def until(condition: Callable[[], bool], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def drive(plant: PR2Rosbridge, steps: int = 5) -> None:
    for _ in range(steps):
        plant.command(PUSH)
        time.sleep(0.05)


def fault_of(plant: PR2Rosbridge) -> str:
    """What observe raises, empty if it does not."""
    try:
        plant.observe()
    except PlantFault as fault:
        return str(fault)
    return ""


def test_walk_through(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        first = plant.observe()
        assert first.values[:7] == pytest.approx(START, abs=0.02)
        assert first.values[14:] == pytest.approx(tool_points(first.values[:7]))
        drive(plant, 10)
        until(lambda: (emulator.side.torques == PUSH).all())
        second = plant.observe()
        assert second.time > first.time
        assert np.linalg.norm(second.values[14:17] - first.values[14:17]) > 0.01
        assert not plant.simulated
        counters = plant.counters()
        assert counters["connections"] == 1
        assert counters["bad_messages"] == counters["status_errors"] == 0
    assert not emulator.side.torques.any()
    assert not emulator.side.watchdog.tripped  # the zeros were the driver's
    assert np.abs(emulator.ask(lambda side, line: side._world.velocity())).max() < 0.2


class Statue(PR2World):
    """An arm that stays where it is."""

    def step(self, duration: float) -> None:
        pass


def test_torques_are_cut_at_the_soft_limits() -> None:
    start = (0.6, 0.3, 1.0, -0.13, 0.3, -0.8, 0.0)
    with (
        RosbridgeEmulator(lambda now: PR2Side(Statue(start=start), now, True)) as emulator,
        PR2Rosbridge(ROBOT, emulator.url) as plant,
    ):
        plant.command(PUSH)
        until(lambda: bool((emulator.side.torques != 0).all()))
        # The elbow is 0.02 rad beyond -0.15: it must go back at 100 x 0.02 = 2 rad/s, 3 N m s/rad.
        assert emulator.side.torques == pytest.approx([2.0, 1.0, 1.0, -6.0, 1.0, -1.0, 1.0])


@pytest.mark.parametrize(
    "action", [[np.nan] * 7, [100.0] * 7, [0.0] * 6, [[0.0] * 7], [0, 0, 0, 0, 0, 0, -np.inf]]
)
def test_actions_out_of_range_are_refused(action: list[float]) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        PR2Rosbridge(ROBOT, "ws://127.0.0.1:1").command(np.array(action))


@pytest.mark.parametrize("how", ["stall", "cut"])
def test_a_link_that_goes_in_mid_motion_leaves_no_torque(
    emulator: RosbridgeEmulator, how: str
) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        assert emulator.side.torques.any()
        gone = getattr(emulator, how)()
        until(lambda: emulator.side.zero_since is not None)
        assert emulator.side.watchdog.tripped
        assert emulator.side.zero_since - gone < 0.2
        until(lambda: fault_of(plant) != "")
        with pytest.raises(PlantFault):
            plant.command(PUSH)


def test_a_dead_peer_is_a_fault_in_time(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        gone = emulator.stall()
        until(lambda: fault_of(plant) != "")
        assert time.monotonic() - gone < 0.25
        # Later the pings find that it is the link.
        until(lambda: "no link to the rosbridge" in fault_of(plant))


def test_it_comes_back_and_does_not_go_on_with_the_old_torque(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        for how in ("cut", "stall"):
            drive(plant)
            getattr(emulator, how)()
            until(lambda: "no link" in fault_of(plant))
            emulator.restore()
            until(lambda: fault_of(plant) == "")
            assert not emulator.side.torques.any()
            drive(plant)
            assert emulator.side.torques.any()
        assert plant.counters()["connections"] == 3


def test_controllers_are_checked_again_after_a_reconnection(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        emulator.cut()
        emulator.ask(lambda side, line: side.controllers.clear())
        emulator.restore()
        until(lambda: "controllers not running on the PR2" in fault_of(plant))
        with pytest.raises(PlantFault, match="controllers not running"):
            plant.command(PUSH)
        loaded = arm(0.0).controllers
        emulator.ask(lambda side, line: side.controllers.update(loaded))
        until(lambda: fault_of(plant) == "")


def test_the_run_stop_is_latched_on_the_host(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        emulator.ask(lambda side, line: side.press_run_stop())
        until(lambda: "run-stop was pressed" in fault_of(plant))
        until(lambda: not emulator.side.torques.any())  # before the motors are reset
        with pytest.raises(PlantFault, match="run-stop is pressed"):
            plant.rearm()
        emulator.ask(lambda side, line: side.release_run_stop())
        until(lambda: not emulator.side.halted)
        assert "run-stop was pressed" in fault_of(plant)
        with pytest.raises(PlantFault, match="run-stop was pressed"):
            plant.command(PUSH)
        plant.rearm()
        until(lambda: fault_of(plant) == "")
        plant.command(PUSH)
        until(lambda: (emulator.side.torques == PUSH).all())


def test_a_command_that_is_not_followed_by_another_is_taken_back(
    emulator: RosbridgeEmulator,
) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        plant.command(PUSH)
        until(lambda: (emulator.side.torques == PUSH).all())
        until(lambda: not emulator.side.torques.any())
        assert not emulator.side.watchdog.tripped
        assert fault_of(plant) == ""


def test_a_watchdog_that_has_tripped_is_told_and_let_go_by_a_stop(
    emulator: RosbridgeEmulator,
) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        emulator.ask(lambda side, line: setattr(side.watchdog, "tripped", True))
        until(lambda: "watchdog holds the torques at zero" in fault_of(plant))
        until(lambda: fault_of(plant) == "")
        assert not emulator.side.torques.any()


def test_a_delayed_line_makes_old_joint_states(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        emulator.ask(lambda side, line: setattr(line, "delay", 0.2))
        until(lambda: "joint states are 0.2" in fault_of(plant))


def test_an_error_inside_of_the_context_ends_in_zeros(emulator: RosbridgeEmulator) -> None:
    with pytest.raises(RuntimeError, match="planner"), PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        assert emulator.side.torques.any()
        raise RuntimeError("planner")
    assert not emulator.side.torques.any()
    assert not emulator.side.watchdog.tripped


CHILD = """
import signal, sys, time
import numpy as np
from ros_mbmrl.plants.pr2_rosbridge import PR2Rosbridge
from ros_mbmrl.robots import make_robot
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with PR2Rosbridge(make_robot("pr2_arm"), sys.argv[1]) as plant:
    while True:
        plant.command(np.full(7, 1.0))
        print("commanded", flush=True)
        time.sleep(0.05)
"""


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_ended_leaves_no_torque(
    emulator: RosbridgeEmulator, how: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, emulator.url], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for _ in range(5):
            assert child.stdout.readline() == "commanded\n"
        until(lambda: bool(emulator.side.torques.any()))
        child.send_signal(how)
        until(lambda: emulator.side.zero_since is not None)
    # Only a process that could do nothing any more leaves it to the watchdog.
    assert emulator.side.watchdog.tripped == (how == signal.SIGKILL)


def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=f"port: no link .* at {url}: Connection refused"):
            PR2Rosbridge(ROBOT, url).__enter__()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (
            lambda side: side.controllers.clear(),
            "port: controllers not running on the PR2: effort_l",
        ),
        (
            lambda side: side.controllers.update(l_arm_controller=True),
            "port: controllers to be stopped on the PR2 first: l_arm_controller",
        ),
        (lambda side: side.press_run_stop(), "port: the run-stop was pressed"),
        (lambda side: setattr(side, "watchdog", None), "port: /ros_mbmrl/watchdog is silent"),
    ],
)
def test_a_robot_that_is_not_ready_is_refused_in_one_line(
    emulator: RosbridgeEmulator, spoil: Callable[[PR2Side], None], complaint: str
) -> None:
    emulator.ask(lambda side, line: spoil(side))
    with pytest.raises(UserError) as caught:
        PR2Rosbridge(ROBOT, emulator.url, PR2Config(patience=1.0)).__enter__()
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)


def test_without_a_watchdog_if_that_is_wanted() -> None:
    with RosbridgeEmulator(lambda now: arm(now, watchdog=False)) as emulator:
        config = PR2Config(watchdog=False)
        with PR2Rosbridge(ROBOT, emulator.url, config) as plant:
            drive(plant)
        assert not emulator.side.torques.any()


def test_the_registry_makes_it(emulator: RosbridgeEmulator) -> None:
    options = PlantOptions(port=emulator.url.removeprefix("ws://"), clock=lambda: time.monotonic())
    with make_plant(ROBOT, "rosbridge", options) as plant:
        assert plant.observe().values.shape == (23,)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (PlantOptions(), "plant:=rosbridge needs port:="),
        (PlantOptions(port="http://pr2"), "expected host:9090 or ws://host:9090, got 'http://pr2'"),
        (PlantOptions(port="pr2:http"), "got 'pr2:http'"),
        (PlantOptions(port="pr2", hardware={"speed": 1}), "unknown hardware setting 'speed'"),
    ],
)
def test_options_are_checked_before_anything_starts(options: PlantOptions, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        check_plant("pr2_arm", "rosbridge", options)


def test_a_controller_that_is_stopped_in_mid_motion_is_a_fault(emulator: RosbridgeEmulator) -> None:
    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        elbow = "effort_l_elbow_flex_joint"
        emulator.ask(lambda side, line: side.controllers.__setitem__(elbow, False))
        until(lambda: fault_of(plant).startswith(f"controllers not running on the PR2: {elbow}"))
        until(lambda: not emulator.side.torques.any())
        emulator.ask(lambda side, line: side.controllers.__setitem__(elbow, True))
        until(lambda: fault_of(plant) == "")


def test_heartbeats_that_end_are_a_fault(
    emulator: RosbridgeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)  # it is raised on purpose

    def fail(now: float) -> list[str]:
        raise TypeError("no heart")

    with PR2Rosbridge(ROBOT, emulator.url) as plant:
        drive(plant)
        monkeypatch.setattr(plant, "_pulse", fail)
        until(lambda: fault_of(plant) == "heartbeats have ended (TypeError: no heart)")
        until(lambda: not emulator.side.torques.any())
        with pytest.raises(PlantFault, match="heartbeats have ended"):
            plant.command(PUSH)


def test_settings_of_a_wrong_type_are_refused_at_the_start() -> None:
    options = PlantOptions(port="pr2.local", hardware={"rivals": ["l_arm_controller"]})
    with pytest.raises(UserError, match="hardware.rivals: expected a text, got"):
        check_plant("pr2_arm", "rosbridge", options)
