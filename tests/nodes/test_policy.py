"""The SROS2 policy against its table, its format, and what the real graph's nodes really do."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest

from ros_mbmrl import bringup
from ros_mbmrl.access import policy
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import Summary, supervise

FILE = Path(__file__).resolve().parents[2] / "config/security/policy.xml"
RIGHTS = (
    *(("topics", "publish"), ("topics", "subscribe")),
    *(("services", "reply"), ("services", "request")),
)
Right = tuple[str, str]
# What is allowed and not used on the twin without a view: a real robot's pose, candidates to show.
UNUSED = {
    "driver": {("topics", "subscribe"): {"/mocap/{robot}/pose"}},
    "controller": {
        ("topics", "publish"): {"/{robot}/plan/candidates"},
        ("topics", "subscribe"): {"/{robot}/episode"},  # with learning:=
    },
}
if find_spec("tf2_msgs") is None:  # then there are no transforms, and nothing to make them of
    STATE = ("joint_states", "odom", "imu", "back_emf", "battery", "tool_points", "sensor_time")
    UNUSED["robot_state"] = {
        ("topics", "publish"): {"/tf", "/tf_static"},
        ("topics", "subscribe"): {f"/{{robot}}/{name}" for name in STATE},
    }
OUTSIDE = {"operator", "joystick", "mocap"}


def allowed(node: str, right: Right, robot: str = "hexapod") -> set[str]:
    """Names that the file allows, resolved as sros2's templates do it."""
    kind, verb = right
    found = set()
    for profile in ElementTree.parse(FILE).iterfind(f".//profile[@node='{node}']"):
        space = profile.attrib["ns"]
        if space == f"/{robot}":
            for part in profile.iterfind(f"{kind}[@{verb}='ALLOW']"):
                found |= {resolved(str(each.text), space, node) for each in part}
    return found


def resolved(name: str, space: str, node: str) -> str:
    if name.startswith("/"):
        return name
    return f"{space}/{node}{name[1:]}" if name.startswith("~") else f"{space}/{name}"


def profiles() -> Iterator[tuple[str, str, str]]:
    """(enclave, namespace, node) of all of the file."""
    for enclave in ElementTree.parse(FILE).iterfind("enclaves/enclave"):
        for profile in enclave.iterfind("profiles/profile"):
            yield enclave.attrib["path"], profile.attrib["ns"], profile.attrib["node"]


def test_the_file_is_what_the_table_gives() -> None:
    assert FILE.read_text() == policy(("hexapod", "pr2_arm"))


def test_only_safety_commands_the_robot_and_the_driver_takes_nothing_else() -> None:
    for robot in ("hexapod", "pr2_arm"):
        nodes = [node for _, space, node in profiles() if space == f"/{robot}"]
        safe, proposed = f"/{robot}/command/safe", f"/{robot}/command/proposed"
        publish, subscribe = ("topics", "publish"), ("topics", "subscribe")
        # As a process of its own, and in the one of the control path.
        assert [n for n in nodes if safe in allowed(n, publish, robot)] == ["safety"] * 2
        takes = {topic for topic in allowed("driver", subscribe, robot) if "command" in topic}
        assert takes == {safe}
        proposers = [n for n in nodes if proposed in allowed(n, publish, robot)]
        assert sorted(proposers) == ["controller", "controller", "teleop"]


def test_it_has_no_wildcards_and_denies_by_leaving_out() -> None:
    text = FILE.read_text()
    assert "DENY" not in text
    # But for what a person's tools offer under names of their own.
    names = {str(each.text) for each in ElementTree.parse(FILE).iter() if "*" in str(each.text)}
    assert names == {"/_ros2cli_*/get_type_description"}


def test_every_process_of_every_graph_has_an_enclave_of_its_own(tmp_path: Path) -> None:
    enclaves = {enclave for enclave, _, _ in profiles()}
    started = set()
    for robot in ("hexapod", "pr2_arm"):
        own = [f"learning:={tmp_path}"]
        for name, more in (("adapt", own), ("collect", ["source:=random"]), ("twin", [])):
            words = [f"robot:={robot}", "view:=foxglove", *more]
            started |= {spec.enclave for spec in bringup.graph(name, words)}
            if name == "adapt":
                together = bringup.graph(name, [*words, "composed:=true"])
                started |= {spec.enclave for spec in together}
    outside = {f"/{robot}/{name}" for robot in ("hexapod", "pr2_arm") for name in OUTSIDE}
    # The PR2's arm follows no path.
    assert enclaves - outside - started == {"/pr2_arm/reference"}
    assert started <= enclaves and outside <= enclaves


