"""Settings of the asynchronous framework, beside those of the method."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ros_mbmrl.learning.asynchronous.early_stopping import EarlyStopping
from ros_mbmrl.learning.asynchronous.servers import KEEP
from ros_mbmrl.learning.models.config import TrainConfig


@dataclass(frozen=True)
class AsynchronousConfig:
    """Settings of servers and workers.

    Args:
        trajectories: number at which the run ends; 0: as many as the method's budget has room for.
        steps: control steps of a trajectory; 0: the method's horizon.
        buffer: transitions that the model is fitted to; older trajectories leave it first.
        ema_weight: of the moving average of the validation loss, see `EarlyStopping`.
        held_out: share of the trajectories that the validation loss is computed on.
        pace: speed of data collection: 1 is real time, 2 twice as fast, 0 as fast as it computes.
        keep: versions of models and policies that are kept.
        poll: pause of a worker that has nothing to do [s].
    """

    trajectories: int = 0
    steps: int = 0
    buffer: int = 100_000
    ema_weight: float = 0.9
    held_out: float = 0.2
    pace: float = 1.0
    keep: int = KEEP
    poll: float = 0.05

    def __post_init__(self) -> None:
        if min(self.trajectories, self.steps) < 0 or self.keep < 2 or self.buffer < 1:
            raise ValueError(
                "expected trajectories, steps of at least 0, keep of at least 2, buffer of at "
                "least 1"
            )
        if not 0 < self.held_out <= 0.5:
            raise ValueError(f"held_out: expected above 0 and up to 0.5, got {self.held_out}")
        if not 0 <= self.pace < math.inf or not 0 < self.poll < math.inf:
            raise ValueError("expected pace of at least 0 and poll above 0")
        EarlyStopping(self.ema_weight)

    @property
    def every(self) -> int:
        """Return how many trajectories there are for each that is held out."""
        return round(1 / self.held_out)

    def held(self, number: int) -> bool:
        """Return whether a trajectory is held out: the second one, and one of `every` after it."""
        return number % self.every == 1

    def check_buffer(self, model: TrainConfig, steps: int) -> None:
        """Refuse a buffer that is smaller than a batch, or holds nothing to validate on.

        Args:
            model: settings of the fit.
            steps: control steps of a trajectory.

        Raises:
            ValueError: the buffer is too small.
        """
        window = max(model.adapt_windows) + model.predict_window
        batch = model.rows if model.members > 1 else model.batch * window
        least = max(batch, self.every * steps)
        if self.buffer < least:
            raise ValueError(
                f"buffer: expected at least {least} transitions (a batch has {batch}, and one of "
                f"{self.every} trajectories of {steps} is held out), got {self.buffer}"
            )
