"""Model folders: `model.safetensors` (weights, normalisation) and `card.yaml` (all other facts)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ros_mbmrl import __version__
from ros_mbmrl.dynamics.card import CARD, WEIGHTS, check_card, facts_of, read_card, write_card
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.value import ValueFunction, value_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.gaussian import new_head
from ros_mbmrl.networks.groups import VARIANCE, group_of, place
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import unconditioned
from ros_mbmrl.robots.spec import Robot

LONGEST = 10_000  # largest window [transitions]
NORMALIZER = ("input_mean", "input_std", "change_mean", "change_std")


@dataclass(frozen=True)
class LoadedModel:
    """A model as it was loaded from its folder, with a value function if there is one."""

    model: DynamicsModel
    parameters: Parameters
    card: Mapping[str, Any]
    value: ValueFunction | None = None

    @property
    def method(self) -> str:
        """Return the method that the model was trained for."""
        return str(self.card["method"])

    def to(self, device: torch.device, precision: torch.dtype) -> LoadedModel:
        """Return the model on `device`, with the network's matrix products in `precision`."""
        own = replace(self.model.to(device), precision=precision)
        parameters = {name: value.to(device) for name, value in self.parameters.items()}
        return LoadedModel(own, parameters, self.card, self.value and self.value.to(device))


def save_model(
    folder: Path,
    model: DynamicsModel,
    parameters: Parameters,
    facts: Mapping[str, Any],
    value: ValueFunction | None = None,
) -> None:
    """Write a model folder.

    Args:
        folder: to write; existing files are replaced.
        model: its network and normalisation are stored.
        parameters: of the network and of the update rule.
        facts: for the card: method, options, windows, data and scores.
        value: of the robot's states, for plans to end with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"normalizer/{name}": getattr(model.normalizer, name) for name in NORMALIZER}
    tensors |= tensor_file.flatten("parameters", parameters)
    if value is not None:
        tensors |= tensor_file.flatten("value", value.tensors())
    tensor_file.save(folder / WEIGHTS, tensors, {"robot": model.robot.spec.name})
    card = {
        **interface(model.robot),
        "network": _network_facts(model.mlp),
        "clip": model.normalizer.clip,
        **({} if value is None else {"value": value.facts}),
        "code_version": __version__,
        **facts_of(facts.get("method")),
        **facts,
        "weights_sha256": sha256_of(folder / WEIGHTS),
    }
    write_card(folder, card)


def load_model(folder: Path, robot: Robot) -> LoadedModel:
    """Read a model folder. Raises UserError if it is incomplete or made for another robot."""
    card = read_card(folder)
    check_card(folder, card)
    robot = robot.as_modelled(card.get("features") or ())
    check_interface(folder, card, robot)
    tensors, _ = tensor_file.load(folder / WEIGHTS)
    check_weights(folder, card)
    try:
        mlp = _network(card["network"])
        statistics = {name: tensors[f"normalizer/{name}"] for name in NORMALIZER}
        normalizer = Normalizer(clip=float(card["clip"]), **statistics)
        parameters = tensor_file.unflatten("parameters", tensors)
        for name in parameters:
            place(name)  # an unknown group would be taken for something that it is not
        _check_shapes(folder, robot, mlp, tensors)
        value = None
        if "value" in card:
            own = tensor_file.unflatten("value", tensors)
            value = value_of(unconditioned(robot), card["value"], own)
        if card["method"] is None or not 1 <= card["adapt_window"] <= LONGEST:
            raise UserError(
                f"{folder}: method or adapt_window (1 to {LONGEST}) missing from the card"
            )
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{folder}: incomplete model ({error!r})") from None
    if not all(bool(torch.isfinite(value).all()) for value in tensors.values()):
        raise UserError(f"{folder}: the weights hold non-finite numbers")
    for name, bound in parameters.items():
        highest = group_of(name) is VARIANCE and name.endswith(".high")
        if highest and not bound.exp().isfinite().all():
            raise UserError(f"{folder}: {name} allows a variance that is not finite")
    return LoadedModel(DynamicsModel(robot, mlp, normalizer), parameters, card, value)


def _network_facts(mlp: MLP) -> dict[str, Any]:
    """Return what the card says of the network."""
    facts: dict[str, Any] = {"sizes": list(mlp.sizes), "activation": mlp.activation}
    if isinstance(mlp, Ensemble):
        facts["members"] = mlp.members
        if mlp.gaussian:
            facts["head"] = mlp.head
        if mlp.elites:
            facts["elites"] = list(mlp.elites)
    return facts


def _network(facts: Mapping[str, Any]) -> MLP:
    """Return the network that a card describes. Raises ValueError, KeyError or TypeError."""
    sizes, activation = tuple(facts["sizes"]), facts["activation"]
    if "members" in facts:
        elites = tuple(int(number) for number in facts.get("elites", ()))
        own = int(facts["members"]), str(facts.get("head", "mse")), elites
        return Ensemble(sizes, activation, *own)
    return MLP(sizes, activation)


def check_weights(folder: Path, card: Mapping[str, Any], weights: str = WEIGHTS) -> None:
    """Raise UserError unless the card was written for these weights."""
    # Cards from before 0.1 have no hash.
    if card.get("weights_sha256", digest := sha256_of(folder / weights)) != digest:
        raise UserError(f"{folder}: {weights} is not what {CARD} was written for: its hash differs")


def sha256_of(path: Path) -> str:
    """Return the hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def interface(robot: Robot, inputs: Sequence[str] | None = None) -> dict[str, Any]:
    """Return the part of a card that describes the robot of the weights.

    inputs: of a policy; those of a model if none are given.
    """
    spec = robot.spec
    return {
        "robot": spec.name,
        "period": spec.period,
        "state": [f"{q.name} [{q.unit}]" for q in spec.state],
        "action": [f"{q.name} [{q.unit}]" for q in spec.action],
        "features": list(spec.features if inputs is None else inputs),
        "changes": [f"{q.name} [{q.unit}]" for q in spec.changes],
    }


