"""`bench imagine`: what is measured is what ME-TRPO does, and the products are counted by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("mujoco")

from torch import Generator

from ros_mbmrl.bench import imagine
from ros_mbmrl.bench.imagine import QUICK, Config, imagining
from ros_mbmrl.bench.products import products_of
from ros_mbmrl.policies.imagined import ImaginedEpisodes


def test_the_products_are_those_of_policy_and_models() -> None:
    """6 episodes of 20 steps: 17 x 32, 32 x 32, 32 x 6 of the policy; 5 members with 2 rows each.

    Each member has 18 observed features without x, of 6 joints and a pitch, and 6 commands.
    """
    products = products_of(imagining(QUICK, Generator().manual_seed(0)))
    assert len(products) == 20 * (3 + 2)
    model = [each for each in products if each.batch == 5]
    assert {(each.n, each.k, each.m) for each in model} == {(2, 24, 16), (2, 16, 18)}
    assert {(each.n, each.k) for each in products if each.batch == 1} == {(6, 17), (6, 32)}


def test_episodes_are_whole() -> None:
    episodes = imagining(QUICK, Generator().manual_seed(0))()
    assert isinstance(episodes, ImaginedEpisodes)
    assert episodes.states.shape == (1, 6, 21, 18) and episodes.rewards.isfinite().all()


def test_figures_agree_with_the_times() -> None:
    results = imagine.run(QUICK).results
    assert results["over_products"] > 1.0
    milliseconds = results["medians_ms"]["imagination"]
    assert results["steps_per_s"] == pytest.approx(120 / milliseconds * 1e3)
    assert results["steps_per_s"] < results["floor_steps_per_s"]
    assert set(results["peak_memory_mb"]) == {"imagination", "me_trpo"}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="samples: expected an integer of at least 1"):
        Config(samples=0)
