"""The encoder of an amortised policy in its folder: what the card says, and the tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from torch import Generator, Tensor

from ros_mbmrl.dynamics.files import NORMALIZER
from ros_mbmrl.dynamics.latent.base import Code
from ros_mbmrl.dynamics.latent.encoders import Encoder
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.amortised import Latent
from ros_mbmrl.robots.spec import Robot

ENCODERS: Mapping[str, type[Encoder]] = MappingProxyType(
    {"gssm": GSSM, "mlsm_v0": MLSM0, "mlsm_v1": MLSM1}
)
PARAMETERS, STATISTICS, PRIOR = "latent", "latent_normalizer", "latent_prior"  # of tensors


def told(latent: Latent) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return what a card says of an encoder, and its tensors.

    Raises:
        ValueError: a model that is no `LatentModel`.
    """
    model = latent.model
    if not isinstance(model, LatentModel):
        raise ValueError(f"latent: expected a LatentModel, got a {type(model).__name__}")
    (kind,) = (name for name, each in ENCODERS.items() if type(model.encoder) is each)
    card = {
        "kind": kind,
        "encoder": asdict(model.encoder),
        "sizes": list(model.mlp.sizes),
        "activation": model.mlp.activation,
        "length": latent.length,
        "every": latent.every,
    }
    tensors = tensor_file.flatten(PARAMETERS, latent.parameters)
    statistics = {name: getattr(model.normalizer, name) for name in NORMALIZER}
    tensors |= tensor_file.flatten(STATISTICS, statistics)
    return card, tensors | tensor_file.flatten(PRIOR, latent.prior._asdict())


def read(robot: Robot, card: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Latent:
    """Return the encoder that `told` told of.

    Raises:
        KeyError, TypeError, ValueError: it is not complete, or a part has another shape.
    """
    encoder = ENCODERS[card["kind"]](**card["encoder"])
    mlp = MLP(tuple(card["sizes"]), card["activation"])
    statistics = tensor_file.unflatten(STATISTICS, tensors)
    known = {name: statistics[name] for name in NORMALIZER}
    model = LatentModel(robot, encoder, mlp, Normalizer(**known))  # type: ignore[arg-type]
    parameters = tensor_file.unflatten(PARAMETERS, tensors)
    for name, value in model.init(Generator()).items():
        if parameters[name].shape != value.shape:
            expected, got = tuple(value.shape), tuple(parameters[name].shape)
            raise ValueError(f"latent {name}: expected shape {expected}, got {got}")
    prior = Code(**tensor_file.unflatten(PRIOR, tensors))
    return Latent(model, parameters, prior, int(card["length"]), int(card["every"]))
