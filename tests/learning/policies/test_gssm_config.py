"""Settings that do not fit are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ros_mbmrl.learning.policies.gssm_config import METHODS, ContextualConfig


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_settings(method: str) -> None:
    config = ContextualConfig(method, METHODS[method][1], episodes=2, horizon=10)
    assert config.batch == 20 and config.kind == METHODS[method][0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"method": "gssm"}, "method"),
        ({"method": "l2a_policy", "acting": "amortised"}, "no latent variable"),
        ({"method": "m_dpilco_policy"}, "no latent variable"),
        ({"acting": "guessed"}, "acting"),
        ({"resampled": 0}, "resampled: expected at least 1"),
        ({"hidden": (50, 50)}, "basis functions"),
        ({"step_kind": "trpo"}, "step_kind"),
        ({"starts": "anywhere"}, "starts"),
        ({"imagined": -1}, "imagined"),
    ],
)
def test_wrong_values_are_refused(settings: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        ContextualConfig(**settings)


def test_a_widened_reward_is_as_it_is_after_most_of_the_budget() -> None:
    config = ContextualConfig(budget=1000, episodes=2, horizon=25, widened=5.0)
    assert [config.wider(k) for k in (0, 6, 12, 19)] == pytest.approx([5.0, 3.0, 1.0, 1.0])
    assert ContextualConfig().wider(0) == 1.0
    for wrong in (0.5, math.nan, math.inf):
        with pytest.raises(ValueError, match="widened: expected at least 1"):
            ContextualConfig(widened=wrong)
