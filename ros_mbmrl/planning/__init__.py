"""Planners: sample action sequences, imagine their outcome, choose. One file and line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plugins import Registry, expected, imported

if TYPE_CHECKING:
    from ros_mbmrl.planning.base import Planner
    from ros_mbmrl.robots.spec import RobotSpec

# name -> "module:factory"; a factory takes the robot's specification and the parameters by name.
# Others come by entry points of the group `ros_mbmrl.planners`.
PLANNERS: Registry[str] = Registry(
    "planner",
    "planners",
    {
        "mppi": "ros_mbmrl.planning.mppi:make_mppi",
        "random_shooting": "ros_mbmrl.planning.random_shooting:make_random_shooting",
        "cem": "ros_mbmrl.planning.cem:make_cem",
        "icem": "ros_mbmrl.planning.icem:make_icem",
        "policy": "ros_mbmrl.agents.policy_planner:make_policy",
    },
    lambda entry: entry.value,
)


def check_planner(name: str) -> None:
    """Refuse a planner that cannot be made; a built-in one is known to be, and not imported.

    Raises:
        UserError: there is none, or its entry point is not as expected.
    """
    choose("planner", name, PLANNERS)
    if PLANNERS.entry(name) is not None:
        _factory(PLANNERS[name])


def _factory(value: str) -> Callable[..., Planner]:
    factory: Callable[..., Planner] = imported(value)
    expected(value, "a function that makes a planner", callable(factory), factory)
    return factory


def make_planner(name: str, spec: RobotSpec, **overrides: Any) -> Planner:
    """Return the planner called `name` within the limits of `spec`.

    Args:
        overrides: its parameters by name. A name such as `mppi.sigma`, or `mppi` with a mapping,
            is for that planner alone.

    Raises:
        UserError: an unknown planner or parameter, a value out of its range, or an entry point
            that is not as expected.
    """
    choose("planner", name, PLANNERS)
    value = PLANNERS[name]
    make = _factory(value)
    try:
        planner = make(spec, **_own(name, overrides))
    except UserError:
        raise
    except (TypeError, ValueError) as error:  # a factory of others need not know of UserError
        raise UserError(f"planner {name}: {error}") from None
    expected(value, "a planner with plan()", callable(getattr(planner, "plan", None)), planner)
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
