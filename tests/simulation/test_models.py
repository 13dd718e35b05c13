"""Compiled models are kept, the ones asked for last, and never mixed up."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.simulation.models import Models, models_of
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.situations import Factors, Situation, Terrain

HEAVY = Situation(physics=Factors(mass=2.0))


def test_the_same_situation_has_the_same_model() -> None:
    models = models_of("half_cheetah")
    assert models.get(Situation()) is models.get(Situation(force=(0.0, 0.0, 0.0)))
    light, heavy = (models.get(each).model.body_mass.sum() for each in (Situation(), HEAVY))
    assert heavy == np.float64(2 * light)
    assert models.compilations == 2


def test_a_broken_model_leaves_the_intact_one_as_it_was() -> None:
    models, broken = models_of("ant"), frozenset({"leg_1_crippled"})
    sizes = models.get(Situation()).model.geom_size.copy()
    assert (models.get(Situation(), broken).model.geom_size != sizes).any()
    assert (models.get(Situation()).model.geom_size == sizes).all()


def test_no_more_than_so_many_are_kept() -> None:
    models = Models(make_simulation("half_cheetah"), size=2)
    for seed in (1, 2, 3, 3, 2):
        models.get(Situation(Terrain("pier", seed=seed)))
    assert models.compilations == 3
    models.get(Situation(Terrain("pier", seed=1)))  # was the oldest
    assert models.compilations == 4
