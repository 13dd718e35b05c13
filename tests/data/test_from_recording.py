"""A recorded run becomes the rollouts that the loop saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.from_recording import check_rates, rollouts_from_recording, rollouts_of
from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot

Values = Callable[[int], np.ndarray]
ROBOT = make_robot("hexapod")


def _ns(k: int) -> int:
    return 10**9 + k * 10**8


def test_states_are_the_estimators_and_commands_answer_them(
    script: Any, measurement: Values
) -> None:
    script.steps(0, 6)
    (rollout,) = rollouts_of(script.run())
    expected = ROBOT.estimate(measurement(3), measurement(2), 0.1)
    np.testing.assert_allclose(rollout.states[3], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rollout.actions[:, 0], [1.0, 1.1, 1.2, 1.3, 1.4], rtol=1e-6)
    np.testing.assert_allclose(rollout.times, 1 + 0.1 * np.arange(6))
    assert not rollout.marks.any()
    assert dict(rollout.tags) == {"source": "recording", "session": "run"}


def test_messages_may_come_in_any_order_between_topics(script: Any) -> None:
    script.steps(0, 6)
    expected = rollouts_of(script.run())[0]
    script.messages = script.messages[::-1]
    (rollout,) = rollouts_of(script.run())
    for name in ("states", "actions", "times", "marks"):
        np.testing.assert_array_equal(getattr(rollout, name), getattr(expected, name))


def test_an_early_command_of_the_same_step_gives_way_to_the_newest(script: Any) -> None:
    script.steps(0, 3)
    script.command(_ns(1), [7.0, 8.0])
    (rollout,) = rollouts_of(script.run())
    np.testing.assert_allclose(rollout.actions, [[1.0, 2.0], [7.0, 8.0]])


def test_commands_are_ordered_by_name(script: Any) -> None:
    script.steps(0, 3)
    for topic, _, message in script.messages:
        if topic == "command/safe":
            message.name, message.velocity = message.name[::-1], message.velocity[::-1]
    np.testing.assert_allclose(rollouts_of(script.run())[0].actions[:, 1], 2.0)


def test_a_command_that_came_too_late_did_not_act(script: Any) -> None:
    script.steps(0, 6)
    script.timing(_ns(3), missed=1, offset=float("nan"))
    (rollout,) = rollouts_of(script.run())
    np.testing.assert_allclose(rollout.actions[:, 0], [1.0, 1.1, 1.2, 1.2, 1.4], rtol=1e-6)
    assert np.flatnonzero(rollout.marks & Mark.COMMAND).tolist() == [3]


def test_a_command_that_the_driver_limited_is_marked_and_what_it_gave_goes_on(script: Any) -> None:
    script.steps(0, 7)
    script.timing(_ns(2), missed=1, commanded="(0.0, 0.0)")  # a stop of the driver's own
    script.timing(_ns(3), delay=0.05, limited=1, commanded="(0.4, 2.0)")
    script.timing(_ns(4), delay=0.05)
    (rollout,) = rollouts_of(script.run())
    expected = [1.0, 1.1, 0.0, 0.2, 0.5 * 0.4 + 0.5 * 1.4, 1.5]
    np.testing.assert_allclose(rollout.actions[:, 0], expected, rtol=1e-6)
    assert np.flatnonzero(rollout.marks & Mark.COMMAND).tolist() == [2, 3]


def test_a_command_shares_its_interval_with_the_one_before(script: Any) -> None:
    script.steps(0, 6)
    script.timing(_ns(2), delay=0.03)
    script.timing(_ns(4), delay=0.15)
    (rollout,) = rollouts_of(script.run())
    expected = [1.0, 1.1, 0.7 * 1.2 + 0.3 * 1.1, 1.3, 0.5 * 1.3 + 0.5 * 1.2]
    np.testing.assert_allclose(rollout.actions[:, 0], expected, rtol=1e-6)


def test_a_missing_command_holds_the_one_before_and_is_marked(script: Any) -> None:
    script.steps(0, 6)
    commands = [each for each in script.messages if each[0] == "command/safe"]
    for index in (0, 3):  # before its first command, a robot is known to rest
        script.messages.remove(commands[index])
    (rollout,) = rollouts_of(script.run())
    np.testing.assert_allclose(rollout.actions[:, 0], [0.0, 1.1, 1.2, 1.2, 1.4], rtol=1e-6)
    assert np.flatnonzero(rollout.marks & Mark.COMMAND).tolist() == [3]


def test_a_gap_parts_rollouts(script: Any, measurement: Values) -> None:
    script.steps(0, 4)
    script.state(_ns(4), measurement(4), without=("odom",))
    script.steps(5, 4)
    run = script.run()
    assert run.partial == 1
    first, second = rollouts_of(run)
    assert (len(first), len(second)) == (3, 3)
    assert second.times[0] == pytest.approx(1.5)
    # No difference is taken over what was not seen: as live, the first state is spoilt.
    assert np.flatnonzero(second.marks & Mark.GAP).tolist() == [0]
    np.testing.assert_allclose(second.actions[:, 0], [1.5, 1.6, 1.7], rtol=1e-6)
    assert not first.marks.any()


def test_a_clock_that_begins_anew_parts_rollouts(script: Any, measurement: Values) -> None:
    script.steps(30, 5)
    script.steps(0, 4)
    first, second = rollouts_of(script.run())
    assert (len(first), len(second)) == (4, 3)
    assert first.times[0] == pytest.approx(4.0)
    assert second.times[0] == pytest.approx(1.0)
    expected = ROBOT.estimate(measurement(0), None, 0.1)
    np.testing.assert_allclose(second.states[0], expected, rtol=1e-5, atol=1e-6)


def test_only_episodes_that_are_kept_are_rollouts_and_their_tags_go_along(script: Any) -> None:
    script.steps(0, 3)
    script.episode("start", 1, terrain="carpet", policy="random")
    script.steps(3, 4)
    script.episode("stop", 1, terrain="carpet", policy="random+keyboard")
    script.steps(7, 2)
    script.episode("start", 2, terrain="turf")
    script.steps(9, 4)
    script.episode("stop", 2)
    script.episode("start", 3, terrain="turf")
    script.steps(13, 3)
    script.episode("discard", 3)
    script.steps(16, 3)
    script.episode("discard", 2)
    script.episode("start", 4, terrain="gravel")
    script.steps(19, 5)  # the recorder was killed
    rollouts = rollouts_of(script.run())
    assert [len(rollout) for rollout in rollouts] == [3, 4]
    assert [rollout.times[0] for rollout in rollouts] == pytest.approx([1.3, 2.9])
    assert dict(rollouts[0].tags) == {
        "terrain": "carpet",
        "policy": "random+keyboard",
        "episode": "1",
        "source": "recording",
        "session": "run",
    }
    assert rollouts[1].tags["terrain"] == "gravel"


def test_episodes_back_to_back_are_parted(script: Any) -> None:
    for k in range(3):
        script.episode("start", k)
        script.steps(4 * k, 4)
        script.episode("stop", k)
    assert [r.tags["episode"] for r in rollouts_of(script.run())] == ["0", "1", "2"]


def test_nothing_kept_is_refused(script: Any) -> None:
    script.steps(0, 5)
    script.episode("start", 1)
    script.episode("stop", 1)
    with pytest.raises(UserError, match="5 steps, none of them in an episode that is kept"):
        rollouts_of(script.run())


def test_too_little_is_refused(script: Any) -> None:
    script.steps(0, 1)
    with pytest.raises(UserError, match="1 steps with all of odom"):
        script.run()


def test_a_command_for_another_robot_is_refused(script: Any) -> None:
    script.steps(0, 2)
    script.messages[-2][2].name = ["l_wrist_roll"]
    with pytest.raises(UserError, match="command/safe names"):
        script.run()


def test_rates_that_differ_are_refused(script: Any, measurement: Values) -> None:
    script.steps(0, 5)
    run = script.run()
    slow = type(script)()
    for k in range(5):
        slow.state(2 * _ns(k), measurement(k))
    other = replace(slow.run(), path=Path("other.mcap"))
    check_rates([run, run])
    with pytest.raises(UserError, match=r"run\.mcap runs at 10 Hz, other\.mcap at 5 Hz"):
        check_rates([run, other])
    with pytest.raises(UserError, match=r"other\.mcap runs at 5 Hz: expected 10 Hz"):
        check_rates([other])


def test_what_the_nodes_send_comes_back_from_the_file(tmp_path: Path, measurement: Values) -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    from ros_mbmrl.data.recording import RecordingWriter
    from ros_mbmrl.nodes.messages import command_message
    from ros_mbmrl.nodes.sensors import SensorCodec
    from ros_mbmrl.robots.measurement import Measurement
    from ros_mbmrl.topics import topic

    codec = SensorCodec(ROBOT.spec)
    with RecordingWriter(tmp_path / "run.mcap") as writer:
        for k in range(6):
            stamp = _ns(k)
            messages = codec.encode(Measurement(stamp / 1e9, measurement(k), 0.004), None)
            messages["command/safe"] = command_message(ROBOT.spec, np.array([3.0, 4.0]), stamp)
            for name, message in messages.items():
                data = serialization.serialize_message(message)
                writer.write_raw(f"/hexapod/{name}", topic(name).type, data, stamp, stamp)
    (rollout,) = rollouts_from_recording(tmp_path / "run.mcap")
    expected = ROBOT.estimate(measurement(4), measurement(3), 0.1)
    np.testing.assert_allclose(rollout.states[4], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(rollout.actions, [[3.0, 4.0]] * 5)
    assert not rollout.marks.any()


@pytest.mark.parametrize("floor", [-3.0, 0.85, 20.0])
def test_a_floor_at_another_height_marks_nothing(script: Any, floor: float) -> None:
    script.steps(0, 30)
    for topic, _, message in script.messages:
        if topic == "odom":
            message.pose.pose.position.z += floor
    (rollout,) = rollouts_of(script.run())
    assert not rollout.marks.any()
