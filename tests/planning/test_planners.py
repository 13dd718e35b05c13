"""What every planner must do, whatever it is called; and that each of its parameters matters."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.planning.base import Plan, WarmStart
from ros_mbmrl.robots import make_robot

SPEC = make_robot("hexapod").spec
HIGH = torch.as_tensor(SPEC.action_high, dtype=torch.float32)
COLD = WarmStart(None, torch.zeros(2))
TARGET = torch.tensor([30.0, 20.0])


class Model:
    """The state is the sum of the actions so far; remembers what it was asked to roll out."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        assert len(state) == len(actions)
        self.asked.append(actions.clone())
        return torch.cat([state[:, None], state[:, None] + actions.cumsum(1)], dim=1)


def to_target(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    return ((actions - reference) / HIGH).square().mean((1, 2))


def plan(
    name: str,
    cost: Any = to_target,
    start: WarmStart = COLD,
    seed: int = 0,
    model: Any = None,
    deadline: Any = None,
    **parameters: Any,
) -> Plan:
    planner = make_planner(name, SPEC, **parameters)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return planner.plan(
            model or Model(), cost, torch.zeros(2), TARGET, start, generator, deadline
        )


def every_planner(function: Any) -> Any:
    return pytest.mark.parametrize("name", sorted({*PLANNERS} - {"policy"}))(function)


class Team(Model):
    """Two members, who move by once and twice the actions; other propagations move half as far."""

    def __init__(self, half: float = 1.0) -> None:
        super().__init__()
        self.members, self.half = 2, half

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        gains = self.half * (1.0 + torch.arange(len(actions)) % 2)
        return super().__call__(state, gains[:, None, None] * actions)

    def propagated(self, particles: str, generator: Any) -> Team:
        assert (particles, generator is None) in (("ts1", True), ("ts_inf", False))
        return Team(0.5)


def to_place(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    return (states[:, -1] / HIGH - 1.0).square().mean(1)


OF_ENSEMBLES = {"particles": "ts1", "sample": True, "risk": 1.0}
SAMPLING: dict[str, Any] = {
    "num_samples": 60,
    "horizon": 3,
    "sigma": 0.4,
    "correlation": 0.9,
    "held_fraction": 0.9,
}
SAMPLING |= OF_ENSEMBLES
EFFECTS: dict[str, dict[str, Any]] = {
    "mppi": {**SAMPLING, "temperature": 1.0, "iterations": 3, "relative_temperature": False},
    "random_shooting": SAMPLING,
}
EFFECTS["cem"] = {**SAMPLING, "iterations": 5, "elite_fraction": 0.3, "min_sigma": 0.1}
EFFECTS["cem"]["momentum"] = 0.5
EFFECTS["icem"] = {**EFFECTS["cem"], "exponent": 2.0, "kept_fraction": 1.0}


@pytest.mark.parametrize(
    ("name", "parameter"), [(name, key) for name, keys in EFFECTS.items() for key in keys]
)
def test_every_parameter_has_an_effect(name: str, parameter: str) -> None:
    warm = WarmStart(None, torch.tensor([25.0, 25.0]))
    # Few samples, so that the plan still depends on how they were drawn.
    base: dict[str, Any] = {"num_samples": 50, "horizon": 5}
    if parameter in OF_ENSEMBLES:
        base |= {"model": Team(), "cost": to_place}
    usual = plan(name, start=warm, **base)
    changed = plan(name, start=warm, **{**base, parameter: EFFECTS[name][parameter]})
    assert usual.actions.shape != changed.actions.shape or not torch.allclose(
        usual.actions, changed.actions, atol=1e-3
    )


@every_planner
def test_the_table_of_effects_names_every_parameter(name: str) -> None:
    with pytest.raises(UserError, match="unknown planner parameter 'nonsense'") as error:
        make_planner(name, SPEC, nonsense=1)
    # Agents heed `terminal_value`, tests/agents/test_valued.py.
    assert str(error.value).endswith(", ".join(sorted({*EFFECTS[name], "terminal_value"})))


def test_an_unknown_planner_is_a_user_error() -> None:
    with pytest.raises(UserError, match="unknown planner 'mpc': expected one of cem, icem, mppi"):
        make_planner("mpc", SPEC)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mppi", {"temperature": 0.0}),
        ("mppi", {"relative_temperature": "yes"}),
        ("mppi", {"iterations": 0}),
        ("cem", {"elite_fraction": 2.0}),
        ("cem", {"min_sigma": 0.5}),
        ("cem", {"momentum": 1.0}),
        ("icem", {"exponent": -1.0}),
        ("icem", {"kept_fraction": 2}),
        ("random_shooting", {"num_samples": 1.0}),
    ],
)
def test_a_wrong_value_is_a_user_error_that_names_it(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"planner parameter {next(iter(parameters))}: expected"):
        make_planner(name, SPEC, **parameters)


@pytest.mark.parametrize("own", [{"mppi.iterations": 3}, {"mppi": {"iterations": 3}}])
def test_a_setting_can_be_for_one_planner_alone(own: dict[str, object]) -> None:
    make_planner("random_shooting", SPEC, **own)  # knows no iterations
    with pytest.raises(UserError, match="iterations"):
        make_planner("mppi", SPEC, **{**own, "mppi.iterations": 0})
