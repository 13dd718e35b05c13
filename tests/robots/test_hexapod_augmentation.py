import math

import pytest
import torch
from torch import Generator

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.hexapod_augmentation import Augmentation

ROBOT = make_robot("hexapod")


def states(count: int) -> torch.Tensor:
    """Random but consistent states (count, 24), level."""
    torch.manual_seed(0)
    rows = torch.randn(count, 24)
    rows[:, 6], rows[:, 7], rows[:, 8], rows[:, 9] = 1.0, 0.0, 1.0, 0.0
    yaw = 3 * torch.randn(count)
    rows[:, 10], rows[:, 11] = torch.cos(yaw), torch.sin(yaw)
    return rows


def with_yaw_offset(rows: torch.Tensor, offset: float) -> torch.Tensor:
    """What is measured of the same motion when the marker body is turned by `offset`."""
    turned = rows.clone()
    yaw = torch.atan2(rows[:, 11], rows[:, 10]) + offset
    turned[:, 10], turned[:, 11] = torch.cos(yaw), torch.sin(yaw)
    return turned


def test_a_turned_marker_is_what_the_maps_make_of_turned_states() -> None:
    before, after = states(8), states(9)[1:]
    actions = torch.rand(8, 1, 2)
    drawn = 0.3 * torch.randn(8, 1, generator=Generator().manual_seed(3))
    features, same, changes = Augmentation(yaw_offset=0.3)(
        ROBOT.features(before)[:, None],
        actions,
        ROBOT.difference(before, after)[:, None],
        Generator().manual_seed(3),
    )
    assert (same == actions).all()
    for k in range(8):
        offset = float(drawn[k])
        a, b = (with_yaw_offset(rows[k : k + 1], offset) for rows in (before, after))
        assert features[k, 0].tolist() == pytest.approx(ROBOT.features(a)[0].tolist(), abs=1e-5)
        expected = ROBOT.difference(a, b)[0].tolist()
        assert changes[k, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_a_tilt_is_the_same_over_a_segment_and_changes_nothing_else() -> None:
    rows = torch.randn(4, 6, 17)
    changes = torch.randn(4, 6, 18)
    features, _, same = Augmentation(tilt_offset=0.1)(
        rows, torch.rand(4, 6, 2), changes, Generator().manual_seed(0)
    )
    assert torch.allclose(same, changes)
    difference = features - rows
    assert difference[..., [3, 4]].std(dim=1).max() < 1e-6
    assert 0.02 < difference[:, 0, [3, 4]].std() < 0.3
    assert difference.abs().sum(dim=(0, 1))[[0, 1, 2, *range(5, 17)]].max() < 1e-5


def test_none_is_the_identity_and_wrong_values_are_refused() -> None:
    rows = torch.randn(2, 3, 17), torch.rand(2, 3, 2), torch.randn(2, 3, 18)
    for new, old in zip(Augmentation()(*rows, Generator()), rows, strict=True):
        assert torch.allclose(new, old)
    with pytest.raises(ValueError, match="yaw_offset, tilt_offset: expected 0 or more"):
        Augmentation(yaw_offset=-math.pi)
