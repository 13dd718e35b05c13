"""Policy folders: `policy.safetensors` (weights, normalisation) and `card.yaml` (the rest)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ros_mbmrl import __version__
from ros_mbmrl.dynamics.card import POLICY, check_card, facts_of, read_card, write_card
from ros_mbmrl.dynamics.files import (
    check_interface,
    check_weights,
    interface,
    sha256_of,
)
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Discounts
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy as it came from its folder; inner: how it adapts to a task, if it does.

    baselines: what the advantages of each inner step are counted from.
    """

    policy: GaussianPolicy
    parameters: Parameters
    card: Mapping[str, Any]
    inner: InnerConfig | None = None
    baselines: tuple[LinearBaseline, ...] = ()


def save_policy(
    folder: Path,
    robot: Robot,
    trained: TrainedPolicy,
    facts: Mapping[str, Any],
    inner: InnerConfig | None = None,
) -> None:
    """Writes a policy folder. `facts` holds at least the method. inner: of one that adapts."""
    folder.mkdir(parents=True, exist_ok=True)
    policy = trained.policy
    tensors = tensor_file.flatten("parameters", trained.parameters)
    tensors |= {"normalizer/mean": policy.mean, "normalizer/std": policy.std}
    tensors |= {f"baseline/{k}": each.weights for k, each in enumerate(trained.baselines)}
    tensor_file.save(folder / POLICY, tensors, {"robot": robot.spec.name})
    card = {
        **interface(robot, robot.observed),
        "network": {"sizes": list(policy.mlp.sizes), "activation": policy.mlp.activation},
        "clip": policy.clip,
        "code_version": __version__,
        "inner": None if inner is None else asdict(inner),
        "acts": _acts(trained, inner),
        **facts_of(facts.get("method")),
        **facts,
        "curve": [asdict(point) for point in trained.curve],
        "weights_sha256": sha256_of(folder / POLICY),
    }
    write_card(folder, card)


def _acts(trained: TrainedPolicy, inner: InnerConfig | None) -> str:
    """Return how the folder's parameters act, for the card."""
    if inner is not None:
        return "after_practice"
    return "before_update" if trained.before_update else "as_trained"


def load_policy(folder: Path, robot: Robot) -> LoadedPolicy:
    """Reads a policy folder. Raises UserError if it is incomplete or made for another robot."""
    card = read_card(folder, POLICY)
    check_card(folder, card)
    check_interface(folder, card, robot, robot.observed)
    check_weights(folder, card, POLICY)
    tensors, _ = tensor_file.load(folder / POLICY)
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise UserError(f"{folder}: the weights hold non-finite numbers")
    try:
        mlp = MLP(tuple(card["network"]["sizes"]), card["network"]["activation"])
        _check_shapes(robot, mlp, tensors)
        parts = tensors["normalizer/mean"], tensors["normalizer/std"]
        policy = GaussianPolicy(mlp, *parts, clip=float(card["clip"]))
        inner = _inner(card["inner"])
        steps = 0 if inner is None else inner.steps
        baselines = tuple(LinearBaseline(tensors[f"baseline/{k}"]) for k in range(steps))
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder}: not a complete policy ({error!r})") from None
    parameters = tensor_file.unflatten("parameters", tensors)
    return LoadedPolicy(policy, parameters, card, inner, baselines)


def _inner(settings: Any) -> InnerConfig | None:
    if settings is None:
        return None
    return InnerConfig(**{**settings, "discounts": Discounts(**settings["discounts"])})


def _check_shapes(robot: Robot, mlp: MLP, tensors: Mapping[str, Any]) -> None:
    actions = len(robot.spec.action)
    # Beside its features a policy may see a goal, whose size the robot does not say.
    if mlp.sizes[0] < len(robot.observed) or mlp.sizes[-1] != actions:
        raise ValueError(f"network: sizes {mlp.sizes} do not fit the robot")
    expected: dict[str, tuple[int, ...]] = {"parameters/log_std": (actions,)}
    for k, shape in enumerate(pairwise(mlp.sizes)):
        expected |= {f"parameters/w{k}": shape, f"parameters/b{k}": shape[1:]}
    for name, wanted in expected.items():
        if (got := tuple(tensors[name].shape)) != wanted:
            raise ValueError(f"{name}: expected shape {wanted}, got {got}")
