from __future__ import annotations

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from ros_mbmrl.environments import ENVIRONMENTS, STEPS, SimulatedVectorEnv, register
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.simulation.render import Camera
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain, TimedFault


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.filterwarnings("ignore:.*Box observation space.*infinity")
def test_gymnasium_finds_nothing_wrong(name: str) -> None:
    check_env(gymnasium.make(name).unwrapped, skip_render_check=True)


def test_an_episode_is_truncated() -> None:
    environment = gymnasium.make("ros_mbmrl/ArmForce-v0", max_episode_steps=7)
    environment.reset(seed=1)
    ends = [environment.step(environment.action_space.sample())[2:4] for _ in range(7)]
    assert ends == [(False, False)] * 6 + [(False, True)]
    spec = gymnasium.spec("ros_mbmrl/ArmForce-v0")
    assert spec.max_episode_steps == STEPS


def test_every_reset_draws_a_training_situation() -> None:
    environment = gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0")
    environment.reset(seed=0)
    drawn = {environment.reset()[1]["situation"] for _ in range(40)}
    names = {situation.faults[0].name for situation in drawn}
    assert names == {f"{joint}_disabled" for joint in ("bshin", "bfoot", "fthigh", "ffoot")}


def test_a_situation_can_be_forced_and_seen() -> None:
    environment = gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0")
    wanted = Situation(Terrain("steep"), (TimedFault("bthigh_disabled", begin=0.05),))
    _, info = environment.reset(seed=0, options={"situation": wanted})
    assert info["situation"] == wanted
    *_, info = environment.step(np.zeros(6))
    assert info["faults"] == {"bthigh_disabled"}


def test_policies_see_no_x_but_a_goal() -> None:
    cheetah = gymnasium.make("ros_mbmrl/HalfCheetahSlope-v0")
    assert cheetah.observation_space.shape == (17,)
    arm = gymnasium.make("ros_mbmrl/ArmForce-v0")
    observation, _ = arm.reset(seed=3, options={"situation": Situation(goal=(0.4, -0.5, 0.1))})
    assert observation.shape == (20,)
    np.testing.assert_allclose(observation[17:], [0.4, -0.5, 0.1], rtol=1e-6)
    _, reward, *_ = arm.step(np.zeros(7))
    way = observation[17:] - observation[14:17]
    assert reward == pytest.approx(-np.square(way).sum(), abs=1e-2)


def test_benchmarks_have_their_own_horizon_reward_and_end() -> None:
    assert gymnasium.spec("ros_mbmrl/MeTrpoHopper-v0").max_episode_steps == 100
    assert gymnasium.spec("ros_mbmrl/MbblHalfCheetah-v0").max_episode_steps == 1000
    environment = gymnasium.make("ros_mbmrl/PrompWalker2dRandParams-v0")
    drawn = {environment.reset(seed=seed)[1]["situation"].parameters for seed in range(5)}
    assert len(drawn) == 5
    environment.action_space.seed(0)
    ends = []
    while not (ends and any(ends[-1])):
        ends.append(environment.step(environment.action_space.sample())[2:4])
    assert ends[-1] == (True, False) and 5 < len(ends) < 150  # it fell


SEEDS = 4


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("ros_mbmrl/HalfCheetahDisabled-v0", 12),
        ("ros_mbmrl/ArmForce-v0", 12),
        ("ros_mbmrl/PrompWalker2dRandParams-v0", 60),  # some fall
    ],
)
def test_many_at_once_are_the_single_ones_row_by_row(name: str, steps: int) -> None:
    """Through ends of episodes: both begin anew in the step after the end."""
    own = {"num_envs": SEEDS, "max_episode_steps": 25 if steps > 25 else 5}
    many = gymnasium.make_vec(name, vectorization_mode="vector_entry_point", **own)
    single = gymnasium.make_vec(name, vectorization_mode="sync", **own)
    assert many.metadata["autoreset_mode"] == single.metadata["autoreset_mode"]
    assert many.single_observation_space == single.single_observation_space
    assert many.action_space == single.action_space
    rng = np.random.default_rng(0)
    (seen, info), (alone, told) = many.reset(seed=7), single.reset(seed=7)
    np.testing.assert_array_equal(seen, alone)
    assert list(info["situation"]) == list(told["situation"])
    ends = 0
    for _ in range(steps):
        actions = rng.uniform(-1, 1, many.action_space.shape).astype(np.float32)
        *outcome, info = many.step(actions)
        *expected, told = single.step(actions)
        for got, wanted in zip(outcome, expected, strict=True):
            np.testing.assert_array_equal(got, wanted)
        assert set(info) == set(told)
        for key in info:
            assert list(info[key]) == list(told[key])
        ends += int((outcome[2] | outcome[3]).sum())
    assert ends >= SEEDS


def test_a_situation_can_be_forced_in_every_row() -> None:
    name = "ros_mbmrl/HalfCheetahSlope-v0"
    many = gymnasium.make_vec(name, num_envs=2, vectorization_mode="vector_entry_point")
    wanted = Situation(Terrain("steep"))
    _, info = many.reset(seed=[3, None], options={"situation": wanted})
    assert list(info["situation"]) == [wanted, wanted]
    with pytest.raises(UserError, match="several robots have none"):
        SimulatedVectorEnv("cheetah-slope", 2, render_mode="rgb_array")


@pytest.fixture
def drawing() -> None:
    """Skips the test where no picture can be drawn."""
    try:
        with Camera(8, 8) as camera:
            camera.picture(*make_simulated("half_cheetah", [Situation()], [0]).physics(0))
    except RunError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("drawing")
def test_pictures_follow_the_robot() -> None:
    environment = gymnasium.make("ros_mbmrl/HalfCheetahDisabled-v0", render_mode="rgb_array")
    assert environment.metadata["render_fps"] == 20
    environment.reset(seed=0)
    first = environment.render()
    for _ in range(5):
        environment.step(np.ones(6, dtype=np.float32))
    second = environment.render()
    other = gymnasium.make("ros_mbmrl/ArmForce-v0", render_mode="rgb_array")
    other.reset(seed=0)
    assert other.render().shape == first.shape == (480, 640, 3)
    assert first.dtype == np.uint8 and first.std() > 5  # something is there to see
    assert (first != second).any()
    np.testing.assert_array_equal(environment.render(), second)  # another one drew in between
    environment.close()
    other.close()
    assert gymnasium.make("ros_mbmrl/ArmForce-v0").unwrapped.render() is None


@pytest.mark.usefixtures("drawing")
def test_gymnasium_records_a_video(tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    inner = gymnasium.make(
        "ros_mbmrl/HalfCheetahDisabled-v0", render_mode="rgb_array", max_episode_steps=6
    )
    environment = gymnasium.wrappers.RecordVideo(inner, str(tmp_path), disable_logger=True)
    environment.reset(seed=0)
    while not environment.step(environment.action_space.sample())[3]:
        pass
    environment.close()
    (film,) = tmp_path.glob("*.mp4")
    assert film.stat().st_size > 500


def test_registering_twice_is_nothing() -> None:
    before = dict(gymnasium.registry)
    register()
    assert gymnasium.registry == before
