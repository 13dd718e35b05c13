"""`bench pathwise`: error of MAAC's policy gradient over the horizon H (thesis, figure 20).

On a double integrator the gradients of the return and of MAAC's objective are known. The error
through H steps of the true dynamics, and of a learned ensemble, with a learned critic at the end:
the model's error grows with H and the critic's is weighed down by gamma^H, so that with a learned
model some H between is best. The error is that of lemma 1, from the gradient of the same objective
with true dynamics and critic. Beside it stands that from the gradient of the return, most of which
is that a critic that is held does not know how it depends on the policy: it falls until late.

Results: `best_horizon`, `best_over_none`, `best_over_longest` (errors at the best H over those at
H = 0 and at the longest one), `curve` (rows of horizon, and of true_model and learned_model the
error and `_of_return`, mean over `repeats`), `notes`. Errors are L1, over the L1 norm of the
gradient that they are from: an optimiser scales magnitudes away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.bench.double_integrator import (
    FORCE,
    PERIOD,
    A,
    B,
    DoubleIntegrator,
    LinearReturn,
    Rest,
)
from ros_mbmrl.bench.timing import Figure, Findings, Times, at_least, pinned
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.policies.model_based import MODEL
from ros_mbmrl.learning.policies.value_expansion import unroll
from ros_mbmrl.learning.rounds import Data, fit_model
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.imagined import reward_of
from ros_mbmrl.policies.imagined_world import ImaginedWorld

GAIN = torch.tensor([[-0.6, -0.8]], dtype=torch.float64)  # K, a lazy one [N/m, N s/m]
DISCOUNT = 0.99
HORIZONS = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40)
EPISODE, NOISE = 25, 1.0  # control periods; deviation of the exploring force [N]
RUNS, FIT_STEPS = 5, 500  # of model and critic: few, so that both are wrong
CRITIC, CRITIC_STEPS, RATE = (32, 32), 300, 3e-3
TRUE, LEARNED, RETURN = "true_model", "learned_model", "_of_return"
# states (N, 2), forces (N, 1) [N] -> answers (N,)
Answers = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Config:
    """Settings; horizon: the longest H. samples: starts. repeats: fits of model and critic."""

    horizon: int = 40
    samples: int = 1000
    hidden: tuple[int, ...] = (64, 64)
    threads: int = 1
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(2, horizon=self.horizon)
        at_least(1, samples=self.samples, threads=self.threads, repeats=self.repeats)


QUICK = Config(horizon=20, samples=200, hidden=(32,), repeats=2)


def run(config: Config) -> Findings:
    """Fit models and critics, and compare the gradients through them with the analytic one."""
    known = LinearReturn(GAIN, DISCOUNT)
    horizons = [h for h in HORIZONS if h <= config.horizon]
    with pinned(config.threads):
        each = [errors(config, known, horizons, seed) for seed in _seeds(config)]
    curves = {name: torch.tensor([one[name] for one in each]).mean(dim=0) for name in each[0]}
    rows = [
        {"horizon": h, **{name: float(curve[k]) for name, curve in curves.items()}}
        for k, h in enumerate(horizons)
    ]
    own = curves[LEARNED]
    best = int(own.argmin())
    figures = (
        Figure("best_horizon", horizons[best], "H of the least error, learned model", "between"),
        Figure("best_over_none", float(own[best] / own[0]), "its error over that of H = 0"),
        Figure("best_over_longest", float(own[best] / own[-1]), "over that of the longest H"),
    )
    return Findings(figures, Times({}), {"curve": rows}, tuple(_line(row) for row in rows))


def _line(row: Mapping[str, float]) -> str:
    errors = (f"{row[name]:.3f}" for name in (TRUE, LEARNED, TRUE + RETURN, LEARNED + RETURN))
    true, learned, *returns = errors
    last = " and ".join(returns)
    return f"H = {row['horizon']:2d}: {true} true, {learned} learned; from the return's, {last}"


def _seeds(config: Config) -> list[int]:
    return [config.seed + 1000 * k for k in range(config.repeats)]


def errors(
    config: Config, known: LinearReturn, horizons: list[int], seed: int
) -> dict[str, list[float]]:
    """Return the L1 errors of the gradient for each horizon, by who moves the states."""
    generator = Generator().manual_seed(seed)
    starts = torch.randn(config.samples, 2, generator=generator)
    whole = known.gradient(starts.double())
    objective = torch.stack([known.gradient(starts.double(), steps) for steps in horizons])
    rng = np.random.default_rng(seed)
    runs = tuple(_rollout(rng) for _ in range(RUNS))
    critic = learned_critic(known, generator)
    worlds = {TRUE: true_world(), LEARNED: learned_world(config, runs, seed)}
    found: dict[str, list[float]] = {}
    for name, world in worlds.items():
        each = [gradient(world, critic, starts, h, generator).double() for h in horizons]
        for suffix, reference in (("", objective), (RETURN, whole)):
            apart = (torch.stack(each) - reference).abs().sum(dim=(1, 2))
            found[name + suffix] = (apart / reference.abs().sum(dim=(-2, -1))).tolist()
    return found


def gradient(
    world: ImaginedWorld, critic: Answers, starts: Tensor, steps: int, generator: Generator
) -> Tensor:
    """Return the gradient (1, 2) by K of MAAC's objective through H steps and the critic."""
    gain = GAIN.float().requires_grad_()

    def act(states: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        return states @ gain.T / FORCE, torch.zeros(len(states))

    found = unroll(world, act, starts, steps, DISCOUNT, generator)
    last = critic(found.states[-1], FORCE * found.actions[-1])
    objective = (found.earned[-1] + found.weight[-1] * last).mean()
    (slope,) = torch.autograd.grad(objective, gain)
    return slope


def learned_critic(known: LinearReturn, generator: Generator) -> Answers:
    """Return a network that was fitted to the returns of a few states and forces.

    After a first force the policy has no noise, so the returns of its runs are those known.
    """
    states = torch.randn(EPISODE * RUNS, 2, generator=generator)
    forces = states @ GAIN.float().T + NOISE * torch.randn(len(states), 1, generator=generator)
    returns = known.critic(states.double(), forces.double()).float()
    mean, std, rows = returns.mean(), returns.std(), torch.cat([states, forces], dim=1)
    mlp = MLP((3, *CRITIC, 1), "silu")
    live = {name: value.requires_grad_() for name, value in mlp.init(generator).items()}
    adam = torch.optim.Adam(live.values(), lr=RATE)
    for _ in range(CRITIC_STEPS):
        loss = (mlp.forward(live, rows)[..., 0] - (returns - mean) / std).square().mean()
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
    held = {name: value.detach() for name, value in live.items()}
    return lambda s, a: mlp.forward(held, torch.cat([s, a], dim=1))[..., 0] * std + mean


def true_world() -> ImaginedWorld:
    """Return the double integrator itself: a model of one linear layer."""
    one, many = torch.ones, torch.zeros
    normalizer = Normalizer(many(3), one(3), many(2), one(2), clip=1e9)
    model = DynamicsModel(DoubleIntegrator(), MLP((3, 2)), normalizer)
    change = torch.cat([A.T - torch.eye(2), B.T]).float()
    imagination = Imagination.of(model, {"w0": change, "b0": torch.zeros(2)})
    return ImaginedWorld(imagination, reward_of(Rest()))


def learned_world(config: Config, runs: tuple[Rollout, ...], seed: int) -> ImaginedWorld:
    """Return an ensemble that was fitted to runs of the policy with noise."""
    fit = replace(MODEL, hidden=config.hidden, supervised_steps=FIT_STEPS, seed=seed)
    data = Data(runs[: -RUNS // 5], runs[-RUNS // 5 :])
    trained = fit_model(DoubleIntegrator(), fit, data)
    imagination = Imagination.of(trained.model, trained.parameters, sampled=True)
    return ImaginedWorld(imagination, reward_of(Rest()))


def _rollout(rng: np.random.Generator) -> Rollout:
    states, forces = [rng.normal(size=2)], []
    for _ in range(EPISODE):
        force = GAIN.numpy() @ states[-1] + NOISE * rng.normal(size=1)
        forces.append(force)
        states.append(A.numpy() @ states[-1] + B.numpy() @ force)
    times, marks = (
        np.linspace(0.0, EPISODE * PERIOD, EPISODE + 1),
        np.zeros(EPISODE, dtype=np.uint8),
    )
    own = np.array(states, dtype=np.float32), np.array(forces, dtype=np.float32)
    return Rollout(DoubleIntegrator.spec.name, *own, times, marks)
