"""A study as data: what is compared, on what, how often, at what size, and what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.learning.sizes import Training
from ros_mbmrl.methods import origin
from ros_mbmrl.runtime.kept import plain

ALL = "all"  # conditions
USUAL = "small"  # scale


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
class Scale:
    """A study's size.

    train_seeds: models of each method. episodes: paired ones a condition and training seed.
    oracle: the training of the MB oracle on the one condition that it is for. model_free:
    transitions of TRPO and MAML-RL. controller, planner: who plans, and its settings.
    tuning_episodes: of each candidate setting, a validation condition. curve_episodes: a condition,
    after every round.
    physics: the planner's settings for those that simulate; physics_episodes: theirs.
    error_horizon: K, of prediction errors; error_stride: control steps from one to the next.
    windows: T1 = T2 of figure 48; variation_seeds: of figures 47 and 48; oracle_seeds: of the MB
    oracle. precision: of planning. device: where everything is computed.
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
    error_stride: int = 2
    windows: tuple[int, ...] = (8, 16, 32)
    variation_seeds: int = 2
    oracle_seeds: int = 2
    precision: str = "float32"
    device: str = "cpu"
    first_episode: int = 1000
    controller: str = "mppi"

    def __post_init__(self) -> None:
        counts = "train_seeds", "episodes", "model_free", "curve_episodes", "tuning_episodes"
        for name in (*counts, "error_stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.first_episode < 0:
            raise ValueError(f"first_episode: expected at least 0, got {self.first_episode}")


@dataclass(frozen=True)
class Study:
    """Every method on every condition, seed by seed.

    methods: in the order of tables. conditions: of the test. vary_window: whether figure 48
    is made; forces: of figure 47 [N]; both of the method `varied` alone. environment: the one of
    `BENCHMARKS` whose situations and rewards hold, in place of those called as the study.
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
    environment: str = ""

    def __post_init__(self) -> None:
        unknown: set[str] = set()
        for hypothesis in self.hypotheses:
            unknown |= set(hypothesis.conditions) - {*self.conditions, ALL}
            unknown |= {hypothesis.better, hypothesis.worse} - set(self.methods)
        if unknown:
            raise ValueError(f"{self.name}: neither condition nor method: {sorted(unknown)[0]}")

    @property
    def usual_scale(self) -> str:
        """Return the scale that is taken where none is named: small, or else the largest."""
        return USUAL if USUAL in self.scales else tuple(self.scales)[-1]

    def at(self, scale: str) -> Scale:
        """The study's size by name. Raises UserError."""
        choose("scale", scale, self.scales)
        return self.scales[scale]


def describe(study: Study, scale: Scale, methods: Sequence[str]) -> dict[str, Any]:
    """Return all that decides the study's outcome, as plain data.

    Of a method of another package its version counts, too.
    """
    facts = {f.name: getattr(study, f.name) for f in fields(study) if f.name != "scales"}
    facts |= {"methods": tuple(methods), "scale": scale}
    if origins := {name: origin(name) for name in methods if origin(name)}:
        facts["origins"] = origins
    described = plain(facts)
    assert isinstance(described, dict)
    return described
