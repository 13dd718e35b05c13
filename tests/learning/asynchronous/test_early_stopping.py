"""The moving average of the validation loss, by hand."""

from __future__ import annotations

import pytest

from ros_mbmrl.learning.asynchronous.early_stopping import EarlyStopping


def test_it_stops_when_the_loss_is_above_the_average_so_far() -> None:
    state = EarlyStopping(0.5).after(4.0)
    assert (state.average, state.stopped) == (4.0, False)
    state = state.after(2.0)  # 0.5 * 4 + 0.5 * 2
    assert (state.average, state.stopped) == (3.0, False)
    state = state.after(2.5)  # above the loss before, below the average
    assert (state.average, state.stopped) == (2.75, False)
    state = state.after(2.8)
    assert state.stopped
    assert state.reset() == EarlyStopping(0.5)


def test_low_weights_stop_sooner() -> None:
    losses = [4.0, 2.0, 2.5]

    def stopped(weight: float) -> bool:
        state = EarlyStopping(weight)
        for loss in losses:
            state = state.after(loss)
        return state.stopped

    assert stopped(0.0) and not stopped(0.9)


@pytest.mark.parametrize("weight", [-0.1, 1.0])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="ema_weight: expected from 0 to below 1"):
        EarlyStopping(weight)
