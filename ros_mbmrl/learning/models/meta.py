"""Meta-training: Algorithm 9 of the thesis, lines 8 to 15, for every update rule.

First a supervised fit of the prior (a warm start: it halves the time at equal error); then, for
a rule that is meta-trained, the meta-objective of eq. 22 and 23 over past and future segments.
The model kept is the one with the lowest validation error *after* the update, open loop.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.learning.models.objective import ByAutograd, Gradient, meta_loss, supervised_loss
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import Augment, SegmentSampler, Transitions
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot

CPU = torch.device("cpu")
# Of a change's deviation: a window as wrong as that is lost, and how wrong is no matter. Otherwise
# a few in poses that were never trained on would choose the model.
LOST = 3.0


class Progress(Protocol):
    """Told once a validation: phase, step, steps in all, and scalars to log."""

    def __call__(self, phase: str, step: int, total: int, scalars: Mapping[str, float]) -> None:
        """Takes note."""


@dataclass(frozen=True)
class Trained:
    """A model, its rule and parameters, and how it scored on the validation runs."""

    model: DynamicsModel
    rule: UpdateRule
    parameters: Parameters
    scores: dict[str, float]


class Trainer:
    """One training run: supervised phase, then (for meta-trained rules) the meta phase.

    parameters: to go on from, psi included, as Algorithm 9 does when there is more data; what the
    rule has of its own starts anew if they are another rule's. See `warm_start.carried`.
    device: of everything but the draws, which are the same on all of them.
    """

    def __init__(
        self,
        model: DynamicsModel,
        config: TrainConfig,
        training: Transitions,
        validation: Transitions,
        progress: Progress | None = None,
        resume_from: Path | None = None,
        parameters: Parameters | None = None,
        device: torch.device = CPU,
    ) -> None:
        self.model, self.config, self._device = model.to(device), config, device
        self.rule = make_rule(config.method, config.options).training_rule
        self._training, self._validation = training.to(device), validation.to(device)
        windows = config.adapt_windows, config.predict_window
        self._sampler = SegmentSampler(self._training, *windows, _augmentation(model, config))
        self._progress = progress or (lambda *_: None)
        self._path = resume_from
        self._generator = Generator().manual_seed(config.seed)
        self._warm = parameters is not None
        self._parameters = parameters or model.mlp.init(self._generator)
        steps = {"supervised": config.supervised_steps, "meta": config.meta_steps}
        if not self.rule.meta_trained:
            del steps["meta"]
        self._phases = [(phase, count) for phase, count in steps.items() if count]
        if not self._phases:
            raise UserError(f"no steps to train {config.method} in: expected supervised_steps")

    def run(self) -> Trained:
        """Trains to the end, from the checkpoint if there is one."""
        tensors, state = self._checkpoint()
        self._validate("supervised", self._parameters)  # too little data is said now, not later
        best = float("inf")
        for index, (phase, steps) in enumerate(self._phases):
            if index < state.get("phase", 0):
                continue
            resuming = state.get("phase") == index
            if resuming:
                self._parameters = tensor_file.unflatten("parameters", tensors)
            elif phase == "meta":
                self._parameters = self._with_own(self._parameters)
            best = self._phase(phase, index, steps, tensors, state if resuming else {})
        scores = {"validation_after": best, **self._scores()}
        return Trained(self.model.to(CPU), self.rule, self._parameters, scores)

    def _with_own(self, parameters: Parameters) -> Parameters:
        """The network with the rule's own parameters: those that there are, or fresh ones."""
        own = self.rule.init(self.model.mlp, parameters, self._generator)
        given = {name: value for name, value in parameters.items() if "." in name}
        if {k: v.shape for k, v in given.items()} == {k: v.shape for k, v in own.items()}:
            return parameters
        network = {name: value for name, value in parameters.items() if "." not in name}
        return {**network, **own}

    def _phase(
        self, phase: str, index: int, steps: int, tensors: dict[str, Tensor], state: dict[str, Any]
    ) -> float:
        config, gradient = self.config, self._gradient(phase)
        live = {
            name: value.to(self._device, copy=True).requires_grad_(not name.startswith("frozen."))
            for name, value in sorted(self._parameters.items())  # a file keeps no other order
        }
        trained = {name: value for name, value in live.items() if value.requires_grad}
        optimiser = self._optimiser(trained)
        first, best, bad = 0, float("inf"), 0
        kept = {name: value.detach().clone() for name, value in live.items()}
        if state:
            first, best, bad = state["step"], state["best"], state["bad"]
            kept = _moved(tensor_file.unflatten("best", tensors), self._device)
            _restore(optimiser, trained, tensors)
            self._generator.set_state(tensors["generator"])
        elif self._warm:  # where it starts from may be as good as it gets
            _, best = self._validate(phase, kept)
        schedule = _cosine(steps)
        for step in range(first, steps):
            if bad >= config.patience:
                break
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * schedule(step)
            loss, norm = self._step(gradient, live, trained, optimiser)
            if (step + 1) % config.validate_every and step + 1 < steps:
                continue
            plain = {name: value.detach() for name, value in live.items()}
            before, after = self._validate(phase, plain)
            improved = after < best
            best, bad = (after, 0) if improved else (best, bad + 1)
            if improved:
                kept = {name: value.clone() for name, value in plain.items()}
            scalars = {"loss": loss, "gradient": norm, "before": before, "after": after}
            self._progress(phase, step + 1, steps, scalars)
            saved = {"phase": index, "step": step + 1, "best": best, "bad": bad}
            self._save(live, kept, optimiser, trained, saved)
        self._parameters = _moved(kept, CPU)
        return best

    def _optimiser(self, trained: Parameters) -> torch.optim.AdamW:
        config = self.config
        psi = [value for name, value in trained.items() if name.startswith("psi.")]
        rest = [value for name, value in trained.items() if not name.startswith("psi.")]
        rate = config.learning_rate
        groups: list[dict[str, Any]] = [{"params": rest, "initial_lr": rate}]
        if psi:  # decay would pull each step size towards 1
            groups.append({"params": psi, "initial_lr": rate * config.psi_rate, "weight_decay": 0})
        return torch.optim.AdamW(groups, lr=rate, weight_decay=config.weight_decay)

    def _gradient(self, phase: str) -> Gradient:
        mlp = self.model.mlp
        dtype = torch.bfloat16 if self.config.precision == "bfloat16" else None
        if phase == "supervised":
            return ByAutograd(mlp, partial(supervised_loss, mlp), dtype)
        if isinstance(self.rule, GradientStep):
            return MetaGradient(mlp, self.rule, dtype)
        return ByAutograd(mlp, partial(meta_loss, mlp, self.rule), dtype)

    def _step(
        self,
        gradient: Gradient,
        live: Parameters,
        trained: Parameters,
        optimiser: torch.optim.Optimizer,
    ) -> tuple[float, float]:
        past, future = (
            self._noisy(part)
            for part in self._sampler.draw(self.model, self.config.batch, self._generator)
        )
        loss, found = gradient(live, past, future)
        for name, value in trained.items():
            value.grad = found.get(name)
        norm = torch.nn.utils.clip_grad_norm_(list(trained.values()), self.config.gradient_limit)
        if torch.isfinite(norm):  # several inner steps can explode: that batch is left out
            optimiser.step()
        return float(loss), float(norm)

    def _noisy(self, support: Support) -> Support:
        if self.config.noise == 0.0:
            return support
        noise = torch.randn(support.x.shape, generator=self._generator).to(support.x)
        return replace(support, x=support.x + self.config.noise * noise)

    def _validate(self, phase: str, parameters: Parameters) -> tuple[float, float]:
        rule = self.rule if phase == "meta" else make_rule("mb")
        parameters = _moved(parameters, self._device)
        guard = Guard(rule, parameters, max(self.config.adapt_windows), GuardConfig(enabled=False))
        errors = open_loop_errors(
            self.model, guard, self._validation, self.config.horizon, stride=5
        ).normalised
        before, after = errors.nan_to_num(nan=LOST).clamp(max=LOST).mean(dim=(1, 2))
        return float(before), float(after)

    def _scores(self) -> dict[str, float]:
        before, after = self._validate(self._phases[-1][0], self._parameters)
        return {"open_loop_before": before, "open_loop_after": after}

    def _checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        if self._path is None or not self._path.exists():
            return {}, {}
        tensors, state = tensor_file.load(self._path)
        run = state.get("run") or {}
        for name, expected in self._identity().items():
            if run.get(name) != expected:
                raise UserError(
                    f"{self._path}: of another run: {name} is {run.get(name)!r}, expected "
                    f"{expected!r}; train into another folder, or anew with --fresh"
                )
        return tensors, state

    def _identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to be carried on with."""
        robot = self.model.robot.spec.name
        rows = {"training": len(self._training), "validation": len(self._validation)}
        mean = round(float(self.model.normalizer.change_mean.double().sum()), 6)
        facts = {"robot": robot, **asdict(self.config), "rows": rows, "mean_change": mean}
        plain: dict[str, Any] = json.loads(json.dumps(facts))
        return plain

    def _save(
        self,
        live: Parameters,
        kept: Parameters,
        optimiser: torch.optim.Optimizer,
        trained: Parameters,
        state: dict[str, Any],
    ) -> None:
        if self._path is None:
            return
        tensors = {
            **tensor_file.flatten("parameters", live),
            **tensor_file.flatten("best", kept),
            "generator": self._generator.get_state(),
        }
        for name, value in trained.items():
            for key, moment in optimiser.state[value].items():
                tensors[f"adam/{name}/{key}"] = moment
        state = {**state, "run": self._identity()}
        tensor_file.save(self._path, _moved(tensors, CPU), state)


def _restore(
    optimiser: torch.optim.Optimizer, trained: Parameters, tensors: Mapping[str, Tensor]
) -> None:
    for name, value in trained.items():
        moments = tensor_file.unflatten(f"adam/{name}", tensors)
        if moments:  # none before the first step that was not left out
            step = moments.pop("step")  # stays on the CPU
            optimiser.state[value] = {"step": step, **_moved(moments, value.device)}


def _moved(tensors: Mapping[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    return {name: value.to(device) for name, value in tensors.items()}


def _augmentation(model: DynamicsModel, config: TrainConfig) -> Augment | None:
    try:
        return model.robot.augmentation(config.augmentation) if config.augmentation else None
    except (TypeError, ValueError) as error:
        raise UserError(f"augmentation: {error}") from None


def _cosine(steps: int) -> Callable[[int], float]:
    """From 1 down to 0.05 of the learning rate."""
    return lambda step: 0.05 + 0.475 * (1 + math.cos(math.pi * step / steps))


def new_model(training: Transitions, config: TrainConfig, robot: Robot) -> DynamicsModel:
    """A model of the configured size, normalised over all training data."""
    spec = robot.spec
    inputs = len(spec.features) + len(spec.action)
    mlp = MLP((inputs, *config.hidden, len(spec.changes)), config.activation)
    return DynamicsModel(robot, mlp, training.normalizer())
