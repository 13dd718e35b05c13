"""Encoders of amortised policies: what is written is what is read."""

from __future__ import annotations

from typing import cast

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.latent.base import Code, Context, ContextualModel
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.amortised import Latent
from ros_mbmrl.policies.latent_files import ENCODERS, read, told
from ros_mbmrl.robots.pendulum import Pendulum

ROBOT = Pendulum()


def latent(kind: str) -> Latent:
    normalizer = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
    encoder = ENCODERS[kind](size=3, hidden=5)
    model = LatentModel(ROBOT, encoder, MLP((4, 6, 2), "silu"), normalizer)
    prior = Code(torch.ones(1, 3), 2 * torch.ones(1, 3))
    return Latent(model, model.init(Generator().manual_seed(0)), prior, 7, 9)


@pytest.mark.parametrize("kind", ENCODERS)
def test_an_encoder_comes_back_as_it_was(kind: str) -> None:
    ours = latent(kind)
    back = read(ROBOT, *told(ours))
    assert (back.length, back.every) == (7, 9)
    assert type(back.model.encoder) is ENCODERS[kind]  # type: ignore[attr-defined]
    rows = (torch.randn(2, 4, n, generator=Generator().manual_seed(n)) for n in (2, 1, 2))
    context = Context(*rows, torch.tensor([[1.0, 1, 1, 0], [0.0, 0, 0, 0]]))  # type: ignore[call-arg]
    for one, other in zip(ours.belief(context), back.belief(context), strict=True):
        assert torch.equal(one, other)
    assert ours.belief(context).mean[1].tolist() == [1.0] * 3  # nothing was seen: the prior


def test_what_does_not_fit_is_refused() -> None:
    card, tensors = told(latent("gssm"))
    with pytest.raises(ValueError, match="expected shape"):
        read(ROBOT, {**card, "sizes": [4, 8, 2]}, tensors)
    other = Latent(
        cast(ContextualModel, type("Other", (), {"size": 1})()), {}, Code(*torch.ones(2, 1, 1))
    )
    with pytest.raises(ValueError, match="LatentModel"):
        told(other)
