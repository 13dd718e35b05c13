"""No adaptation: whatever the window says, the model stays."""

from __future__ import annotations

import torch

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.networks.mlp import MLP


def test_no_window_changes_the_model() -> None:
    mlp, g = MLP((3, 8, 2)), torch.Generator().manual_seed(0)
    parameters = mlp.init(g)
    x, y = torch.randn(4, 6, 3, generator=g), 100 * torch.randn(4, 6, 2, generator=g)
    support = Support(x, y, torch.ones(4, 6, 1), torch.ones(2))
    update = Prior().update(mlp, parameters, support)
    assert update.changes_nothing
    adapted = mlp.forward_updated(parameters, update, x).outputs
    torch.testing.assert_close(adapted, mlp.forward(parameters, x))


def test_it_has_nothing_to_learn_and_nothing_to_judge() -> None:
    mlp = MLP((3, 8, 2))
    rule = Prior()
    assert rule.init(mlp, {}, torch.Generator()) == {}
    assert not rule.meta_trained and not rule.adapts
    assert rule.training_rule is rule
