"""`bench plan`: a whole plan over the matrix products that it needs at least.

Peers: a plain loop (MPPI written for this one problem), pytorch_mppi (Zhong et al.) on the same
network and cost, and, on a processor with units for it, the same plan with the network in bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import DOES_NOT_ADAPT
from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.bench.problem import Problem, check_network, make_problem
from ros_mbmrl.bench.products import (
    NO_BFLOAT16,
    Floor,
    Product,
    bfloat16_slowdown,
    layers_of,
)
from ros_mbmrl.bench.timing import Figure, Findings, Run, Times, at_least, interleave, pinned
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.mppi import MPPIConfig
from ros_mbmrl.planning.sampling import Limits

PEER = "pytorch_mppi"
NO_PEER = "pytorch_mppi is not installed here: pip install pytorch-mppi; its ratio is null"
MEMBERS = 5
ENSEMBLE = f"an ensemble of {MEMBERS}, the candidates split over it, over one network"
TS1 = f"an ensemble of {MEMBERS}, candidates change members in every step, over one network"
NOT_ADAPTED = AdaptReport(0, 0.0, 0.0, 0.0, False, DOES_NOT_ADAPT)


@dataclass(frozen=True)
class Config:
    """Settings; samples: candidates (K), horizon: steps (H), hidden: units of the hidden layers."""

    samples: int = 1000
    horizon: int = 10
    hidden: tuple[int, ...] = (512, 512, 512)
    activation: str = "silu"
    threads: int = 1
    repeats: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, samples=self.samples, horizon=self.horizon, threads=self.threads)
        at_least(1, repeats=self.repeats)
        check_network(self.hidden, self.activation)


QUICK = Config(samples=64, horizon=4, hidden=(32, 32), repeats=3)


def run(config: Config) -> Findings:
    """Measure plans and their peers, in turn."""
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        problem = make_problem(config.hidden, config.activation, generator)
        products = network_products(problem.model.mlp, config)
        ensemble = ensemble_of(problem, generator)
        contenders: dict[str, Run] = {
            "plan": planner(problem, config, torch.float32),
            "matrix products": Floor(products, generator, torch.float32).run,
            "plain loop": PlainLoop(problem, config).plan,
            "plan, ensemble": planner(ensemble, config, torch.float32),
            "plan, ensemble, ts1": planner(ensemble, config, torch.float32, particles="ts1"),
        }
        notes = []
        slowdown = bfloat16_slowdown(products, generator)
        if slowdown < 1:
            contenders |= {
                "plan, bfloat16": planner(problem, config, torch.bfloat16),
                "matrix products, bfloat16": Floor(products, generator, torch.bfloat16).run,
            }
        else:
            notes.append(NO_BFLOAT16.format(slowdown))
        if find_spec(PEER) is not None:
            contenders[PEER] = peer(problem, config)
        else:
            notes.append(NO_PEER)
        times = interleave(contenders, config.repeats)
    return Findings(
        figures(times),
        times,
        {
            "ms": 1e3 * times.median("plan"),
            "products": len(products),
            "gflop": sum(product.operations for product in products) / 1e9,
        },
        tuple(notes),
    )


def figures(times: Times) -> tuple[Figure, ...]:
    """Return the ratios of `--json`."""
    ratio, floor, half = times.figure, "matrix products", "matrix products, bfloat16"
    return (
        ratio("float32_over_gemm", "plan", floor, "a plan over its products", "at most 1.06"),
        ratio("plain_over_gemm", "plain loop", floor, "the plain loop over them"),
        ratio("ensemble_over_one", "plan, ensemble", "plan", ENSEMBLE, "at most 1.3"),
        ratio("ts1_over_one", "plan, ensemble, ts1", "plan", TS1, "at most 1.3"),
        ratio("bfloat16_over_float32", "plan, bfloat16", "plan", "bfloat16", "at most 0.55"),
        ratio("bfloat16_over_gemm", "plan, bfloat16", half, "the same over its own products"),
        ratio("over_pytorch_mppi", "plan", PEER, "a plan over pytorch_mppi's", "below 1"),
        ratio("pytorch_mppi_over_plain", PEER, "plain loop", "pytorch_mppi over the plain loop"),
    )


def network_products(mlp: MLP, config: Config) -> list[Product]:
    """Return the products that K candidates of H steps need: a network pass per step."""
    return layers_of(mlp.sizes, config.samples) * config.horizon


def ensemble_of(problem: Problem, generator: Generator) -> Problem:
    """Return the problem with an ensemble of networks of the same size."""
    model = problem.model
    mlp = Ensemble(model.mlp.sizes, model.mlp.activation, MEMBERS)
    return replace(problem, model=replace(model, mlp=mlp), parameters=mlp.init(generator))


def planner(problem: Problem, config: Config, dtype: torch.dtype, particles: str = "ts_inf") -> Run:
    """Return a run that plans as the control loop does, from the plan before; includes casting."""
    model, robot = problem.model, problem.model.robot
    size = {"num_samples": config.samples, "horizon": config.horizon}
    sampling = make_planner("mppi", robot.spec, **size, particles=particles)
    generator = Generator().manual_seed(config.seed)
    controller = Controller(robot, sampling, problem.task(), generator)
    model = replace(model, precision=dtype)

    def plan() -> None:
        # Adapted parameters are new at every step, so their derived tensors are made anew, too.
        found = controller.plan(model, Adapted(problem.parameters, NOT_ADAPTED), problem.state)
        controller.commanded(found.action.numpy())

    return plan


class PlainLoop:
    """MPPI for one problem, written directly, as a measure of the cost of generality."""

    def __init__(self, problem: Problem, config: Config) -> None:
        self._model, self._weights = problem.model, problem.parameters
        self._task, self._problem = problem.task(), problem
        self._limits, self._mppi = Limits.of(problem.model.robot.spec), MPPIConfig()
        self._generator = Generator().manual_seed(config.seed)
        rows, sizes = config.samples, problem.model.mlp.sizes
        self._hidden = [torch.empty(rows, size) for size in sizes[1:]]
        self._noise = torch.empty(rows, config.horizon, len(self._limits.low))
        self._mean = torch.zeros(self._noise.shape[1:])
        self._act = torch.tanh_ if config.activation == "tanh" else _silu

    @torch.inference_mode()
    def plan(self) -> Tensor:
        """Return the action (da,) to be sent now; keep the plan, a step on."""
        limits, task = self._limits, self._task
        reference = task.reference(self._problem.state)
        state = torch.as_tensor(self._problem.state, dtype=torch.float32)
        actions = self._noise.normal_(generator=self._generator)
        actions.mul_(self._mppi.sigma * limits.span).add_(self._mean)
        actions.clamp_(limits.low, limits.high)
        states = [state.expand(len(actions), -1)]
        for step in actions.unbind(1):
            states.append(self._advance(states[-1], step))
        costs = task.cost(torch.stack(states, 1), actions, reference)
        excess = costs - costs.min()
        scale = self._mppi.temperature * excess.median().clamp_min(1e-20)
        plan = (torch.softmax(-excess / scale, 0) @ actions.flatten(1)).view_as(self._mean)
        self._mean = torch.cat([plan[1:], plan[-1:]])
        return plan[0]

    def _advance(self, state: Tensor, action: Tensor) -> Tensor:
        robot, normalizer, weights = self._model.robot, self._model.normalizer, self._weights
        h = normalizer.inputs(robot.features(state), action)
        for k, out in enumerate(self._hidden):
            torch.addmm(weights[f"b{k}"], h, weights[f"w{k}"], out=out)
            h = self._act(out) if k + 1 < len(self._hidden) else out
        return robot.advance(state, normalizer.denormalise(h))


def _silu(z: Tensor) -> Tensor:
    return torch.nn.functional.silu(z, inplace=True)


def peer(problem: Problem, config: Config) -> Run:
    """Return a run of pytorch_mppi on the same network, limits, noise and cost."""
    mppi_class: Any = import_module(PEER).MPPI
    model, task = problem.model, problem.task()
    limits, mppi = Limits.of(model.robot.spec), MPPIConfig()
    start = torch.as_tensor(problem.state, dtype=torch.float32)
    reference = task.reference(problem.state)

    def dynamics(state: Tensor, action: Tensor) -> Tensor:
        features = model.robot.features(state)
        change = model.predict(problem.parameters, features, action)
        return model.robot.advance(state, change)

    def whole_cost(states: Tensor, actions: Tensor) -> Tensor:
        first = start.expand(len(states[0]), 1, -1)
        return task.cost(torch.cat([first, states[0]], 1), actions[0], reference)

    nothing = torch.zeros(config.samples)
    made = mppi_class(
        dynamics,
        lambda state, action: nothing,
        len(start),
        torch.diag((mppi.sigma * limits.span).square()),
        num_samples=config.samples,
        horizon=config.horizon,
        terminal_state_cost=whole_cost,
        lambda_=mppi.temperature,
        u_min=limits.low,
        u_max=limits.high,
    )

    def plan() -> Any:
        task.reference(problem.state)
        return made.command(start)

    inference: Callable[[Run], Run] = torch.inference_mode()
    return inference(plan)
