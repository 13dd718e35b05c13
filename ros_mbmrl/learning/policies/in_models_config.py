"""Settings of every policy that learns in models: real data, models, imagined episodes."""

from __future__ import annotations

from dataclasses import dataclass

from ros_mbmrl.learning.models.config import TrainConfig

INITIAL, VISITED = "initial", "visited"
STARTS = (INITIAL, VISITED)
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
class InModelsConfig:
    """Settings that all methods that learn in models have.

    method: its name. budget: real transitions in all, `episodes` of `horizon` an iteration. rows:
    imagined episodes of an update, as long as real ones. starts: where they begin: `initial`, as
    real episodes did, or `visited`, anywhere where one was. hidden, log_std: of the policy. tests:
    real episodes without noise after each iteration, for the curve alone. held_out: share of the
    rollouts that choose the models. model_bias: b_max of section 5.5.3, which makes the models
    wrong on purpose (`BiasedImagination`); None: models as they were fitted. model: of the fits.
    """

    method: str
    budget: int = 60_000
    episodes: int = 30
    horizon: int = 100
    rows: int = 50
    starts: str = INITIAL
    hidden: tuple[int, ...] = (32, 32)
    log_std: float = 0.0
    tests: int = 8
    held_out: float = 1 / 3
    model_bias: float | None = None
    model: TrainConfig = MODEL
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (self.budget, self.horizon, self.rows, self.tests)
        if min(counts) < 1 or self.episodes < 2:
            raise ValueError("expected budget, horizon, rows, tests above 0, episodes above 1")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out: expected a share between 0 and 1, got {self.held_out}")
        if self.model_bias is not None and not self.model_bias >= 0:
            raise ValueError(f"model_bias: expected at least 0, or none, got {self.model_bias}")
        check_choice("starts", self.starts, STARTS)
        if self.model.method != "mb":
            raise ValueError(f"model: expected method mb, got {self.model.method}")

    @property
    def batch(self) -> int:
        """Return the real transitions of one iteration."""
        return self.episodes * self.horizon


def check_choice(name: str, got: str, known: tuple[str, ...]) -> None:
    """Raise ValueError for a setting that is not one of those known."""
    if got not in known:
        raise ValueError(f"{name}: expected one of {', '.join(known)}, got {got!r}")