def _check_shapes(folder: Path, robot: Robot, mlp: MLP, tensors: Mapping[str, Tensor]) -> None:
    """Raise UserError unless the tensors of a prediction have the shapes of card and robot."""
    spec = robot.spec
    inputs, changes = len(spec.features) + len(spec.action), len(spec.changes)
    expected: dict[str, tuple[int, ...]] = {}
    expected |= {f"normalizer/{name}": (inputs,) for name in NORMALIZER[:2]}
    expected |= {f"normalizer/{name}": (changes,) for name in NORMALIZER[2:]}
    sizes = (inputs, *mlp.sizes[1:-1], changes)
    members = range(mlp.members) if isinstance(mlp, Ensemble) else None
    for whose in [""] if members is None else [f"member.{n}." for n in members]:
        for k, shape in enumerate(pairwise(sizes)):
            at = f"parameters/{whose}"
            expected |= {f"{at}w{k}": shape, f"{at}b{k}": shape[1:]}
        if isinstance(mlp, Ensemble) and mlp.gaussian:
            head = VARIANCE.named(new_head(*sizes[-2:]))
            expected |= {f"{at}{name}": tuple(value.shape) for name, value in head.items()}
    for name, wanted in expected.items():
        got = tuple(tensors[name].shape)
        if got != wanted:
            raise UserError(f"{folder}: {name} has shape {got}, expected {wanted}")


def check_interface(
    folder: Path, card: Mapping[str, Any], robot: Robot, inputs: Sequence[str] | None = None
) -> None:
    """Refuse a card that does not match the robot, by the name of the first difference."""
    for key, expected in interface(robot, inputs).items():
        got = card.get(key)
        if got == expected:
            continue
        if isinstance(expected, list) and isinstance(got, list):
            pairs = enumerate(zip_longest(expected, got, fillvalue="nothing"))
            index, (want, have) = next((i, p) for i, p in pairs if p[0] != p[1])
            raise UserError(
                f"{folder}: made for another robot: {key} {index} is '{have}', expected '{want}'"
            )
        raise UserError(f"{folder}: made for another robot: {key} {got!r}, expected {expected!r}")
