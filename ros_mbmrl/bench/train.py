"""`bench train`: the gradient of a meta-training step, over vmap(grad) and its matrix products.

The peer uses torch.func: an inner gradient step of each task by grad, all tasks at once by vmap,
and the gradient of that (thesis eq. 22). Every task's own weights take memory, so it is fastest in
chunks of the batch: it is measured with the best chunk size, and once in the simplest form, all
tasks at once. It is in float32.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.bench.problem import Problem, check_network, make_problem
from ros_mbmrl.bench.products import NO_BFLOAT16, Floor, bfloat16_slowdown, products_of
from ros_mbmrl.bench.timing import Figure, Findings, Run, Times, at_least, interleave, pinned
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.networks.groups import NETWORK, PSI
from ros_mbmrl.networks.mlp import Parameters

STEP, FLOOR, HALF = "meta-gradient", "matrix products", ", bfloat16"
PEER, WHOLE = "vmap(grad)", "vmap(grad), all at once"
CHUNKS = (10, 25, 50, 100)
COPIES = 8  # of all tasks' weights that the peer holds at once (measured: 6.7)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Config:
    """Settings.

    Args:
        segments: tasks in a step.
        segment_length: T1 and T2.
        steps: of the inner gradient descent.
        chunk: tasks that the peer does at once; None: the fastest of CHUNKS, tried once.
    """

    segments: int = 500
    segment_length: int = 32
    steps: int = 1
    chunk: int | None = None
    hidden: tuple[int, ...] = (512, 512, 512)
    activation: str = "silu"
    threads: int = 1
    repeats: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, segments=self.segments, segment_length=self.segment_length, steps=self.steps)
        at_least(1, threads=self.threads, repeats=self.repeats)
        if self.chunk is not None:
            at_least(1, chunk=self.chunk)
        check_network(self.hidden, self.activation)


QUICK = Config(segments=8, segment_length=6, chunk=4, hidden=(32, 32), repeats=3)


@dataclass(frozen=True)
class Batch:
    """Input of a step: the rule and its parameters with the network's, past and future segments."""

    rule: GradientStep
    parameters: Parameters
    past: Support
    future: Support


def run(config: Config) -> Findings:
    """Measure gradients and their peers, in turn, and the memory of each alone."""
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        problem = make_problem(config.hidden, config.activation, generator)
        batch = make_batch(problem, config, generator)
        products = products_of(gradient(problem, batch))
        slowdown = bfloat16_slowdown(products, generator)
        contenders, memory = {}, {}
        for suffix, dtype in (("", torch.float32), (HALF, torch.bfloat16)):
            if dtype is torch.float32 or slowdown < 1:
                memory[STEP + suffix] = peak_memory(gradient(problem, batch, dtype))
                contenders[STEP + suffix] = gradient(problem, batch, dtype)
                contenders[FLOOR + suffix] = Floor(products, generator, dtype).run
        chunk = config.chunk or fastest(problem, batch)
        contenders[PEER] = vmap(problem, batch, chunk)
        memory[PEER] = peak_memory(contenders[PEER])
        whole, memory[WHOLE] = at_once(problem, batch)
        times = interleave(contenders, config.repeats, warm_up=1)
    facts = {
        "ms": 1e3 * times.median(STEP),
        "products": len(products),
        "gflop": sum(product.operations for product in products) / 1e9,
        "chunk": chunk,
        "all_at_once_ms": None if whole is None else 1e3 * whole,
        "peak_memory_mb": memory,
    }
    told = {name: "?" if peak is None else f"{peak:.0f} MB" for name, peak in memory.items()}
    notes = [
        f"{PEER}: {config.segments} tasks, {chunk} at once; all at once: once, not in turn",
        "peak memory: " + "; ".join(f"{name} {peak}" for name, peak in told.items()),
    ]
    if slowdown >= 1:
        notes.append(NO_BFLOAT16.format(slowdown))
    return Findings(figures(times, whole), times, facts, tuple(notes))


