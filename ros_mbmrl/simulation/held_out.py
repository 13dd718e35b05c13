"""Test tasks that nobody trains on: Wang and van Hoof, sections 5.1 and 5.2, appendix D.1.

Masses of cart-pole and acrobot are drawn as those of training, by a seed that only tests have; the
factors of half-cheetah and slim humanoid lie between those of training.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from types import MappingProxyType

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.acrobot import ACROBOT
from ros_mbmrl.robots.cart_pole import CART_POLE
from ros_mbmrl.simulation.benchmarks import scaled
from ros_mbmrl.simulation.distributions import TEST_SEEDS
from ros_mbmrl.simulation.mechanisms import MECHANISMS
from ros_mbmrl.simulation.situations import Situation

SCALES = (0.85, 0.95, 1.05, 1.15)  # of masses and of damping
DRAWN: Mapping[str, int] = MappingProxyType({CART_POLE: 50, ACROBOT: 35})  # how many tasks
SCALED = ("gssm-half-cheetah", "gssm-slim-humanoid")
HELD_OUT = (*DRAWN, *SCALED)


@cache
def held_out(environment: str) -> tuple[Situation, ...]:
    """Return the test tasks of one of `HELD_OUT`, always the same ones. Raises UserError."""
    choose("environment with test tasks", environment, HELD_OUT)
    if environment in SCALED:
        return tuple(scaled(*factors) for factors in product(SCALES, SCALES))
    rng, row = np.random.default_rng(TEST_SEEDS[0]), MECHANISMS[environment]
    return tuple(row.draw(rng) for _ in range(DRAWN[environment]))
