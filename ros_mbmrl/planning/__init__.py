"""Planners: sample action sequences, imagine their outcome, choose. One file and line each."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import choose

if TYPE_CHECKING:
    from ros_mbmrl.planning.base import Planner
    from ros_mbmrl.robots.spec import RobotSpec

# name -> "module:factory"; a factory takes the robot's specification and the parameters by name.
PLANNERS: dict[str, str] = {
    "mppi": "ros_mbmrl.planning.mppi:make_mppi",
    "random_shooting": "ros_mbmrl.planning.random_shooting:make_random_shooting",
    "cem": "ros_mbmrl.planning.cem:make_cem",
    "policy": "ros_mbmrl.agents.policy_planner:make_policy",
}
SEARCHING = tuple(name for name in PLANNERS if name != "policy")


def make_planner(name: str, spec: RobotSpec, **overrides: Any) -> Planner:
    """The planner called `name` within the limits of `spec`, its parameters overridden by name.

    A name such as `mppi.sigma`, or `mppi` with a mapping, is for that planner alone. Raises
    UserError for an unknown planner or parameter, and for a value out of its range.
    """
    choose("planner", name, PLANNERS)
    module, factory = PLANNERS[name].split(":")
    planner: Planner = getattr(import_module(module), factory)(spec, **_own(name, overrides))
    return planner


def _own(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are for every planner, and those for the one called `name`."""
    own: dict[str, Any] = {}
    for key, value in settings.items():
        whose, _, rest = key.partition(".")
        if whose not in PLANNERS:
            own[key] = value
        elif whose == name:
            own |= {rest: value} if rest else dict(value)
    return own
