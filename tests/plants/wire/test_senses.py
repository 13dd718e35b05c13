import math

import numpy as np
import pytest

from ros_mbmrl.plants.poses import StampedPose
from ros_mbmrl.plants.wire.senses import Reconstruction, body_rates


def pose(time: float, roll: float = 0.0, yaw: float = 0.0, sign: int = 1) -> StampedPose:
    """Turned by `yaw` about the vertical and then by `roll` about its own x."""
    c, s, cr, sr = (f(a / 2) for a in (yaw, roll) for f in (math.cos, math.sin))
    return StampedPose(time, np.zeros(3), sign * np.array([c * cr, c * sr, s * sr, s * cr]))


@pytest.mark.parametrize("sign", [1, -1])
def test_rates_are_in_the_bodys_frame(sign: int) -> None:
    assert body_rates(pose(0, yaw=1.0), pose(0.1, yaw=1.2, sign=sign)) == pytest.approx([0, 0, 2])
    rolled = body_rates(pose(0, yaw=1.0), pose(0.1, yaw=1.0, roll=0.3, sign=sign))
    assert rolled == pytest.approx([3, 0, 0])
    assert body_rates(pose(0, yaw=1.0), pose(0.1, yaw=1.0, sign=sign)) == pytest.approx([0, 0, 0])


def test_what_the_stock_firmware_does_not_say() -> None:
    unsaid = Reconstruction(battery=3.9, back_emf=0.02, gap=0.25)
    first = unsaid.update(0.0, np.array([1.0, 2.0]), pose(0.0))
    assert not first.gyro.any() and not first.back_emf.any()
    said = unsaid.update(0.1, np.array([4.0, 3.0]), pose(0.1, yaw=0.2))
    assert said.back_emf == pytest.approx([0.6, 0.2])
    assert said.gyro == pytest.approx([0, 0, 2])
    assert said.battery == 3.9
    same = unsaid.update(0.2, np.array([4.0, 3.0]), pose(0.1, yaw=0.2))  # no newer pose
    assert same.gyro == pytest.approx([0, 0, 2])
    later = unsaid.update(1.0, np.array([9.0, 9.0]), pose(1.0, yaw=1.0))
    assert not later.gyro.any() and not later.back_emf.any()