def figures(times: Times, whole: float | None) -> tuple[Figure, ...]:
    """Return the ratios of `--json`. whole: seconds of the peer with all tasks at once."""
    ratio, part = times.figure, "part of the time that is products"
    over_whole = None if whole is None else times.median(STEP) / whole
    return (
        ratio("over_vmap_grad", STEP, PEER, "over torch.func's vmap(grad)", "at most 0.40"),
        ratio("bfloat16_over_vmap_grad", STEP + HALF, PEER, "the same in bfloat16"),
        Figure("over_vmap_grad_at_once", over_whole, "float32, over that with all tasks at once"),
        ratio("gemm_fraction", FLOOR, STEP, part, "at least 0.5"),
        ratio("bfloat16_gemm_fraction", FLOOR + HALF, STEP + HALF, "the same in bfloat16"),
    )


def make_batch(problem: Problem, config: Config, generator: Generator) -> Batch:
    """Return segments of noise, because the computing time does not depend on the values."""
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


def gradient(problem: Problem, batch: Batch, dtype: torch.dtype | None = None) -> Run:
    """Return a run of eq. 22's gradient as this project's trainer computes it."""
    take = MetaGradient(problem.model.mlp, batch.rule, dtype)
    return lambda: take(batch.parameters, batch.past, batch.future)


def vmap(problem: Problem, batch: Batch, chunk: int) -> Run:
    """Return a run of the same gradient with torch.func, `chunk` tasks at once."""
    return lambda: vmap_gradient(problem, batch, chunk)


def fastest(problem: Problem, batch: Batch) -> int:
    """Return the number of tasks at once with which the peer is fastest."""
    sizes = sorted({min(chunk, len(batch.past.x)) for chunk in CHUNKS})
    times = interleave({str(size): vmap(problem, batch, size) for size in sizes}, 1, warm_up=1)
    return min(sizes, key=lambda size: times.median(str(size)))


def at_once(problem: Problem, batch: Batch) -> tuple[float | None, float | None]:
    """Return seconds and memory of the peer with all tasks at once; None if memory is too small."""
    tasks = len(batch.past.x)
    each = sum(value.nbytes for value in batch.parameters.values())
    if COPIES * tasks * each > psutil.virtual_memory().available:
        return None, None
    seconds: list[float] = []

    def run() -> None:
        times = interleave({WHOLE: vmap(problem, batch, tasks)}, 1, warm_up=0)
        seconds.append(times.median(WHOLE))

    peak = peak_memory(run)
    return seconds[0], peak


def vmap_gradient(problem: Problem, batch: Batch, chunk: int) -> Parameters:
    """Compute the gradient of `vmap`, by name."""
    tasks = len(batch.past.x)
    live = {name: value.detach() for name, value in batch.parameters.items()}
    total = {name: torch.zeros_like(value) for name, value in live.items()}
    take: Callable[..., Parameters] = torch.func.grad(_outer(problem, batch.rule))
    for first in range(0, tasks, chunk):
        part = slice(first, first + chunk)
        segments = [each[part] for each in _tensors(batch)]
        for name, value in take(live, *segments).items():
            total[name].add_(value, alpha=len(segments[0]) / tasks)
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
        network, own = NETWORK.part(live), PSI.part(live)
        for s in range(rule.steps):
            slope: Parameters = torch.func.grad(inner_loss)(network, past_x, past_y)
            network = {
                name: value - own[name][s].exp() * slope[name] for name, value in network.items()
            }
        return (mlp.forward(network, future_x) - future_y).square().mean()

    def loss(live: Parameters, *segments: Tensor) -> Tensor:
        each: Any = torch.func.vmap(task_loss, in_dims=(None, 0, 0, 0, 0))
        mean: Tensor = each(live, *segments).mean()
        return mean

    return loss


def peak_memory(run: Run) -> float | None:
    """Return the peak of resident memory of a run, above that before [MB]; None if unknown.

    Linux counts the peak from when its mark is reset (proc(5): clear_refs, VmHWM). Memory that
    glibc keeps after it was freed would not be counted again, so glibc is told to release it.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
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
