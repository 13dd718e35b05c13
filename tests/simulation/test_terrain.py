import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.calibration import calibrated, make_terrain
from ros_mbmrl.simulation.terrain import NAMES, Terrain


def test_the_four_real_ones_and_a_plain_one() -> None:
    assert set(NAMES) == {"carpet", "gravel", "plain", "styrofoam", "turf"}
    assert set(calibrated().terrains) == set(NAMES) - {"plain"}


def test_an_unknown_terrain_lists_the_known() -> None:
    with pytest.raises(UserError, match="unknown terrain 'ice': expected one of carpet, "):
        make_terrain("ice")


def test_wrong_values_fail_at_construction() -> None:
    with pytest.raises(ValueError, match="friction: expected above 0, got 0"):
        Terrain("ice", friction=0)
    with pytest.raises(ValueError, match="roughness: expected 0 or more"):
        Terrain("hole", roughness=-0.01)


def test_bumps_fill_their_range_and_are_smooth() -> None:
    heights = Terrain("x", roughness=0.01, grain=0.04).heights(128, 0.02, np.random.default_rng(0))
    assert heights.shape == (128, 128)
    assert 0.0 <= heights.min() < 0.15
    assert 0.85 < heights.max() <= 1.0
    assert np.abs(np.diff(heights, axis=0)).mean() < 0.6 * np.abs(heights - 0.5).mean() * 2
