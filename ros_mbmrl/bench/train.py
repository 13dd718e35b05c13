"""`bench train`: the gradient of a meta-training step, over vmap(grad) and its matrix products.

The peer is what torch.func offers: an inner gradient step of each task by grad, all tasks at once
by vmap, and the gradient of that (thesis eq. 22). Weights of its own for every task take memory,
so it goes through the batch in chunks, and its time is that of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.bench.problem import Problem, check_network, make_problem
from ros_mbmrl.bench.products import Floor, products_of
from ros_mbmrl.bench.timing import Figure, Findings, Run, at_least, interleave, pinned
from ros_mbmrl.dynamics.mlp import Parameters
from ros_mbmrl.training.objective import meta_loss

STEP, PEER, FLOOR = "meta-gradient", "vmap(grad)", "matrix products"
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Config:
    """segments: tasks a step. segment_length: T1 and T2. steps: of the inner gradient descent.

    chunk: tasks that the peer does at once; its time is that of all segments.
    """

    segments: int = 500
    segment_length: int = 32
    steps: int = 1
    chunk: int = 50
    hidden: tuple[int, ...] = (512, 512, 512)
    activation: str = "silu"
    threads: int = 1
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, segments=self.segments, segment_length=self.segment_length, steps=self.steps)
        at_least(1, chunk=self.chunk, threads=self.threads, repeats=self.repeats)
        check_network(self.hidden, self.activation)
        if self.segments % self.chunk:
            raise ValueError(f"chunk: expected a divisor of {self.segments}, got {self.chunk}")


QUICK = Config(segments=8, segment_length=6, chunk=4, hidden=(32, 32), repeats=3)


@dataclass(frozen=True)
class Batch:
    """What a step needs: the rule and its parameters with the network's, past and future."""

    rule: GradientStep
    parameters: Parameters
    past: Support
    future: Support


def run(config: Config) -> Findings:
    """Gradients, and their opponents, in turn; memory of one of each alone."""
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        problem = make_problem(config.hidden, config.activation, generator)
        batch = make_batch(problem, config, generator)

        def step() -> object:
            return meta_gradient(problem, batch)

        def peer() -> object:
            return vmap_gradient(problem, batch, config.chunk)

        memory = {STEP: peak_memory(step), PEER: peak_memory(peer)}
        products = products_of(step)
        floor = Floor(products, generator, torch.float32)
        times = interleave({STEP: step, PEER: peer, FLOOR: floor.run}, config.repeats, warm_up=1)
    figures = (
        Figure("over_vmap_grad", times.ratio(STEP, PEER), "over torch.func's vmap(grad)"),
        Figure("gemm_fraction", times.ratio(FLOOR, STEP), "part of the time that is products"),
    )
    facts = {
        "ms": 1e3 * times.median(STEP),
        "products": len(products),
        "gflop": sum(product.operations for product in products) / 1e9,
        "peak_memory_mb": memory,
    }
    told = {name: "?" if peak is None else f"{peak:.0f} MB" for name, peak in memory.items()}
    notes = (
        f"{PEER}: {config.segments} tasks, {config.chunk} at once",
        "peak memory: " + ", ".join(f"{name} {peak}" for name, peak in told.items()),
    )
    return Findings(figures, times, facts, notes)


def make_batch(problem: Problem, config: Config, generator: Generator) -> Batch:
    """Segments of noise: what is computed does not depend on what it says."""
    mlp = problem.model.mlp
    rule = make_rule("grbal", {"steps": config.steps})
    assert isinstance(rule, GradientStep)
    shape = config.segments, config.segment_length

    def support() -> Support:
        return Support(
            torch.randn(*shape, mlp.sizes[0], generator=generator),
            torch.randn(*shape, mlp.sizes[-1], generator=generator),
            torch.ones(*shape, 1),
            torch.ones(mlp.sizes[-1]),
        )

    own = rule.init(mlp, problem.parameters, generator)
    live = {k: v.clone().requires_grad_() for k, v in {**problem.parameters, **own}.items()}
    return Batch(rule, live, support(), support())


def meta_gradient(problem: Problem, batch: Batch) -> dict[str, Tensor]:
    """The gradient of eq. 22 as this project's trainer takes it."""
    loss = meta_loss(problem.model.mlp, batch.rule, batch.parameters, batch.past, batch.future)
    gradients = torch.autograd.grad(loss, list(batch.parameters.values()))
    return dict(zip(batch.parameters, gradients, strict=True))


def vmap_gradient(problem: Problem, batch: Batch, chunk: int) -> dict[str, Tensor]:
    """The same gradient with torch.func, `chunk` tasks at once."""
    tasks = len(batch.past.x)
    live = {name: value.detach() for name, value in batch.parameters.items()}
    total = {name: torch.zeros_like(value) for name, value in live.items()}
    gradient: Callable[..., dict[str, Tensor]] = torch.func.grad(_outer(problem, batch.rule))
    for first in range(0, tasks, chunk):
        part = slice(first, first + chunk)
        found = gradient(live, *(s[part] for s in _tensors(batch)))
        for name, value in found.items():
            total[name].add_(value, alpha=chunk / tasks)
    return total


def _tensors(batch: Batch) -> tuple[Tensor, ...]:
    past, future = batch.past, batch.future
    return past.x, past.y, future.x, future.y


def _outer(problem: Problem, rule: GradientStep) -> Callable[..., Tensor]:
    mlp = problem.model.mlp

    def inner_loss(network: Parameters, x: Tensor, y: Tensor) -> Tensor:
        return torch.nn.functional.huber_loss(mlp.forward(network, x), y, delta=rule.limit)

    def task_loss(live: Parameters, *segments: Tensor) -> Tensor:
        past_x, past_y, future_x, future_y = segments
        network = {name: value for name, value in live.items() if not name.startswith("psi.")}
        for s in range(rule.steps):
            slope: Parameters = torch.func.grad(inner_loss)(network, past_x, past_y)
            network = {
                name: value - live[f"psi.{name}"][s].exp() * slope[name]
                for name, value in network.items()
            }
        return (mlp.forward(network, future_x) - future_y).square().mean()

    def loss(live: Parameters, *segments: Tensor) -> Tensor:
        each: Any = torch.func.vmap(task_loss, in_dims=(None, 0, 0, 0, 0))
        mean: Tensor = each(live, *segments).mean()
        return mean

    return loss


def peak_memory(run: Run) -> float | None:
    """Most resident memory while it runs, beyond that before [MB]; None if it is not told.

    Linux counts the peak from when its mark is reset (proc(5): clear_refs, VmHWM).
    """
    try:
        CLEAR.write_text("5")
        before = _status("VmRSS")
    except OSError:
        run()
        return None
    run()
    return max(0.0, _status("VmHWM") - before)


def _status(name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE)
    if found is None:
        raise OSError(f"{STATUS}: no {name}")
    return int(found.group(1)) / 1024
