"""Early stopping of the model by a moving average of its validation loss: thesis, section 8.2.

Training stops if the loss after an epoch is above the exponentially moving average of those before
it (section 8.4.4). New data reset the average and start training again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EarlyStopping:
    """State of the criterion, a value.

    Args:
        weight: of the average so far when a loss is added, from 0 to below 1. Low values follow the
            last loss, and stop sooner.
        average: of the losses since the last reset; None: no loss yet.
        stopped: whether training is to wait for new data.
    """

    weight: float
    average: float | None = None
    stopped: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.weight < 1:
            raise ValueError(f"ema_weight: expected from 0 to below 1, got {self.weight}")

    def after(self, loss: float) -> EarlyStopping:
        """Return the state after an epoch with this validation loss."""
        if self.average is None:
            return EarlyStopping(self.weight, loss)
        average = self.weight * self.average + (1 - self.weight) * loss
        return EarlyStopping(self.weight, average, loss > self.average)

    def reset(self) -> EarlyStopping:
        """Return the state when new data are there."""
        return EarlyStopping(self.weight)
