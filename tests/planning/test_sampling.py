"""Candidates: limits, correlation, held actions, the mean among them, determinism."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.planning.sampling import Limits, Sampler, SamplingConfig

LIMITS = Limits(torch.tensor([0.0, -1.0]), torch.tensor([10.0, 1.0]), torch.tensor([2.0, 0.5]))
WIDE = Limits(torch.full((2,), -1e6), torch.full((2,), 1e6), torch.full((2,), 1e6))
STD = torch.tensor([2.0, 0.4])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(
    limits: Limits = LIMITS, mean: torch.Tensor | None = None, **config: float
) -> torch.Tensor:
    sampler = Sampler(limits, SamplingConfig(**config))  # type: ignore[arg-type]
    return sampler.sample(mean, STD, torch.zeros(2), seeded())


@settings(max_examples=50, deadline=None)
@given(
    previous=st.tuples(st.floats(0, 10), st.floats(-1, 1)),
    scale=st.floats(0.01, 100),
    mean=st.none() | st.floats(-20, 20),
    seed=st.integers(0, 1000),
)
def test_rate_limits_and_bounds_hold_inside_rollouts(
    previous: tuple[float, float], scale: float, mean: float | None, seed: int
) -> None:
    start = torch.tensor(previous)
    plan = None if mean is None else torch.full((6, 2), mean)
    sampler = Sampler(LIMITS, SamplingConfig(num_samples=20, horizon=6))
    actions = sampler.sample(plan, scale * STD, start, seeded(seed))
    steps = torch.cat([start.expand(20, 1, 2), actions], dim=1).diff(dim=1).abs()
    assert actions.dtype == torch.float32
    assert (actions >= LIMITS.low).all()
    assert (actions <= LIMITS.high).all()
    assert (steps <= LIMITS.max_step + 1e-5).all()


def test_a_command_ramps_at_its_rate() -> None:
    actions = torch.full((1, 6, 2), 100.0)
    LIMITS.enforce_(actions, torch.tensor([1.0, 0.0]))
    assert actions[0, :, 0].tolist() == [3.0, 5.0, 7.0, 9.0, 10.0, 10.0]
    assert actions[0, :, 1].tolist() == [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_from_outside_of_the_range_the_range_wins() -> None:
    actions = LIMITS.enforce_(torch.full((1, 1, 2), 5.0), torch.tensor([-50.0, 50.0]))
    assert actions[0, 0].tolist() == [0.0, 1.0]


def test_candidate_zero_is_the_unperturbed_mean() -> None:
    mean = torch.tensor([[1.0, 0.1], [2.0, 0.2], [3.0, 0.3]])
    actions = draw(mean=mean, num_samples=50, horizon=3)
    assert torch.equal(actions[0], mean)
    assert not torch.equal(actions[1], mean)


def test_candidate_zero_is_the_mean_even_if_all_others_are_held() -> None:
    mean = torch.tensor([[1.0, 0.1], [2.0, 0.2]])
    actions = draw(mean=mean, num_samples=10, horizon=2, held_fraction=1.0)
    assert torch.equal(actions[0], mean)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
def test_noise_has_the_correlation_and_the_deviation_asked_for(correlation: float) -> None:
    actions = draw(
        WIDE,
        torch.zeros(8, 2),
        num_samples=20000,
        horizon=8,
        correlation=correlation,
        held_fraction=0.0,
    )
    noise = actions / STD
    assert noise.std(dim=0) == pytest.approx(torch.ones(8, 2).numpy(), abs=0.03)
    lagged = (noise[:, 1:] * noise[:, :-1]).mean(dim=0)
    assert lagged == pytest.approx(torch.full((7, 2), correlation).numpy(), abs=0.04)


def test_the_held_fraction_holds_its_action() -> None:
    held = draw(WIDE, torch.zeros(5, 2), num_samples=40, horizon=5, held_fraction=0.25)
    constant = (held == held[:, :1]).all(dim=2).all(dim=1)
    assert int(constant.sum()) == 10 + 1  # and the mean, which happens to be constant


def test_without_a_mean_the_whole_range_is_covered() -> None:
    free = Limits(LIMITS.low, LIMITS.high, torch.tensor([100.0, 100.0]))
    actions = Sampler(free, SamplingConfig(num_samples=2000, horizon=1)).sample(
        None, torch.tensor([0.01, 0.01]), torch.zeros(2), seeded()
    )
    counts = torch.histc(actions[:, 0, 0], bins=10, min=0.0, max=10.0)
    assert counts.min() > 140


def test_the_same_seed_gives_the_same_candidates() -> None:
    sampler = Sampler(LIMITS, SamplingConfig(num_samples=9))
    one, two, three = (sampler.sample(None, STD, torch.zeros(2), seeded(s)) for s in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_samples", 0),
        ("num_samples", 1.5),
        ("horizon", -1),
        ("sigma", 0.0),
        ("sigma", float("nan")),
        ("correlation", 1.0),
        ("held_fraction", 1.1),
        ("held_fraction", "half"),
    ],
)
def test_wrong_values_fail_at_construction(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        SamplingConfig(**{name: value})  # type: ignore[arg-type]
