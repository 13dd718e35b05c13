"""Which poses are believed: stamps that leap, clocks that are set, poses that are none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.poses import APART, TOLD, PoseMailbox, StampedPose

PERIOD = 0.01  # [s]
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def pose(time: float, quaternion: tuple[float, ...] = UPRIGHT, x: float = 0.0) -> StampedPose:
    return StampedPose(time, np.array([x, 0.0, 0.0]), np.array(quaternion))


@dataclass
class Stream:
    """Poses at 100 Hz by a clock moved by hand. ahead: of the stamps [s]; machine: as set [s]."""

    now: float = 1.7e9
    ahead: float = 0.0
    machine: float = 0.0
    box: PoseMailbox = field(init=False)

    def __post_init__(self) -> None:
        self.box = PoseMailbox(lambda: self.now, lambda: self.machine)

    def run(self, seconds: float, quaternion: tuple[float, ...] = UPRIGHT) -> None:
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD
            self.box.put(pose(self.now + self.ahead - 0.004, quaternion))

    @property
    def age(self) -> float:
        newest = self.box.latest()
        assert newest is not None
        return self.now - newest.time


@pytest.mark.parametrize("leap", [1000.0, 0.3, 2.0**31, -1000.0, -0.3])
def test_one_pose_with_a_wild_stamp_is_passed_over(leap: float) -> None:
    stream = Stream()
    stream.run(1.0)
    stream.box.put(pose(stream.now + leap))
    assert stream.age == pytest.approx(0.004, abs=1e-6)
    assert "its stamp leapt by" in stream.box.refused()
    stream.run(0.01)
    assert stream.age == pytest.approx(0.004, abs=1e-6)
    assert (stream.box.fault(), stream.box.refused(), stream.box.passed_over) == ("", "", 1)


def test_a_small_leap_of_one_pose_is_over_within_a_few() -> None:
    stream = Stream()
    stream.run(1.0)
    stream.box.put(pose(stream.now + 0.2))  # as if it were on time
    stream.run(0.03)
    assert stream.age == pytest.approx(0.004, abs=1e-6)
    assert stream.box.fault() == ""


def test_without_a_clock_of_the_stamps_a_wild_one_blocks_nothing() -> None:
    box = PoseMailbox()
    for k in range(1, 151):
        time = 0.1 * k
        box.put(pose(time if k != 50 else time + 1000.0))
        newest = box.latest()
        assert newest is not None and abs(newest.time - time) < 0.11


@pytest.mark.parametrize(
    "bad",
    [
        pose(1.0, (0.0, 0.0, 0.0, 0.0)),
        pose(1.0, (math.nan, 0.0, 0.0, 1.0)),
        pose(1.0, (1.0, 1.0, 1.0, 1.0)),
        pose(1.0, (math.inf, 0.0, 0.0, 0.0)),
        pose(1.0, x=math.nan),
        pose(1.0, x=math.inf),
        pose(math.nan),
        pose(math.inf),
    ],
)
def test_what_is_no_pose_is_passed_over(bad: StampedPose) -> None:
    box = PoseMailbox(lambda: 1.0)
    box.put(bad)
    assert box.latest() is None
    assert box.passed_over == 1
    assert box.refused().startswith("no ")
    box.put(pose(0.99))
    assert box.latest() is not None and box.refused() == ""


@pytest.mark.parametrize("step", [0.5, -0.5, 3600.0, -3600.0, 1e9])
@pytest.mark.parametrize("machine", [True, False])
def test_a_clock_that_is_set_is_a_fault_and_then_goes_on(step: float, machine: bool) -> None:
    stream = Stream()
    stream.run(1.0)
    stream.ahead += step
    stream.machine += step if machine else 0.0
    stream.run(0.02)
    assert f"the stamps of poses leapt by {step:+.2f} s: " in stream.box.fault()
    own = f"this machine's clock was set by {step:+.2f} s"
    assert (own in stream.box.fault()) is machine
    assert ("does another publish poses?" in stream.box.fault()) is not machine
    stream.run(1.1 * TOLD)
    assert stream.box.fault() == ""
    assert stream.age == pytest.approx(0.004, abs=1e-3)
    stream.ahead -= step  # set right again
    stream.run(0.02)
    assert f"leapt by {-step:+.2f} s" in stream.box.fault()
    stream.run(1.1 * TOLD)
    assert stream.box.fault() == ""
    assert stream.age == pytest.approx(0.004, abs=1e-6)


def test_several_steps_in_one_run() -> None:
    stream = Stream()
    stream.run(1.0)
    for step in (0.5, 0.4, -0.7, 10.0):
        stream.ahead += step
        stream.machine += step
        stream.run(0.02)
        assert f"this machine's clock was set by {step:+.2f} s" in stream.box.fault()
        stream.run(1.1)
        assert stream.age == pytest.approx(0.004, abs=1e-3)
        assert stream.box.fault() == ""


def test_a_delay_is_never_taken_for_a_clock() -> None:
    stream = Stream()
    stream.run(1.0)
    stream.now += 0.5  # nothing comes, and then everything half a second late
    stream.ahead = -0.5
    stream.run(5.0)
    assert stream.age == pytest.approx(0.504, abs=1e-6)
    stream.ahead = 0.0  # the queue is emptied
    stream.run(0.5)
    assert stream.age == pytest.approx(0.004, abs=1e-6)
    assert stream.box.fault() == ""


def test_stamps_that_were_never_right_are_never_corrected() -> None:
    stream = Stream(ahead=0.6)
    stream.run(1.0)
    assert stream.age == pytest.approx(0.004 - 0.6, abs=1e-6)
    stream.ahead = 5.0
    stream.run(1.0)
    assert stream.age == pytest.approx(0.004 - 5.0, abs=1e-6)
    stream.ahead = 0.0  # somebody sets that clock right
    stream.run(1.0)
    assert stream.age == pytest.approx(0.004, abs=1e-6)


def test_after_a_gap_stamps_are_taken_as_they_are() -> None:
    stream = Stream()
    stream.run(1.0)
    stream.now += 2.0
    stream.ahead = 100.0  # another system was started
    stream.run(1.0)
    assert stream.age == pytest.approx(0.004 - 100.0, abs=1e-6)


def test_a_bag_that_loops_is_a_fault_every_time() -> None:
    stream = Stream(now=1000.0)
    for _ in range(3):
        stream.run(3.0)
        stream.ahead -= 3.0
        stream.run(0.03)
        assert "leapt by -3.00 s" in stream.box.fault()


def test_a_second_source_beside_the_first_is_passed_over() -> None:
    stream = Stream()
    stream.run(1.0)
    for _ in range(200):
        stream.run(PERIOD)
        stream.box.put(pose(stream.now - 86400.0))
        assert stream.age == pytest.approx(0.004, abs=1e-6)
    assert stream.box.passed_over == 200
    assert stream.box.fault() == ""


def test_a_stamp_that_stands_still_grows_old() -> None:
    stream = Stream()
    stream.run(1.0)
    stamp = stream.now - 0.004
    for _ in range(50):
        stream.now += PERIOD
        stream.box.put(pose(stamp))
    assert stream.age == pytest.approx(0.504, abs=1e-6)
    assert "no newer" in stream.box.refused()


def test_who_is_distrusted_is_told_for_a_while() -> None:
    stream = Stream()
    stream.box.distrust("/pose has 2 publishers, expected one")
    assert stream.box.fault() == "/pose has 2 publishers, expected one"
    stream.now += TOLD
    assert stream.box.fault() == ""


STAMPS = st.floats(-2e9, 2e9) | st.floats(-2.0, 2.0) | st.sampled_from([math.nan, math.inf])
QUATERNIONS = st.sampled_from([UPRIGHT, (0.0, 0.0, 0.0, 0.0), (math.nan, 0.0, 0.0, 0.0)])


@given(st.lists(st.tuples(STAMPS, QUATERNIONS), max_size=30))
def test_whatever_came_good_poses_are_believed_again(
    wild: list[tuple[float, tuple[float, ...]]],
) -> None:
    stream = Stream()
    stream.run(0.1)
    for offset, quaternion in wild:
        stream.now += PERIOD
        stream.box.put(pose(stream.now + offset, quaternion))
        newest = stream.box.latest()
        assert newest is not None and newest.defect() == ""
    # What was stamped ahead within the tolerance is the newest for as long.
    stream.run(2 * APART)
    assert abs(stream.age) <= 2 * APART
    assert stream.box.refused() == ""
    stream.run(1.1 * TOLD)
    assert stream.box.fault() == ""
