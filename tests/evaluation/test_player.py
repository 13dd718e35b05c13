"""Settings that were changed in a recorded run: a replay changes them at the same state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.agents.live_settings import live_settings
from ros_mbmrl.data.recording import RecordingInfo
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.steps import Change, Run, Step
from ros_mbmrl.dynamics.files import LoadedModel, load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.evaluation.player import ReplayConfig
from ros_mbmrl.evaluation.replay import Replay, replay
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path as Course

COURSE = np.array([[0.0, 0.0], [0.5, 0.2], [9.0, 0.5]])
PLANNING = {"num_samples": 24, "horizon": 4}
CHANGES = (
    Change(0, 1_500_000_000, {"speed": 0.1, "cost.cross_track": 0.5}),
    Change(0, 2_250_000_000, {"planner.mppi.num_samples": 40, "planner.mppi.sigma": 0.4}),
)
AT = {5: CHANGES[0], 13: CHANGES[1]}  # the first state that each acts on


@pytest.fixture
def loaded(tmp_path: Path, registered: Any, prior: tuple[DynamicsModel, Parameters]) -> LoadedModel:
    facts = {"method": "mb", "options": {}, "adapt_window": 8, "seed": 0}
    save_model(tmp_path / "toy", *prior, facts)
    return load_model(tmp_path / "toy", registered)


@pytest.fixture
def run(loaded: LoadedModel, make_rollouts: Callable[..., list[Rollout]]) -> Run:
    """A run whose proposals an agent made that was tuned at two states."""
    torch.set_num_threads(1)
    (rollout,) = make_rollouts(1, steps=20, seed=7)
    robot = loaded.model.robot
    agent = make_live_agent(loaded, None, None, "mppi", PLANNING, 3)
    now = live_settings(robot, "mppi", agent.planner, 0.25, {})
    agent.follow(PathFollowing(robot, Course.from_points(COURSE)))
    steps = []
    for k in range(20):
        state = rollout.states[k].astype(float)
        agent.observe(state[None], 1.0 + 0.1 * k)
        if k in AT:
            now = now.after(AT[k].values)
            agent.plan_with(now.planning(agent.planner))
            assert agent.task is not None
            now.tune(agent.task)
        proposed, command = agent.answer().proposed, rollout.actions[k].astype(float)
        agent.acted(command[None])
        stamp = 10**9 + k * 10**8
        steps.append(Step(0, stamp, 0, stamp, state, command, proposed, planned=True, reference=1))
    info = RecordingInfo({}, 0, 0, 0, True)
    return Run(Path("run.mcap"), "toy", tuple(steps), 0, None, (COURSE,), info, CHANGES)


def played(run: Run, loaded: LoadedModel, controller: str = "mppi") -> Replay:
    config = ReplayConfig(method="mb", controller=controller, planner=PLANNING, seed=3)
    return replay(run, loaded.model.robot, loaded, config)


def test_a_tuned_runs_own_commands_come_out_bit_for_bit(run: Run, loaded: LoadedModel) -> None:
    result = played(run, loaded)
    assert result.equal.all() and len(result.equal) == 20
    assert [str(change) for change in result.changes] == [
        "at 1.50 s speed = 0.1, cost.cross_track = 0.5 was set in the run, and here",
        "at 2.25 s planner.mppi.num_samples = 40, planner.mppi.sigma = 0.4 was set in the run, and "
        "here",
    ]


def test_without_the_changes_commands_differ_from_then_on(run: Run, loaded: LoadedModel) -> None:
    equal = played(replace(run, changes=()), loaded).equal
    assert equal[:5].all() and not equal[5:].any()
    equal = played(replace(run, changes=run.changes[:1]), loaded).equal
    assert equal[:13].all() and not equal[13:].any()


def test_a_change_of_another_planner_is_told_in_one_line(run: Run, loaded: LoadedModel) -> None:
    first, second = played(run, loaded, "cem").changes
    assert first.why_not == ""
    told = str(second)
    assert "not here (planner.mppi.num_samples: expected speed, planner.cem." in told
    assert told.endswith("commands differ from then on") and "\n" not in told
