"""`bench imagine`: episodes of a policy in an ensemble, over their matrix products.

The sizes are those of ME-TRPO on the half-cheetah. Memory is that of one update's episodes, and of
one iteration of ME-TRPO: real episodes, the models' fit, a validation, an update.

Results: `over_products`, `steps_per_s`, `floor_steps_per_s`,
`peak_memory_mb.{imagination,me_trpo}`,
`samples`, `horizon`, `members`, `products`, `gflop`, `medians_ms`, `robot`, `notes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.bench.problem import CHANGE, check_network
from ros_mbmrl.bench.products import Floor, products_of
from ros_mbmrl.bench.timing import Figure, Findings, at_least, interleave, pinned
from ros_mbmrl.bench.train import peak_memory
from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.policies.me_config import MEConfig
from ros_mbmrl.learning.policies.me_trpo import MELearner
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.imagined import imagine_episodes, reward_of
from ros_mbmrl.robots import make_robot

ROBOT = "half_cheetah"
OURS, FLOOR = "imagination", "matrix products"
ME = MEConfig()


@dataclass(frozen=True)
class Config:
    """Settings; samples: episodes at once. horizon: their steps. hidden: of each model."""

    samples: int = ME.rows
    horizon: int = ME.horizon
    hidden: tuple[int, ...] = ME.model.hidden
    threads: int = 1
    repeats: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, samples=self.samples, horizon=self.horizon, threads=self.threads)
        at_least(1, repeats=self.repeats)
        check_network(self.hidden, ME.model.activation)


QUICK = Config(samples=6, horizon=20, hidden=(16,), repeats=3)


def run(config: Config) -> Findings:
    """Measure imagination and its matrix products in turn, and the memory that it takes."""
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        imagine = imagining(config, generator)
        products = products_of(imagine)
        contenders = {OURS: imagine, FLOOR: Floor(products, generator, torch.float32).run}
        times = interleave(contenders, config.repeats)
        memory = {OURS: peak_memory(imagine), ME.method: peak_memory(iteration(config))}
    steps = config.samples * config.horizon
    speed = steps / times.median(OURS)
    figures = (
        times.figure("over_products", OURS, FLOOR, "time over its matrix products'"),
        Figure("steps_per_s", speed, "imagined steps a second"),
        Figure("floor_steps_per_s", steps / times.median(FLOOR), "the same of the products alone"),
    )
    facts = {
        "robot": ROBOT,
        "members": ME.model.members,
        "samples": config.samples,
        "horizon": config.horizon,
        "products": len(products),
        "gflop": sum(product.operations for product in products) / 1e9,
        "peak_memory_mb": memory,
    }
    told = ", ".join(f"{k} {'?' if v is None else f'{v:.0f} MB'}" for k, v in memory.items())
    return Findings(figures, times, facts, (f"peak memory above that before: {told}",))


def imagining(config: Config, generator: Generator) -> Callable[[], object]:
    """Return a run of the episodes of an update, under untrained models."""
    robot = make_robot(ROBOT)
    spec, model = robot.spec, ME.model
    inputs, outputs = len(spec.features) + len(spec.action), len(spec.changes)
    mlp = Ensemble((inputs, *config.hidden, outputs), model.activation, model.members)
    statistics = torch.zeros(inputs), torch.ones(inputs), torch.zeros(outputs)
    normalizer = Normalizer(*statistics, torch.full((outputs,), CHANGE))
    imagination = Imagination.of(
        DynamicsModel(robot, mlp, normalizer), mlp.init(generator), ME.scheme
    )
    seen = len(robot.observed)
    sizes = (seen, *ME.hidden, len(spec.action))
    policy = GaussianPolicy(MLP(sizes, "tanh"), torch.zeros(seen), torch.ones(seen))
    parameters = for_tasks(policy.init(generator, ME.log_std), 1)
    reward = reward_of(robot.make_task(robot.tasks()[0], np.zeros(len(spec.state))))
    starts = CHANGE * torch.randn(config.samples, len(spec.state), generator=generator)
    noise = torch.randn(config.samples, config.horizon, len(spec.action), generator=generator)

    @torch.inference_mode()
    def run() -> object:
        own = (policy, parameters, imagination, reward, starts, noise)
        return imagine_episodes(*own, generator)

    return run


def iteration(config: Config) -> Callable[[], object]:
    """Return a run of one iteration of ME-TRPO: short, since memory does not grow with updates."""
    validation = replace(ME.validation, updates=ME.validation.every, tolerance=0)
    model = replace(ME.model, hidden=config.hidden, supervised_steps=ME.model.validate_every)
    tasks = simulated_tasks(ROBOT, across=False)
    own = replace(ME, rows=config.samples, horizon=config.horizon, seed=config.seed)
    learner = MELearner(tasks, replace(own, model=model, validation=validation))
    return lambda: learner.update(tasks, Generator())
