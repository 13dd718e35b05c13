"""The catalogue holds what the issue lists, and every fault of it can be made."""

from ros_mbmrl.arguments.faults import Faults
from ros_mbmrl.faults.catalogue import all_faults
from ros_mbmrl.faults.disturb import KINDS
from ros_mbmrl.plants.emulators.radio_faults import LINE_FAULTS
from ros_mbmrl.robots.hexapod import SPEC
from ros_mbmrl.simulation.faults import FAULTS
from ros_mbmrl.topics import TOPICS

GRAPHS = all_faults(SPEC)


def test_every_fault_can_be_made() -> None:
    topics = {topic.name for topic in TOPICS}
    for fault in (fault for faults in GRAPHS.values() for fault in faults):
        if fault.how == "topic":
            assert fault.kind in KINDS
            assert set(fault.target.split(",")) <= topics
        if fault.how == "line":
            assert fault.kind in {*LINE_FAULTS, *FAULTS}


def test_what_users_run_into_is_there() -> None:
    names = {graph: {fault.name for fault in faults} for graph, faults in GRAPHS.items()}
    assert {"radio: silent", "adaptive: SIGSTOP", "driver: SIGSTOP"} == names["ros_time"]
    assert {"radio: silent", "composed: SIGSTOP", "composed: SIGKILL"} <= names["composed"]
    assert {"radio: zero quaternion", "radio: pose ahead"} <= names["pty"]
    assert {"joy: silent", "joy: old stamps", "joy: same bits"} == names["gamepad"]
    assert "faults of another robot on /diagnostics" in names["twin"]
    assert "parameters for a node that is not there" in names["start"]
    assert names["launch"] == {"launch killed"} and names["physics"] == {"physics that diverge"}


def test_the_command_tries_all_of_it() -> None:
    assert set(Faults().graphs) == set(GRAPHS)


def test_names_are_told_apart() -> None:
    for faults in GRAPHS.values():
        names = [fault.name for fault in faults]
        assert len(set(names)) == len(names)


def test_every_process_is_paused_and_killed_and_every_topic_silenced() -> None:
    names = {fault.name for fault in GRAPHS["processes"]}
    for process in ("driver", "adaptive", "safety", "reference", "recorder"):
        assert {f"{process}: SIGSTOP", f"{process}: SIGKILL"} <= names
    names = {fault.name for fault in GRAPHS["twin"]}
    for topic in ("odom", "joint_states", "imu", "battery", "command/proposed", "command/safe"):
        for kind in ("silent", "delayed", "duplicated", "reordered", "frozen", "nan", "huge"):
            assert f"{topic}: {kind}" in names
