"""Coverage of a model with a latent variable: of what z is, of the noise, and of too short runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.evaluation.coverage import calibration_rows
from ros_mbmrl.evaluation.latent_coverage import LatentParticles, has_latent
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots.spec import Robot

NOISE, WINDOW = 0.3, 8


def pushed(robot: Robot, count: int, steps: int) -> list[Rollout]:
    """Return runs of robots that do nothing but be pushed at random."""
    rng, runs = np.random.default_rng(0), []
    for _ in range(count):
        states = [torch.zeros(4)]
        for push in torch.from_numpy(NOISE * rng.standard_normal((steps, 4))).float():
            states.append(robot.advance(states[-1], push))
        made = torch.stack(states).numpy(), np.zeros((steps, 2), np.float32)
        times = 0.1 * np.arange(steps + 1)
        runs.append(Rollout("toy", *made, times, np.zeros(steps, np.uint8), {}))
    return runs


def loaded_with(robot: Robot, spread: float) -> LoadedModel:
    """Return a model that predicts no change, with the right noise and a spread of z."""
    mlp, g = MLP((3, 4, 4), "silu"), Generator().manual_seed(0)
    parameters = {name: torch.zeros_like(value) for name, value in mlp.init(g).items()}
    parameters |= make_rule("mlsm_v0").init(mlp, parameters, g)
    parameters["noise.b"] = torch.full((4,), 2.0 * float(np.log(NOISE)))
    parameters["w1"] = torch.ones(4, 4)
    parameters["condition.b0"] = spread * torch.ones_like(parameters["condition.b0"])
    normalizer = Normalizer(torch.zeros(3), torch.ones(3), torch.zeros(4), torch.ones(4))
    card = {"method": "mlsm_v0", "adapt_window": WINDOW, "guard": {"enabled": False}}
    return LoadedModel(DynamicsModel(robot, mlp, normalizer), parameters, card)


def test_without_an_effect_of_z_the_noise_is_covered_as_its_levels_say(robot: Robot) -> None:
    loaded = loaded_with(robot, 0.0)
    assert has_latent(loaded)
    coverage, detected = calibration_rows(loaded, pushed(robot, 6, 40), ["push"] * 6, (1, 4), 0)
    assert not detected
    for row in coverage:
        assert row["coverage_50"] == pytest.approx(0.5, abs=0.07)
        assert row["coverage_90"] == pytest.approx(0.9, abs=0.05)
        assert row["n"] == 6 * (40 - WINDOW - row["horizon"] + 1)


def test_a_particle_keeps_its_z_and_others_have_another(robot: Robot) -> None:
    loaded = loaded_with(robot, 1.0)
    loaded.parameters["noise.b"] = torch.full((4,), -100.0)
    data = Transitions.of(robot, pushed(robot, 2, 20))
    particles = LatentParticles(loaded, data, Generator().manual_seed(0))
    particles._guard.config = type(particles._guard.config)(enabled=False)
    starts = particles.preceded(torch.arange(len(data)))
    assert starts.tolist() == [*range(WINDOW, 20), *range(20 + WINDOW, 40)]
    one = particles(starts[:3], 1, 50) - data.states[starts[:3]][:, None]
    assert one.std(dim=1).min() > 0.01


def test_plain_models_have_no_latent_variable(robot: Robot) -> None:
    loaded = loaded_with(robot, 0.0)
    plain = {name: v for name, v in loaded.parameters.items() if "." not in name}
    assert not has_latent(LoadedModel(loaded.model, plain, {"method": "mb"}))
