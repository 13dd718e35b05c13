"""Launch arguments: none is taken and then ignored."""

from __future__ import annotations

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.launch_arguments import ARGUMENTS, parse

OTHER = {"noise": "0.5", "viewer": "true", "terrain": "turf", "fault": "x@1", "port": "/dev/x"}


@pytest.mark.parametrize("graph", ARGUMENTS)
def test_what_is_for_a_twin_or_for_a_robot_alone_is_refused_for_the_other(graph: str) -> None:
    for argument in ARGUMENTS[graph]:
        word = f"{argument.name}:={OTHER.get(argument.name, '/other')}"
        if argument.simulated is not None:
            with pytest.raises(UserError, match=f"{argument.name}: is for a .*, and would be igno"):
                parse(graph, [word, f"plant:={'serial' if argument.simulated else 'twin'}"])
            parse(graph, [word, f"plant:={'twin' if argument.simulated else 'serial'}"])


@pytest.mark.parametrize("graph", ARGUMENTS)
def test_defaults_that_are_given_are_no_wish(graph: str) -> None:
    """`ros2 launch` hands over every argument."""
    words = [f"{argument.name}:={argument.default}" for argument in ARGUMENTS[graph]]
    for plant in ("twin", "serial", "rosbridge"):
        assert parse(graph, [*words, f"plant:={plant}"])["plant"] == plant


def test_a_recording_that_is_not_recorded_is_refused() -> None:
    with pytest.raises(UserError, match="recording: would be ignored with record:=false"):
        parse("twin", ["record:=false", "recording:=x.mcap"])


def test_a_model_under_a_policy_is_not_adapted_unless_that_is_asked() -> None:
    def method(*words: str) -> str:
        return parse("adapt", ["robot:=half_cheetah", *words])["method"]

    assert method() == "causes"
    assert method("controller:=policy") == "mb"
    assert method("controller:=policy", "method:=residual") == "residual"
