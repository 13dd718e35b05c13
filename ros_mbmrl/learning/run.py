"""Run: how a training goes, whatever is learned: phases, validations, the checkpoint.

A `Learner` knows how one update is made. The run calls it, lowers the learning rate by a cosine,
keeps the best of what was validated, stops after validations without improvement, and writes a
checkpoint from which an interrupted run gives bit for bit what an uninterrupted one gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.runtime.kept import plain

CHECKPOINT = "checkpoint.safetensors"  # its name in the folder of what is trained
LEARNED, BEST = "parameters", "best"  # prefixes in snapshots and checkpoints

Tensors = dict[str, Tensor]
S = TypeVar("S", contravariant=True)


class Learner(Protocol[S]):
    """Improve parameters, one update at a time.

    Attributes:
        rate: share of its learning rate that the next update takes; the run sets it.
    """

    rate: float

    def update(self, store: S, generator: Generator) -> Mapping[str, float]:
        """Make one update from data of `store`; return scalars to log."""

    def snapshot(self) -> Tensors:
        """Return all that the next update needs; under `parameters/` stands what is learned."""

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot; names that are not the learner's are to be ignored."""


# Told once a validation: phase, step, steps in all, and scalars to log.
Progress = Callable[[str, int, int, Mapping[str, float]], None]


def silent(phase: str, step: int, steps: int, scalars: Mapping[str, float]) -> None:
    """Tell nobody: a `Progress`."""


@dataclass(frozen=True)
class Phase(Generic[S]):
    """A part of a run with a learner of its own.

    Attributes:
        name: shown with its progress.
        steps: updates in all.
        begin: makes the learner from the parameters that the phase before it kept.
        judge: scalars of parameters, among them `after`, which is to be low. None: the newest
            parameters are the best.
    """

    name: str
    steps: int
    begin: Callable[[Tensors], Learner[S]]
    judge: Callable[[Tensors], Mapping[str, float]] | None = None


@dataclass
class Position:
    """Place that a run has reached.

    Attributes:
        phase: its number.
        step: updates made in it.
        best: lowest error `after` in it; infinite where nothing judges.
        bad: validations since.
        log: `phase`, `step` and scalars of every validation of the run.
    """

    phase: int = 0
    step: int = 0
    best: float = math.inf
    bad: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Run(Generic[S]):
    """Phases one after the other, each from the best of the one before it.

    Attributes:
        phases: at least one.
        store: where learners take their data from.
        generator: source of everything that learners draw.
        identity: what must be the same for a checkpoint to be carried on with.
        path: file of the checkpoint; None for no checkpoint.
        every: updates between validations; the last update of a phase is always followed by one.
        patience: validations without improvement before a phase stops; None for no limit.
        warm: the first parameters were trained before, so a phase keeps those that it begins with
            if nothing gets better.
        progress: told once a validation.
    """

    phases: tuple[Phase[S], ...]
    store: S
    generator: Generator
    identity: Mapping[str, Any]
    path: Path | None = None
    every: int = 1
    patience: int | None = None
    warm: bool = False
    progress: Progress = silent

    def run(self, start: Tensors) -> tuple[Tensors, Position]:
        """Train to the end, from the checkpoint if there is one, else from `start`.

        Returns:
            The best parameters of the last phase, and where the run ended.

        Raises:
            UserError: the checkpoint is of another run, or not readable.
        """
        found, at = self._checkpoint()
        kept, first = start, at.phase
        for index in range(first, len(self.phases)):
            at = at if index == first else Position(index, log=at.log)
            kept = self._phase(at, kept, found if index == first else {})
        return kept, at

    def _phase(self, at: Position, start: Tensors, found: Tensors) -> Tensors:
        """Train a phase to its end; `found` are the tensors to resume it with, if there are any."""
        phase = self.phases[at.phase]
        learner = phase.begin(tensor_file.unflatten(LEARNED, found) if found else start)
        if found:
            learner.restore(found)
            kept = tensor_file.unflatten(BEST, found)
            self.generator.set_state(found["generator"])
        else:
            kept = copied(_learned(learner))
            if self.warm and phase.judge:
                at.best = phase.judge(_learned(learner))["after"]
        while at.step < phase.steps and (self.patience is None or at.bad < self.patience):
            learner.rate = cosine(at.step, phase.steps)
            scalars = learner.update(self.store, self.generator)
            at.step += 1
            if at.step % self.every and at.step < phase.steps:
                continue
            improved, judged = True, dict[str, float]()
            if phase.judge:
                judged = dict(phase.judge(_learned(learner)))
                improved = judged["after"] < at.best
                at.best = min(at.best, judged["after"])
            kept, at.bad = (copied(_learned(learner)), 0) if improved else (kept, at.bad + 1)
            scalars = {**scalars, **judged}
            at.log.append({"phase": phase.name, "step": at.step, **scalars})
            self.progress(phase.name, at.step, phase.steps, scalars)
            self._save(learner, kept, at)
        return kept

    def _save(self, learner: Learner[S], kept: Tensors, at: Position) -> None:
        if self.path is not None:
            tensors = {**learner.snapshot(), **tensor_file.flatten(BEST, kept)}
            tensors["generator"] = self.generator.get_state()
            cpu = {name: value.to("cpu") for name, value in tensors.items()}
            tensor_file.save(self.path, cpu, {**asdict(at), "run": plain(self.identity)})

    def _checkpoint(self) -> tuple[Tensors, Position]:
        """Return tensors and position to resume at: none, and the beginning, without a file."""
        if self.path is None or not self.path.exists():
            return {}, Position()
        tensors, state = tensor_file.load(self.path)
        run = state.pop("run", None) or {}
        advice = "train into another folder, or without this checkpoint (`mbmrl train --fresh`)"
        for name, expected in plain(self.identity).items():
            if run.get(name) != expected:
                got = f"{name} is {run.get(name)!r}, expected {expected!r}"
                raise UserError(f"{self.path}: of another run: {got}; {advice}")
        known = {each.name for each in fields(Position)}
        if "generator" not in tensors or not state.keys() <= known or "step" not in state:
            raise UserError(f"{self.path}: written by another version; {advice}")
        return tensors, Position(**state)


def cosine(step: int, steps: int) -> float:
    """Return the share of the learning rate at an update: from 1 down to 0.05."""
    return 0.05 + 0.475 * (1 + math.cos(math.pi * step / steps))


def copied(tensors: Mapping[str, Tensor]) -> Tensors:
    """Return copies on the CPU, without gradients."""
    return {k: v.detach().to("cpu", copy=True) for k, v in tensors.items()}


def _learned(learner: Learner[Any]) -> Tensors:
    return tensor_file.unflatten(LEARNED, learner.snapshot())
