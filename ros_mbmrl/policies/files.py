"""Policy folders: `policy.safetensors` (weights, normalisation) and `card.yaml` (the rest)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Generator

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
from ros_mbmrl.networks.history import ContextEncoder, Encoder, Histories
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.posterior import PosteriorEncoder
from ros_mbmrl.policies import latent_files
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.amortised import Latent, ThompsonMemory
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.mlp_policy import MLPPolicy
from ros_mbmrl.policies.radial import RadialPolicy
from ros_mbmrl.policies.remembering import Memory, Remembering
from ros_mbmrl.policies.sampling import Discounts
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.policies.with_history import HistoryPolicy
from ros_mbmrl.robots.spec import Robot, RobotSpec

GAUSSIAN, HISTORY, RADIAL = "gaussian", "history", "radial"
KINDS: Mapping[type[MLPPolicy], str] = MappingProxyType(
    {
        GaussianPolicy: GAUSSIAN,
        SquashedPolicy: "squashed",
        HistoryPolicy: HISTORY,
        RadialPolicy: RADIAL,
    }
)


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy as it came from its folder; inner: how it adapts to a task, if it does.

    baselines: what the advantages of each inner step are counted from. latent: of an amortised
    policy, what tells it its task.
    """

    policy: MLPPolicy
    parameters: Parameters
    card: Mapping[str, Any]
    inner: InnerConfig | None = None
    baselines: tuple[LinearBaseline, ...] = ()
    latent: Latent | None = None

    @property
    def inputs(self) -> int:
        """Return how many numbers the policy sees of robot and goal, without history and z."""
        history = self.policy.encoder.units if isinstance(self.policy, HistoryPolicy) else 0
        return self.policy.mlp.sizes[0] - history - (self.latent.model.size if self.latent else 0)

    def memory(self, spec: RobotSpec, generators: Sequence[Generator]) -> Memory:
        """Return what robots remember while this policy acts, one for each generator."""
        if self.latent is not None:
            return ThompsonMemory(self.latent, spec, generators)
        return Remembering(self.policy, spec, len(generators))


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
    latent: dict[str, Any] = {}
    if trained.latent is not None:
        latent["latent"], encoder = latent_files.told(trained.latent)
        tensors |= encoder
    tensors |= {f"baseline/{k}": each.weights for k, each in enumerate(trained.baselines)}
    tensor_file.save(folder / POLICY, tensors, {"robot": robot.spec.name})
    card = {
        **interface(robot, robot.observed),
        "network": {
            "kind": KINDS[type(policy)],
            "sizes": list(policy.mlp.sizes),
            "activation": policy.mlp.activation,
            **_history_told(policy),
            **latent,
        },
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
        kind = card["network"].get("kind", GAUSSIAN)
        own = _history(robot, kind, card["network"])
        _check_shapes(robot, kind, mlp, tensors, own.get("encoder"))
        parts = tensors["normalizer/mean"], tensors["normalizer/std"]
        (make,) = (each for each, name in KINDS.items() if name == kind)
        policy = make(mlp, *parts, clip=float(card["clip"]), **own)
        inner = _inner(card["inner"])
        steps = 0 if inner is None else inner.steps
        baselines = tuple(LinearBaseline(tensors[f"baseline/{k}"]) for k in range(steps))
        encoder = card["network"].get("latent")
        latent = None if encoder is None else latent_files.read(robot, encoder, tensors)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder}: not a complete policy ({error!r})") from None
    parameters = tensor_file.unflatten("parameters", tensors)
    return LoadedPolicy(policy, parameters, card, inner, baselines, latent)


def _inner(settings: Any) -> InnerConfig | None:
    if settings is None:
        return None
    return InnerConfig(**{**settings, "discounts": Discounts(**settings["discounts"])})


def _history_told(policy: MLPPolicy) -> dict[str, Any]:
    """Return what a card says of the history that a policy sees; nothing of one that sees none."""
    if not isinstance(policy, HistoryPolicy):
        return {}
    layout, encoder = policy.layout, policy.encoder
    told = {"length": layout.length, "rewards": layout.rewards, "units": encoder.units}
    hidden = list(encoder.hidden) if isinstance(encoder, PosteriorEncoder) else None
    return {"history": told if hidden is None else {**told, "posterior": hidden}}


def _history(robot: Robot, kind: str, network: Mapping[str, Any]) -> dict[str, Any]:
    """Return layout and encoder of the history that a policy sees, if its kind sees one."""
    if kind != HISTORY:
        return {}
    told = network["history"]
    sizes = len(robot.observed), len(robot.spec.action)
    layout = Histories(*sizes, int(told["length"]), bool(told["rewards"]))
    units, hidden = int(told["units"]), told.get("posterior")
    if hidden is None:
        return {"layout": layout, "encoder": Encoder(layout.width, units)}
    encoder = PosteriorEncoder(layout.width, layout.observations, units, tuple(hidden))
    return {"layout": layout, "encoder": encoder}


def _check_shapes(
    robot: Robot, kind: str, mlp: MLP, tensors: Mapping[str, Any], encoder: ContextEncoder | None
) -> None:
    actions = len(robot.spec.action)
    outputs = actions if kind in (GAUSSIAN, RADIAL) else 2 * actions
    # Beside its features a policy may see a goal, whose size the robot does not say.
    if mlp.sizes[0] < len(robot.observed) or mlp.sizes[-1] != outputs:
        raise ValueError(f"network: sizes {mlp.sizes} do not fit the robot")
    expected: dict[str, tuple[int, ...]] = {}
    if kind == GAUSSIAN:
        expected["parameters/log_std"] = (actions,)
    if encoder is not None:
        gates = encoder.init(Generator())
        expected |= {f"parameters/{name}": tuple(value.shape) for name, value in gates.items()}
    if kind == RADIAL:
        start = RadialPolicy.of(*mlp.sizes).init(Generator())
        expected |= {f"parameters/{name}": tuple(value.shape) for name, value in start.items()}
    else:
        for k, shape in enumerate(pairwise(mlp.sizes)):
            expected |= {f"parameters/w{k}": shape, f"parameters/b{k}": shape[1:]}
    for name, wanted in expected.items():
        if (got := tuple(tensors[name].shape)) != wanted:
            raise ValueError(f"{name}: expected shape {wanted}, got {got}")
