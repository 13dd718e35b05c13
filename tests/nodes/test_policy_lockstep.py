"""A policy's folder on the graph: in lockstep it gives what an evaluation gives, to the bit."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")

from ros_mbmrl import bringup, cli
from ros_mbmrl.agents.policy import PolicyAgent
from ros_mbmrl.data import dataset
from ros_mbmrl.episodes import batch
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import rewards_each
from ros_mbmrl.safety.types import SafetyConfig
from ros_mbmrl.simulation.environment import tasks_of
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation
from ros_mbmrl.supervisor import supervise

made = partial(make_simulated, "half_cheetah")
STEPS, SEED = 20, 5
FAST = ("me_trpo", "m3po", "maac")  # a Gaussian policy, one that remembers, a squashed one
ROBOT = make_robot("half_cheetah")
MODELS = "{hidden: [8], supervised_steps: 10, validate_every: 5, rows: 16, batch: 8"
IN_MODELS = """
episodes: 3
horizon: 20
rows: 4
tests: 1
budget: 60
validation: {every: 1, tolerance: 1, updates: 2, episodes: 2}
"""
META = "{budget: 40, tasks: 2, horizon: 10, inner: {episodes: 2, rate: 0.1}}"
FREE = "{budget: 40, worlds: 2, horizon: 20}"
SOFT = "soft: {hidden: [8], rows: 16}"
REMEMBERED = (
    f"budget: 40, horizon: 20, first: 36, updates: 1, history: 3, told_rewards: true, {SOFT}"
)
IMAGINED = "every: 20, rollouts: 4, heads: 2, model_hidden: [8], fit: {steps: 5, rows: 8, every: 5}"
OFF = """
budget: 80
worlds: 2
horizon: 20
first: 40
soft: {hidden: [8], rows: 8}
"""
OFF_MODELS = f"{OFF}updates: 1\nbranches: {{rows: 20}}\nmodel: {MODELS}, members: 2, elites: 1}}"
AMORTISED = """
{budget: 20, episodes: 1, horizon: 10, chance: 1, updates: 1, tasks: 1, rows: 2, context: 10,
network: mlp, hidden: [8], step_kind: ppo, tests: 1,
model: {hidden: [8], first: 3, fit: {steps: 2, batch: 2, targets: 5}}}
"""
RECIPES = {
    **dict.fromkeys(("me_trpo", "me_ppo"), f"{IN_MODELS}\nmodel: {MODELS}, members: 2}}"),
    **dict.fromkeys(("bptt", "one_model_vpg", "one_model_trpo"), f"{IN_MODELS}\nmodel: {MODELS}}}"),
    **dict.fromkeys(("promp", "e_maml", "maml_vpg", "maml_rl"), META),
    **dict.fromkeys(("trpo", "ppo"), FREE),
    "m3po": f"{{{REMEMBERED}, {IMAGINED}}}",  # these two remember their last transitions
    "pearl": f"{{{REMEMBERED}}}",
    "gssm_policy": AMORTISED,  # draws z from its context, from the graph's generator
    "pe_ppo": "{budget: 40, tasks: 1, horizon: 20, history: 3, hidden: [8], encoder: [8]}",
    **dict.fromkeys(("sac", "sb3_sac"), OFF),
    **dict.fromkeys(("maac", "mbpo", "steve_sac"), OFF_MODELS),
}


def train(method: str, folder: Path) -> None:
    """Train a policy as a user does, for as short as can be."""
    recipe = folder.parent / "recipe.yaml"
    recipe.write_text(RECIPES[method])
    words = ["train", method, "half_cheetah", "--out", str(folder), "--seed", str(SEED)]
    cli.main([*words, "--recipe", str(recipe)])


@pytest.mark.parametrize(
    "method",
    [pytest.param(m, marks=pytest.mark.slow) if m not in FAST else m for m in RECIPES],
)
def test_the_graph_does_what_an_evaluation_does(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if method in ("trpo", "ppo", "sb3_sac"):
        pytest.importorskip("sb3_contrib")
    train(method, tmp_path / "p")
    words = ["robot:=half_cheetah", "controller:=policy", f"model:={tmp_path / 'p'}"]
    words += [f"recording:={tmp_path / 'run.mcap'}", f"seed:={SEED}", "lockstep:=true"]
    words += [f"duration:={STEPS * ROBOT.spec.period}"]
    assert supervise(bringup.graph("adapt", words), echo=print).status == 0
    (graph,) = dataset.load([tmp_path / "run.mcap"])
    monkeypatch.setattr(batch, "SAFETY", SafetyConfig())  # the graph's: it waits for good states
    robots, loaded = made([Situation()], [SEED]), load_policy(tmp_path / "p", ROBOT)
    practice = partial(practise, loaded, made, [Situation()])
    agent = PolicyAgent(loaded, None if loaded.inner is None else practice)
    episode = batch.run_episodes(robots, agent, STEPS, [SEED])
    count = len(graph.actions)
    assert count >= STEPS - 1 and np.ptp(graph.actions, axis=0).max() > 1e-3
    assert graph.actions.tobytes() == episode.actions[:count, 0].astype(np.float32).tobytes()
    assert graph.states.tobytes() == episode.states[: count + 1, 0].astype(np.float32).tobytes()
    assert returned(graph.states, graph.actions) == pytest.approx(
        float(episode.rewards[:count].sum()), rel=1e-4, abs=1e-4
    )


def returned(states: Array, actions: Array) -> float:
    """The return of what was recorded."""
    own = tasks_of(ROBOT, states[:1], np.zeros((1, 0))) * len(actions)
    parts = (each.astype(float) for each in (states[:-1], actions, states[1:]))
    return float(rewards_each(own, *parts).sum())
