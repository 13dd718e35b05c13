"""Parameter files are read as the nodes read them, and none of their sections is ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.parameter_files import (
    check_nodes,
    check_overlap,
    files_of,
    fits,
    parameters_of,
    planner_settings,
)

NODE = "/hexapod/controller"
NODES = (NODE, "/hexapod/safety")
NESTED = "{ros__parameters: {speed: 0.2, planner: {horizon: 5, mppi: {sigma: 0.3}}}}"
SPEED = "{ros__parameters: {speed: 0.5}}"
FORMS = {
    "full name": f"/hexapod/controller: {NESTED}",
    "without the first slash": f"hexapod/controller: {NESTED}",
    "nested": f"hexapod: {{controller: {NESTED}}}",
    "nested, with the first slash": f"/hexapod: {{controller: {NESTED}}}",
    "any namespace": f"/**/controller: {NESTED}",
    "one namespace": f"/*/controller: {NESTED}",
    "everybody": f"/**: {NESTED}",
    "everybody of a namespace": f"/hexapod/*: {NESTED}",
    "dotted names": "/hexapod/controller: {ros__parameters: "
    "{speed: 0.2, planner.horizon: 5, planner.mppi.sigma: 0.3}}",
    "two sections": f"/hexapod/controller: {NESTED}\n/hexapod/safety: {SPEED}",
    "the last section counts": f"/**: {SPEED}\n/hexapod/controller: {NESTED}",
    "the last section counts, even the general one": f"/hexapod/controller: {NESTED}\n/**: {SPEED}",
}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_every_form_that_a_node_reads(tmp_path: Path, form: str) -> None:
    speed = 0.5 if "general one" in form else 0.2
    expected = {"speed": speed, "planner.horizon": 5, "planner.mppi.sigma": 0.3}
    path = written(tmp_path, FORMS[form])
    assert parameters_of(path, NODE) == expected
    check_nodes(path, NODES)


@pytest.mark.parametrize("form", FORMS)
def test_a_node_reads_the_same(tmp_path: Path, form: str) -> None:
    rclpy = pytest.importorskip("rclpy")
    path = written(tmp_path, FORMS[form])
    context: Any = rclpy.Context()
    context.init(args=["--ros-args", "--params-file", str(path)])
    node = rclpy.create_node(
        "controller",
        namespace="hexapod",
        context=context,
        automatically_declare_parameters_from_overrides=True,
    )
    try:
        expected = parameters_of(path, NODE)
        assert {name: node.get_parameter(name).value for name in expected} == expected
    finally:
        node.destroy_node()
        context.try_shutdown()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"/hexapod/safty: {SPEED}", "'/hexapod/safty' names no node of this graph"),
        (f"safety: {SPEED}", "'/safety' names no node"),
        (f"/safety: {SPEED}", "'/safety' names no node"),
        (f"hexapod/saftey: {SPEED}", "expected one of /hexapod/controller, /hexapod/safety"),
        (f"/**/saftey: {SPEED}", "'/\\*\\*/saftey' names no node"),
        (f"/*: {SPEED}", "'/\\*' names no node"),
        (f"hexapod: {{safety: {SPEED}, contrller: {SPEED}}}", "'/hexapod/contrller'"),
        ("/hexapod/safety: {speed: 3}", "'/hexapod/safety/speed': expected a mapping with ros__"),
        ("/hexapod/safety: 3", "'/hexapod/safety': expected a mapping with ros__parameters"),
        (f"/hexapod: {{/safety: {SPEED}}}", "'/hexapod//safety': expected one slash"),
        (f"/hexapod/safety/: {SPEED}", "expected one slash between names"),
        ("[1, 2]", "expected parameters by node"),
        ("", "expected parameters by node"),
    ],
)
def test_a_section_for_nobody_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_nodes(written(tmp_path, text), NODES)


def test_wildcards() -> None:
    for pattern, node, matches in (
        ("/**", "/a", True),
        ("/**", "/a/b/c", True),
        ("/*", "/a/b", False),
        ("/a/**/c", "/a/c", True),
        ("/a/**/c", "/a/x/y/c", True),
        ("/a/*/c", "/a/x/y/c", False),
        ("/a.c", "/abc", False),
    ):
        assert fits(pattern, node) is matches, (pattern, node)


def test_a_given_file_comes_after_the_robots_own() -> None:
    given = Path("mine.yaml")
    assert [path.name for path in files_of("hexapod", given)] == ["hexapod.yaml", "mine.yaml"]
    assert files_of("no_such_robot", given) == (given,)
    assert files_of("no_such_robot", None) == ()


def test_a_parameter_that_the_launch_sets_is_refused(tmp_path: Path) -> None:
    path = str(written(tmp_path, "/r/driver: {ros__parameters: {noise: 0.1, path: left}}"))
    check_overlap([path], ["/r/driver", "/r/safety"], {"seed": 1})
    with pytest.raises(UserError, match="'path' of /r/driver is set by the launch"):
        check_overlap([path], ["/r/safety", "/r/driver"], {"path": "left"})


def test_a_file_on_top_changes_the_robots_own_planner(tmp_path: Path) -> None:
    own = planner_settings("pr2_arm")
    given = written(tmp_path, "/pr2_arm/controller: {ros__parameters: {planner.horizon: 9}}")
    assert planner_settings("pr2_arm", given) == {**own, "horizon": 9}
    assert own["horizon"] != 9
    assert planner_settings("nobody") == {}
