"""Settings of MB-MPO: the thesis's by default, and wrong ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ros_mbmrl.learning.policies.maml_rl import TrustRegionStep
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.promp import ProMPStep

MODEL = MBMPOConfig().model


def test_sizes_of_the_thesis() -> None:
    config = MBMPOConfig()
    assert (config.batch, config.episodes, config.meta_steps) == (4000, 20, 30)
    assert (config.model.members, config.model.weight_normalisation, config.held_out) == (
        *(5, True),
        0.2,
    )
    assert (config.hidden, config.region.max_kl) == ((32, 32), 0.01)
    assert (config.discounts.discount, config.discounts.decay) == (0.99, 1.0)
    assert config.rate == pytest.approx(0.001 * config.horizon)  # of a mean, not of a sum


def test_the_rows_are_shared_by_the_models_that_are_used() -> None:
    assert MBMPOConfig(rows=50).adaptation.episodes == 10
    few = MBMPOConfig(rows=50, model=replace(MODEL, members=7, elites=2))
    assert (few.tasks, few.adaptation.episodes) == (2, 25)


def test_no_rate_is_no_adaptation() -> None:
    assert MBMPOConfig(rate=0.0).adaptation.steps == 0
    assert MBMPOConfig(rate=0.3).adaptation.rate == 0.3


def test_the_outer_step_is_one_of_two() -> None:
    assert isinstance(MBMPOConfig().outer_step(), TrustRegionStep)
    assert isinstance(MBMPOConfig(outer="promp").outer_step(), ProMPStep)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": replace(MODEL, members=1, weight_normalisation=False)}, "each of which is a ta"),
        ({"rows": 52}, "rows: expected as many for each of 5 models, got 52 in all"),
        ({"outer": "ppo"}, "outer: expected one of trpo, promp, got 'ppo'"),
        ({"outer": "promp", "rate": 0.0}, "inner: expected at least 1 step"),
        ({"outer": "promp", "clip": 2.0}, "clip between 0 and 1"),
        ({"estimator": "exact"}, "estimator: expected one of likelihood_ratio"),
        ({"estimator": "e_maml", "rate": 0.0}, "estimator 'e_maml': expected at least 1 inner"),
        ({"meta_steps": 0}, "expected meta_steps, episodes_of_model from 1"),
        ({"rate": -0.1}, "rate from 0"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MBMPOConfig(**settings)  # type: ignore[arg-type]
