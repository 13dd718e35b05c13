"""`--data twin`: every robot with a twin gathers its own data by the same code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning import aggregation
from ros_mbmrl.learning.aggregation import CollectConfig, collect_faults, practice_of
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot

Make = Callable[..., list[Rollout]]

RECIPE = """
hidden: [12]
adapt_windows: [4]
predict_window: 4
supervised_steps: 4
batch: 4
validate_every: 2
horizon: 3
"""


def test_what_the_hexapod_practises_is_as_it_was() -> None:
    practice = practice_of(make_robot("hexapod"))
    assert practice.config == CollectConfig()
    assert [fault.name for fault in practice.faults] == [
        *("leg_right_front", "leg_left_back", "leg_right_middle", "weak_right")
    ]


def test_faults_to_tune_on_are_the_robots_own() -> None:
    arm = make_robot("pr2_arm")
    rollouts = collect_faults(arm, CollectConfig(terrains=("bench",), steps=2), seed=0)
    assert len(rollouts) == 16
    assert {r.tags["fault"] for r in rollouts} == {
        *("payload_small", "weak_shoulder_pan", "stiff_upper_arm", "push_small")
    }


def test_a_data_set_that_is_there_is_not_gathered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_rollouts: Make, registered: Robot
) -> None:
    asked = list[tuple[object, ...]]()

    def random(robot: Robot, config: CollectConfig, seed: int, told: object) -> list[Rollout]:
        asked.append(("random", seed))
        return make_rollouts(2, steps=5)

    def policy(
        robot: Robot, model: str, config: CollectConfig, seed: int, told: object
    ) -> list[Rollout]:
        asked.append((model, seed))
        return make_rollouts(3, steps=5)

    config = CollectConfig(rounds=2)
    practice = aggregation.Practice(config, policy, random=random)
    monkeypatch.setattr(aggregation, "PRACTICE", MappingProxyType({"toy": practice}))
    found = aggregation.Collection(registered, config, tmp_path, 7, lambda *_: None)
    assert found.fits == [0, 1, 2]
    models = (None, "model 0", "model 1")
    sizes = [len(found.gather(k, models[k])) for k in range(3) for _ in range(2)]  # type: ignore[arg-type]
    assert sizes == [2, 2, 3, 3, 3, 3]
    assert asked == [("random", 7), ("model 0", 8), ("model 1", 9)]
    assert found.fits == [2]  # the model to keep; nothing is gathered with the others any more
    with pytest.raises(UserError, match="holds another collection: seed was 7, now 8"):
        replace(found, seed=8)


def test_a_robot_without_a_twin_is_refused() -> None:
    toy = make_robot("hexapod")
    toy.spec = replace(toy.spec, name="toy")
    with pytest.raises(UserError, match="unknown robot with a twin to collect on 'toy'"):
        practice_of(toy)


def test_a_collection_for_causes_is_of_broken_robots_and_their_mirrors() -> None:
    robot = make_robot("hexapod")
    small = CollectConfig(("carpet",), runs=4, steps=3, broken=True)
    found = aggregation.collect_random(robot, small, seed=3)
    assert len(found) == 8
    assert [rollout.tags.get("mirrored", "no") for rollout in found] == ["no"] * 4 + ["yes"] * 4
    names = [cause.name for cause in robot.spec.causes]
    causes = np.array([rollout.causes[0] for rollout in found if rollout.causes is not None])
    assert causes.shape == (8, len(names))
    assert (causes[:4, names.index("leg_left_middle")] == 1).all()
    offsets = causes[:, names.index("yaw_offset")]
    np.testing.assert_allclose(offsets[:4], -offsets[4:])
    assert len(aggregation.collect_random(robot, replace(small, broken=False), seed=3)) == 4


def test_only_a_method_that_learns_causes_asks_for_broken_robots() -> None:
    robot = make_robot("hexapod")
    assert aggregation.configured(robot, 1) == CollectConfig()
    assert aggregation.configured(robot, 1, causes=True) == CollectConfig(broken=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hexapod", "pr2_arm"])
def test_causes_are_learned_on_a_twin(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    robot = make_robot(name)
    practice = practice_of(robot)
    small = replace(practice.config, runs=6, steps=12, episodes=4, duration=1.2)
    table = {name: replace(practice, config=small)}
    monkeypatch.setattr(aggregation, "PRACTICE", MappingProxyType(table))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ["train", "causes", name, "--data", "twin", "--rounds", "1", "--out"]
    cli.main([*words, str(tmp_path / "m"), "--recipe", str(tmp_path / "recipe.yaml")])
    loaded = load_model(tmp_path / "m", robot)
    causes = tuple(cause.name for cause in robot.spec.causes)
    assert loaded.model.robot.spec.features[-len(causes) :] == causes
    followed = dataset.load([tmp_path / "m" / "data" / "round-1"])
    assert all(r.causes is not None and r.effectiveness is not None for r in followed)


@pytest.mark.slow
def test_an_arm_is_trained_on_its_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arm = make_robot("pr2_arm")
    practice = practice_of(arm)
    small = replace(practice.config, runs=6, steps=12, episodes=6, duration=1.2)
    table = {"pr2_arm": replace(practice, config=small)}
    monkeypatch.setattr(aggregation, "PRACTICE", MappingProxyType(table))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ["train", "mb", "pr2_arm", "--data", "twin", "--rounds", "1", "--out"]
    cli.main([*words, str(tmp_path / "m"), "--recipe", str(tmp_path / "recipe.yaml")])
    card = load_model(tmp_path / "m", arm).card
    assert [entry["name"] for entry in card["data"]] == ["random", "round-1"]
    policy = dataset.load([tmp_path / "m" / "data" / "round-1"])
    assert [len(rollout) for rollout in policy] == [11] * 6
    assert policy[0].tags["session"] == "policy-1-0"
