"""A crippled leg of the ant."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, TimedFault


def test_a_crippled_leg_is_another_body_from_its_second_on() -> None:
    late = Situation(faults=(TimedFault("leg_1_crippled", begin=0.5),))
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    worlds = make_simulated("ant", [Situation(), late, ill], [1, 1, 1])
    plan = np.random.default_rng(0).uniform(-1, 1, (30, 1, 8))
    for step, action in enumerate(plan):
        worlds.step(np.repeat(action, 3, axis=0))
        well, switched, crippled = worlds.states()
        assert (switched == well).all() == (step < 10)
        assert (crippled != well).any() or step == 0
    # Neither its motors nor its feet tell the two apart any more.
    worlds.set_states(np.repeat(worlds.states()[:1], 3, axis=0))
    for action in plan[:5]:
        worlds.step(np.repeat(action, 3, axis=0))
    np.testing.assert_array_equal(worlds.states()[1], worlds.states()[2])
    actions = np.random.default_rng(1).uniform(-1, 1, (3, 8))
    actions[1:] = actions[0]
    actions[2, 2:4] *= -1  # those of leg 1
    worlds.set_states(np.repeat(worlds.states()[:1], 3, axis=0))
    worlds.step(actions)
    np.testing.assert_array_equal(worlds.states()[1], worlds.states()[2])


def test_a_crippled_leg_no_longer_reaches_the_ground() -> None:
    ill = Situation(faults=(TimedFault("leg_1_crippled"),))
    worlds = make_simulated("ant", [Situation(), ill], [0, 0])
    for _ in range(80):
        worlds.step(np.zeros((2, 8)))
    _, x, y, _ = worlds.states()[:, 3:7].T
    # It leans to the front left: about (-1, 1, 0).
    assert abs(x[0]) + abs(y[0]) < 0.05
    assert y[1] - x[1] > 0.06 > y[0] - x[0]
