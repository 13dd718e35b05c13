"""Settings of M3PO by `mbmrl train`'s words, and what is refused."""

from __future__ import annotations

import pytest

from ros_mbmrl.learning.policies.m3po import M2PO, M3PO
from ros_mbmrl.learning.policies.m3po_config import M3POConfig


def test_settings_come_as_a_recipe_says_them() -> None:
    config = M3PO.configured(3, {"length": 2, "anneal": [10.0, 20.0], "fit": {"steps": 7}})
    assert (config.length, config.anneal, config.fit.steps, config.seed) == (2, (10.0, 20.0), 7, 3)
    assert config.share(15) == 0.5
    assert config.soft.hidden == config.model_hidden == (400, 400)
    assert len(M2PO.configured(0, {}).model_hidden) == 4


def test_a_smaller_share_at_first_falls_to_nothing() -> None:
    config = M3POConfig(beta=0.8, anneal=(0.0, 2.0))
    assert [config.share(epoch) for epoch in range(4)] == pytest.approx([0.8, 0.4, 0.0, 0.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 0}, "k of at least 1"),
        ({"beta": 2.0}, "beta: expected a share"),
        ({"anneal": [3.0]}, "two rising epochs"),
        ({"heads": 1}, "2 heads or more"),
        ({"rollouts": 0}, "1 or more"),
    ],
)
def test_bad_settings(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        M3PO.configured(0, settings)
