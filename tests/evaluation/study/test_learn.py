"""Algorithm 9 of a study: who gathers, what each is trained with, and on which rollouts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study import learn
from ros_mbmrl.evaluation.study.learn import Learning, config_of
from ros_mbmrl.evaluation.study.studies import SCALES
from ros_mbmrl.learning.batch_collection import collect
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain

SCALE = SCALES["smoke"]
TRAINING = replace(SCALE.training, supervised_steps=20, meta_steps=10, adapt_window=6)


def job(method: str, study: str = "cheetah-disabled", **more: Any) -> Learning:
    return Learning(study, SCALE, method, 3, Path("out"), **more)


def test_who_gathers_and_where() -> None:
    assert job("collector").gathers and not job("mb").gathers and not job("grbal").gathers
    assert job("mb").data == job("grbal").data == job("grbal", window=8).data
    oracle = job("mb_oracle", condition="unseen")
    assert oracle.gathers and oracle.trained == "mb" and oracle.data != job("mb").data
    pushed = job("grbal", force=2.0)
    assert not pushed.gathers and pushed.collector.gathers and pushed.collector.data == pushed.data
    assert len({job("mb").key, job("grbal").key, oracle.key, job("grbal", window=8).key}) == 4


def test_all_methods_take_as_many_steps_from_the_collectors_fit() -> None:
    steps = {
        method: (config.supervised_steps, config.meta_steps)
        for method in ("collector", "mb", "grbal")
        for config in [config_of(job(method), TRAINING)]
    }
    # Those of the collector are its own; MB's are supervised, and as many as GrBAL's.
    assert steps["collector"][0] == 20
    assert (steps["mb"][0], steps["grbal"]) == (10, (0, 10))
    own = config_of(job("grbal"), TRAINING)
    assert own.adapt_windows == (3, 6) and own.options == {"steps": 1} and own.seed == 3


def test_a_variation_has_its_window_and_its_forces() -> None:
    assert job("grbal", window=8).size(SCALE) == replace(
        SCALE.training, adapt_window=8, predict_window=8
    )
    assert job("mb_oracle", condition="unseen").size(SCALE) == SCALE.oracle
    draw = job("grbal", "arm-force", force=0.5).draw(3.0)
    rng = np.random.default_rng(0)
    forces = [float(np.linalg.norm(draw(rng).force)) for _ in range(50)]
    assert 0.2 < max(forces) <= 0.5 + 1e-12


def test_a_study_of_slopes_refuses_rollouts_that_do_not_tell_them(tmp_path: Path) -> None:
    situations = [Situation(Terrain("slope", angle=0.05))] * 2
    robots = make_simulated("half_cheetah", situations, [0, 1])
    told = collect(robots, RandomAgent(12), 12, [0, 1], "random")
    untold = tuple(replace(rollout, causes=None) for rollout in told)
    slopes = Learning("cheetah-slope", SCALE, "causes", 0, tmp_path)
    with pytest.raises(UserError, match="does not tell its causes: expected 1, got none"):
        learn._fit(slopes, SCALE.training, Data(untold, untold), None, 0)
