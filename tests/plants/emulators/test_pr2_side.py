"""The PR2's controllers, motors and run-stop behind its rosbridge."""

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.plants.emulators.pr2_side import HALT, LIST_CONTROLLERS, POWER_UP, RESET, PR2Side

ELBOW, ELBOW_INDEX = "/effort_l_elbow_flex_joint/command", 3


HEARTBEAT = "/ros_mbmrl/heartbeat"


def run(side: PR2Side, since: float, until: float) -> dict[str, list[dict[str, Any]]]:
    """Ticks of 5 ms; the messages by topic."""
    heard: dict[str, list[dict[str, Any]]] = {topic: [] for topic in side.topics}
    for k in range(1, round((until - since) / 0.005) + 1):
        for topic, message in side.tick(since + 0.005 * k):
            heard[topic].append(message)
    return heard


def test_the_last_torque_persists(wheels: Any) -> None:
    world = wheels()
    side = PR2Side(world, 0.0, watchdog=False)
    side.publish(ELBOW, {"data": 2.0}, 0.0)
    heard = run(side, 0.0, 3.0)
    assert world.speeds == pytest.approx([0, 0, 0, 6, 0, 0, 0])
    assert side.zero_since is None
    assert len(heard["/joint_states"]) == pytest.approx(300, abs=1)
    newest = heard["/joint_states"][-1]
    assert newest["velocity"][newest["name"].index("l_elbow_flex_joint")] == pytest.approx(6.0)
    assert newest["velocity"][newest["name"].index("r_elbow_flex_joint")] == 0
    stamps = [
        m["header"]["stamp"]["secs"] + 1e-9 * m["header"]["stamp"]["nsecs"]
        for m in heard["/joint_states"]
    ]
    assert np.diff(stamps)[1:] == pytest.approx(0.01, abs=1e-6)


def test_the_watchdog_ends_it_where_there_is_one(wheels: Any) -> None:
    world = wheels()
    side = PR2Side(world, 0.0, watchdog=True)
    for topic in side.topics:
        if topic.endswith("/command"):
            side.publish(topic, {"data": 0.0}, 0.0)
    for k in range(100):  # 2 s of heartbeats
        side.publish(HEARTBEAT, {"data": float(k)}, 0.02 * k)
        run(side, 0.02 * k, 0.02 * (k + 1))
        side.publish(ELBOW, {"data": 1.0}, 0.02 * (k + 1))
    assert world.torques[ELBOW_INDEX] == 1.0
    heard = run(side, 2.0, 2.3)
    assert side.zero_since is not None
    assert side.zero_since - 1.98 == pytest.approx(0.105, abs=0.006)  # a time-out and a tick
    assert not world.torques.any()
    assert [message["data"] for message in heard["/ros_mbmrl/watchdog"]][-1] is True
    side.publish(ELBOW, {"data": 1.0}, 2.3)  # a torque that comes late
    run(side, 2.3, 2.4)
    assert not world.torques.any()


def test_the_run_stop_cuts_the_power_and_its_release_brings_the_old_torque_back(
    wheels: Any,
) -> None:
    world = wheels()
    side = PR2Side(world, 0.0, watchdog=False)
    side.publish(ELBOW, {"data": 1.0}, 0.0)
    run(side, 0.0, 1.0)
    side.press_run_stop()
    heard = run(side, 1.0, 2.0)
    assert world.speeds[ELBOW_INDEX] == pytest.approx(1.0)
    assert heard["/power_board/state"][-1]["run_stop"] is False
    side.services[RESET]()
    assert side.halted
    side.release_run_stop()
    assert run(side, 2.0, 2.1)["/power_board/state"][-1]["run_stop"] is True
    assert not world.torques.any()
    run(side, 2.1, 2.1 + POWER_UP)
    assert world.torques[ELBOW_INDEX] == 1.0


def test_services_halt_and_reset_and_list(wheels: Any) -> None:
    world = wheels()
    side = PR2Side(world, 0.0, watchdog=False)
    side.publish(ELBOW, {"data": 1.0}, 0.0)
    side.services[HALT]()
    run(side, 0.0, 0.1)
    assert not world.torques.any()
    side.services[RESET]()
    side.controllers["effort_l_elbow_flex_joint"] = False
    run(side, 0.1, 0.2)
    assert not world.torques.any()
    listed = side.services[LIST_CONTROLLERS]()
    assert (
        dict(zip(listed["controllers"], listed["state"], strict=True))["effort_l_elbow_flex_joint"]
        == "stopped"
    )
