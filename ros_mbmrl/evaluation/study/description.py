"""A study as data: what is compared, on what, how often, at what size, and what is expected."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from ros_mbmrl import __version__
from ros_mbmrl.errors import UserError, choose

FILE = "description.json"
ALL = "all"  # conditions


@dataclass(frozen=True)
class Hypothesis:
    """`better` is expected to beat `worse`, in the mean of these conditions or of all of them.

    measure: `return`, or `error` (of the K-step prediction after the update; of a method against
    itself: after against before).
    """

    better: str
    worse: str
    conditions: tuple[str, ...] = (ALL,)
    measure: str = "return"

    def __post_init__(self) -> None:
        choose("measure", self.measure, ("return", "error"))


@dataclass(frozen=True)
class Training:
    """How a model is made by Algorithm 9, at one size.

    random_runs: rollouts of random actions at first. rounds: after that, of `runs` rollouts each
    that follow the model so far. steps: control steps of a rollout. supervised_steps, meta_steps:
    of the optimiser, each time. adapt_window, predict_window: T1, T2. segments: a batch.
    """

    hidden: tuple[int, ...]
    activation: str
    random_runs: int
    rounds: int
    runs: int
    steps: int
    supervised_steps: int
    meta_steps: int
    segments: int
    adapt_window: int
    predict_window: int
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3

    def transitions(self, rounds: int) -> int:
        """Gathered with so many rounds after the random one."""
        return (self.random_runs + rounds * self.runs) * self.steps

    @property
    def curve_rounds(self) -> tuple[int, ...]:
        """After which every method is fitted and tried: half, and all of them."""
        return tuple(dict.fromkeys((-(-self.rounds // 2), self.rounds)))


@dataclass(frozen=True)
class Scale:
    """A study's size.

    train_seeds: models of each method. episodes: paired ones a condition and training seed.
    oracle: the training of the MB oracle on the one condition that it is for. model_free:
    transitions of TRPO and MAML-RL. planner: its settings. tuning_episodes: of each candidate
    setting, a validation condition. curve_episodes: a condition, after every round.
    physics: planner of those that simulate; physics_episodes: theirs.
    error_horizon: K, of prediction errors. windows: T1 = T2 of figure 48; variation_seeds: of
    figures 47 and 48; oracle_seeds: of the MB oracle. precision: of planning. device: where
    everything is computed.
    """

    training: Training
    oracle: Training
    train_seeds: int
    episodes: int
    planner: Mapping[str, Any]
    model_free: int
    physics: Mapping[str, Any]
    tuning_episodes: int = 8
    curve_episodes: int = 4
    physics_episodes: int = 10
    error_horizon: int = 8
    windows: tuple[int, ...] = (8, 16, 32)
    variation_seeds: int = 2
    oracle_seeds: int = 2
    precision: str = "float32"
    device: str = "cpu"
    first_episode: int = 1000

    def __post_init__(self) -> None:
        for name in ("train_seeds", "episodes", "model_free", "curve_episodes", "tuning_episodes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.first_episode < 0:
            raise ValueError(f"first_episode: expected at least 0, got {self.first_episode}")


@dataclass(frozen=True)
class Study:
    """Every method on every condition, seed by seed.

    methods: in the order of tables. conditions: of the test. vary_window: whether figure 48
    is made; forces: of figure 47 [N]; both of the method `varied` alone.
    """

    name: str
    title: str
    robot: str
    task: str
    methods: tuple[str, ...]
    conditions: tuple[str, ...]
    hypotheses: tuple[Hypothesis, ...]
    scales: Mapping[str, Scale]
    vary_window: bool = False
    forces: tuple[float, ...] = ()
    varied: str = "grbal"

    def __post_init__(self) -> None:
        unknown: set[str] = set()
        for hypothesis in self.hypotheses:
            unknown |= set(hypothesis.conditions) - {*self.conditions, ALL}
            unknown |= {hypothesis.better, hypothesis.worse} - set(self.methods)
        if unknown:
            raise ValueError(f"{self.name}: neither condition nor method: {sorted(unknown)[0]}")

    def at(self, scale: str) -> Scale:
        """The study's size by name. Raises UserError."""
        choose("scale", scale, self.scales)
        return self.scales[scale]


def describe(study: Study, scale: Scale, methods: Sequence[str]) -> dict[str, Any]:
    """All that decides the study's outcome, as plain data."""
    facts = {f.name: getattr(study, f.name) for f in fields(study) if f.name != "scales"}
    plain = _plain({**facts, "methods": tuple(methods), "scale": scale})
    assert isinstance(plain, dict)
    return plain


def keep(folder: Path, description: Mapping[str, Any], kind: str = "study") -> None:
    """Writes the description into `folder`, or holds it against the one there.

    Raises UserError with the first difference: half a table of one study and half of another
    would look like a whole one. kind: of what is described.
    """
    path, wanted = folder / FILE, _plain(description)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(json.dumps(wanted, indent=1))
            return
        known = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(known, dict):
        raise UserError(f"{path}: expected the description of a {kind}")
    if difference := first_difference(known, wanted):
        raise UserError(
            f"{folder} holds another {kind}: {difference}; expected the same description, "
            "or another folder (--out)"
        )


def first_difference(known: Any, wanted: Any, name: str = "") -> str:
    """Where two descriptions differ first, and how; empty if nowhere."""
    if isinstance(known, dict) and isinstance(wanted, dict):
        for key in sorted(known.keys() | wanted.keys()):
            inner = f"{name}.{key}" if name else str(key)
            if key not in known or key not in wanted:
                return f"{inner} is only in {'the command' if key in wanted else 'the folder'}"
            if found := first_difference(known[key], wanted[key], inner):
                return found
        return ""
    return "" if known == wanted else f"{name} was {known}, now {wanted}"


def key_of(*facts: Any) -> str:
    """Hash of all that decides a job's outcome."""
    text = json.dumps([__version__, _plain(facts)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _plain(value: Any) -> Any:
    """As JSON reads it back."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain({f.name: getattr(value, f.name) for f in fields(value)})
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value