def test_sros2_makes_permissions_of_it() -> None:
    """Where a distribution is sourced: its own schema and template take the file."""
    pytest.importorskip("sros2")
    from lxml import etree
    from sros2.policy import get_transport_template, load_policy

    tree = load_policy(FILE)  # by its schema
    template = etree.XSLT(etree.parse(str(get_transport_template("dds", "permissions.xsl"))))
    permissions = template(tree)
    grants = {grant.attrib["name"]: grant for grant in permissions.iterfind(".//grant")}
    writers = [
        name
        for name, grant in grants.items()
        if "rt/hexapod/command/safe" in [t.text for t in grant.iterfind(".//publish/topics/topic")]
    ]
    assert writers == ["/hexapod/safety"]


GRAPHS = {
    "adapt": ("hexapod", ["method:=mb", "path:=figure8"]),
    "collect": ("hexapod", ["source:=random"]),
    "arm": ("pr2_arm", ["method:=mb"]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_the_graph_does_what_is_allowed_and_nothing_less(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Any, until: Any
) -> None:
    from rclpy.node import Node

    robot, words = GRAPHS[name]
    domain = str(context.get_domain_id())
    for key, value in environment({"ROS_DOMAIN_ID": domain}).items():
        monkeypatch.setenv(key, value)
    ended: list[Summary] = []
    said: list[str] = []
    words = [*words, f"robot:={robot}", f"recording:={tmp_path / 'run.mcap'}"]
    specs = bringup.graph("collect" if name == "collect" else "adapt", words)
    runner = threading.Thread(target=lambda: ended.append(supervise(specs, echo=said.append)))
    expected = {"driver", "safety", "recorder", "robot_state"}
    expected |= {"teleop"} if name == "collect" else {"dynamics", "controller"}
    expected |= {"reference"} if name == "adapt" else set()
    watcher = Node("watcher", context=context)

    def there() -> set[str]:
        known = watcher.get_node_names_and_namespaces()
        return {node for node, space in known if space == f"/{robot}"}

    wrong: list[Any] = []

    def settled() -> bool:
        if there() != expected:
            return bool(wrong)  # not yet begun, or ended while something was wrong
        wrong[:] = [each for node in expected for each in differences(watcher, node, robot)]
        return not wrong

    runner.start()
    try:
        until(lambda: any("first command" in line for line in said))
        until(settled)
    finally:
        for child in psutil.Process().children():
            if "ros_mbmrl.nodes.driver" in child.cmdline():
                child.send_signal(signal.SIGINT)
        runner.join(60)
        watcher.destroy_node()
    assert ended and ended[0].status == 0, said
    assert wrong == []


def differences(watcher: Any, node: str, robot: str) -> Iterator[tuple[str, Right, str, set[str]]]:
    """What a running node does that is not allowed, or is allowed and does not do."""
    for right, done in deeds(watcher, node, robot).items():
        spare = {each.format(robot=robot) for each in UNUSED.get(node, {}).get(right, ())}
        may = allowed(node, right, robot)
        if done - may:
            yield node, right, "not allowed", done - may
        if may - done - spare:
            yield node, right, "not done", may - done - spare


def deeds(watcher: Any, node: str, robot: str) -> Mapping[Right, set[str]]:
    """What a running node publishes, subscribes to, offers and calls."""
    asked: tuple[Callable[..., Any], ...] = (
        watcher.get_publisher_names_and_types_by_node,
        watcher.get_subscriber_names_and_types_by_node,
        watcher.get_service_names_and_types_by_node,
        watcher.get_client_names_and_types_by_node,
    )
    return {
        right: {name for name, _ in ask(node, f"/{robot}")}
        for right, ask in zip(RIGHTS, asked, strict=True)
    }
