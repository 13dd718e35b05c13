"""Settings of ME-TRPO and of what it grew from; see `me_trpo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ros_mbmrl.dynamics.imagination import SCHEMES, STEP_RAND
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.policies.steps import StepConfig
from ros_mbmrl.learning.policies.validation import ValidationConfig

# The step of each method: those in an ensemble, and those in one model.
ENSEMBLE: Mapping[str, str] = MappingProxyType({"me_trpo": "trpo", "me_ppo": "ppo"})
ONE_MODEL: Mapping[str, str] = MappingProxyType(
    {"bptt": "bptt", "one_model_vpg": "vpg", "one_model_trpo": "trpo"}
)
INITIAL, VISITED = "initial", "visited"
MODEL = TrainConfig(
    method="mb",
    hidden=(200, 200),
    members=5,
    adapt_windows=(4,),
    predict_window=8,
    supervised_steps=1000,
    meta_steps=0,
    weight_decay=1e-4,
    validate_every=100,
    patience=3,
)


@dataclass(frozen=True)
class MEConfig:
    """Settings of Algorithms 1 and 2; the sizes of A.1 but for the model, which fits two cores.

    method: see the module. budget: real transitions in all, `episodes` of `horizon` an iteration.
    largest_std, parameter_noise: of the real episodes, see `exploring`. rows: imagined episodes of
    an update, as long as real ones. scheme: how members move them, see `Imagination`. starts: where
    they begin: `initial`, as real episodes did, or `visited`, anywhere where one was. hidden,
    log_std: of the policy. tests: real episodes without noise after each iteration, for the curve
    alone. model: of the fits. step, validation: of the policy.
    """

    method: str = "me_trpo"
    budget: int = 60_000
    episodes: int = 30
    horizon: int = 100
    largest_std: float = 3.0
    parameter_noise: float = 1.0
    rows: int = 50
    scheme: str = STEP_RAND
    starts: str = INITIAL
    hidden: tuple[int, ...] = (32, 32)
    log_std: float = 0.0
    tests: int = 8
    model: TrainConfig = MODEL
    step: StepConfig = field(default_factory=StepConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.budget, self.horizon, self.rows, self.tests)
        if min(counts) < 1 or self.episodes < 2:
            raise ValueError("expected budget, horizon, rows, tests above 0, episodes above 1")
        if self.largest_std < 0 or self.parameter_noise < 0:
            raise ValueError("largest_std, parameter_noise: expected at least 0")
        for name, known in (
            ("method", (*ENSEMBLE, *ONE_MODEL)),
            ("scheme", SCHEMES),
            ("starts", (INITIAL, VISITED)),
        ):
            if (got := getattr(self, name)) not in known:
                raise ValueError(f"{name}: expected one of {', '.join(known)}, got {got!r}")
        if self.model.method != "mb":
            raise ValueError(f"model: expected method mb, got {self.model.method}")
        members = self.model.members
        if self.method in ENSEMBLE and members < 2:
            raise ValueError(
                "model.members: expected at least 2, of which eq. 5 takes a ratio (with one model: "
                f"{', '.join(ONE_MODEL)}), got {members}"
            )
        if self.method in ONE_MODEL and members != 1:
            raise ValueError(f"model.members: expected 1 for {self.method}, got {members}")

    @property
    def batch(self) -> int:
        """Return the real transitions of one iteration."""
        return self.episodes * self.horizon


def config_of(method: str, seed: int = 0) -> MEConfig:
    """Return the settings of a method where nothing else is said."""
    if method in ENSEMBLE:
        return MEConfig(method, seed=seed)
    return MEConfig(method, model=replace(MODEL, members=1), seed=seed)
