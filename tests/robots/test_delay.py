"""Which commands act when, by hand; and what a plan makes of it."""

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.delay import LONGEST, Delay, DelayMeter

SENT = [np.array([float(k), 10.0 * k]) for k in range(6)]  # the newest is [5, 50]


@pytest.mark.parametrize(
    ("seconds", "steps", "share"),
    [
        (0.0, 0, 0.0),
        (-1.0, 0, 0.0),
        (math.nan, 0, 0.0),
        (0.03, 0, 0.3),
        (0.1, 1, 0.0),
        (0.3, 3, 0.0),  # 0.3 / 0.1 is a little below 3
        (0.25, 2, 0.5),
        (9.0, LONGEST, 0.0),
    ],
)
def test_seconds_become_periods(seconds: float, steps: int, share: float) -> None:
    delay = Delay.of(seconds, 0.1)
    assert delay.steps == steps
    assert delay.share == pytest.approx(share, abs=1e-9)
    assert bool(delay) == (steps + share > 0)


def test_the_mean_of_an_interval_by_hand() -> None:
    np.testing.assert_array_equal(Delay().acting(SENT), [5.0, 50.0])
    np.testing.assert_allclose(Delay(0, 0.25).acting(SENT), [4.75, 47.5])
    np.testing.assert_allclose(Delay(2, 0.5).acting(SENT), [2.5, 25.0])
    # Before the oldest that is known there was only the like of it.
    np.testing.assert_array_equal(Delay(4, 0.5).acting(SENT[-2:]), [4.0, 40.0])


def test_what_is_committed_is_what_will_have_acted() -> None:
    """Each committed interval is the `acting` of the time when it comes."""
    for delay in (Delay(1), Delay(2, 0.25), Delay(3, 0.5)):
        committed = delay.committed(SENT)
        assert len(committed) == delay.steps
        later = list(SENT)
        for mean in committed:
            later.append(np.array([math.nan, math.nan]))  # no plan can change it any more
            np.testing.assert_allclose(mean, delay.acting(later))


def test_a_plan_s_first_interval_holds_a_share_of_the_last_command() -> None:
    actions = torch.tensor([[[1.0], [2.0], [4.0]]])
    blended = Delay(0, 0.25).blend(actions, torch.tensor([9.0]))
    torch.testing.assert_close(blended, torch.tensor([[[3.0], [1.75], [3.5]]]))
    assert Delay(2).blend(actions, torch.tensor([9.0])) is actions


def test_one_late_command_does_not_move_the_meter() -> None:
    meter = DelayMeter(window=5)
    assert meter.seconds == 0.0
    for seconds in (0.02, 0.021, math.nan, 0.019, 0.09):
        meter.add(seconds)
    assert meter.seconds == pytest.approx(0.0205)
