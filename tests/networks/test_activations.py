"""Names of activations and heads: each is a function of torch, and others are refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from ros_mbmrl.networks.activations import ACTIVATIONS, HEADS
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import MLP


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_name_is_that_of_torchs_function(name: str) -> None:
    z = torch.linspace(-3, 3, 13)
    expected = getattr(torch.nn.functional, name)(z)
    mlp = MLP((1, 2, 1), name)
    torch.testing.assert_close(mlp.act(z), expected)
    torch.testing.assert_close(mlp.act_(z.clone()), expected)


def test_each_head_is_one_of_an_ensemble_and_others_are_refused() -> None:
    heads = [Ensemble((1, 2, 1), "tanh", 2, head).gaussian for head in HEADS]
    assert heads == [False, True]
    with pytest.raises(ValueError, match=r"head: expected one of \('mse', 'gaussian'\), got 'mae'"):
        Ensemble((1, 2, 1), "tanh", 2, "mae")
    with pytest.raises(ValueError, match="activation: expected one of .*, got 'gelu'"):
        MLP((1, 2, 1), "gelu")


def test_the_names_are_known_without_torch() -> None:
    code = "import sys; from ros_mbmrl.networks import activations; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
