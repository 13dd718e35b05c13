import numpy as np
import pytest

from ros_mbmrl.simulation.payload import BOX_FRICTION, HITCH, Payload

FLAT = np.eye(3)


def test_a_slack_rope_pulls_nothing() -> None:
    payload = Payload()
    payload.pull(np.zeros(3), FLAT, 0.015)
    force, torque = payload.pull(np.array([-0.01, 0.0, 0.0]), FLAT, 0.015)
    assert not force.any()
    assert not torque.any()


def test_a_taut_rope_pulls_backwards_with_the_friction_of_the_box() -> None:
    payload = Payload()
    payload.pull(np.zeros(3), FLAT, 0.015)
    force, torque = payload.pull(np.array([0.02, 0.0, 0.0]), FLAT, 0.015)
    assert force == pytest.approx([-BOX_FRICTION * 0.015 * 9.81, 0, 0])
    assert torque == pytest.approx([0, HITCH[2] * force[0], 0])  # along the centre line: no yaw
