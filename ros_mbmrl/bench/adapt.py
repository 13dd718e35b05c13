"""`bench adapt`: one live adaptation with the guard, over a bare forward and backward pass.

And GSSM's encoder, which takes no gradient, over GrBAL's adaptation to the same window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Generator

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Adapted, Window
from ros_mbmrl.adaptation.guard import Guard, GuardConfig, support_of
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.bench.problem import Problem, check_network, make_problem, make_window
from ros_mbmrl.bench.timing import Findings, Run, at_least, interleave, pinned
from ros_mbmrl.networks.ensemble import Ensemble, unstacked

ADAPT, BARE, ENSEMBLE = "adapt", "forward and backward", "adapt, ensemble"
MEMBERS = 4
LOOK, LONG = "gssm encoder, T1 = 32", "adapt, T1 = 32"
CONTEXT = 32  # T1 of the two


@dataclass(frozen=True)
class Config:
    """Settings; window: transitions adapted to (T1), steps: of the inner gradient descent."""

    window: int = 16
    steps: int = 1
    hidden: tuple[int, ...] = (512, 512, 512)
    activation: str = "silu"
    threads: int = 1
    repeats: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, steps=self.steps, threads=self.threads, repeats=self.repeats)
        at_least(GuardConfig().min_transitions, window=self.window)
        check_network(self.hidden, self.activation)


QUICK = Config(hidden=(32, 32), repeats=5)


def run(config: Config) -> Findings:
    """Measure adaptation and bare passes in turn."""
    with pinned(config.threads):
        generator = Generator().manual_seed(config.seed)
        problem = make_problem(config.hidden, config.activation, generator)
        window = make_window(problem, config.window, generator)
        guard, whole = make_guard(problem, config), ensemble_of(problem)
        of_all = make_guard(whole, config)
        long, looking = make_window(problem, CONTEXT, generator), gssm_guard(problem, config)
        of_long = make_guard(problem, replace(config, window=CONTEXT))
        accepted = adapted(problem, guard, window).report.accepted
        contenders: dict[str, Run] = {
            ADAPT: lambda: adapted(problem, guard, window),
            BARE: bare(problem, window),
            "adapt, not judged": lambda: not_judged(problem, guard, window),
            ENSEMBLE: lambda: adapted(whole, of_all, window),
            LONG: lambda: adapted(problem, of_long, long),
            LOOK: lambda: not_judged(problem, looking, long),
            "gssm adapt, T1 = 32": lambda: adapted(problem, looking, long),
        }
        times = interleave(contenders, config.repeats, warm_up=10)
    told, goal = "guarded adaptation over a pass", "at most 1.5"
    alone, many = "the update alone over a pass", f"an ensemble of {MEMBERS} over one network"
    figures = (
        times.figure("over_forward_backward", ADAPT, BARE, told, goal),
        times.figure("update_over_forward_backward", "adapt, not judged", BARE, alone),
        times.figure("ensemble_over_one", ENSEMBLE, ADAPT, many),
        times.figure("gssm_over_adapt", LOOK, LONG, "GSSM's encoder over GrBAL", "at most 0.1"),
    )
    return Findings(figures, times, {"ms": 1e3 * times.median(ADAPT), "accepted": accepted})


def make_guard(problem: Problem, config: Config) -> Guard:
    """Return GrBAL under guard, with the step sizes that meta-training starts from."""
    rule, mlp = make_rule("grbal", {"steps": config.steps}), problem.model.mlp
    own = over(rule, mlp).init(mlp, problem.parameters, Generator().manual_seed(config.seed))
    parameters = {**problem.parameters, **own}
    return Guard(rule, parameters, config.window, GuardConfig())


def gssm_guard(problem: Problem, config: Config) -> Guard:
    """Return GSSM under guard."""
    rule = make_rule("gssm")
    generator = Generator().manual_seed(config.seed)
    own = rule.init(problem.model.mlp, problem.parameters, generator)
    return Guard(rule, {**problem.parameters, **own}, CONTEXT, GuardConfig())


def ensemble_of(problem: Problem) -> Problem:
    """Return the problem with an ensemble whose members equal its network: as much to adapt to."""
    model = problem.model
    mlp = Ensemble(model.mlp.sizes, model.mlp.activation, MEMBERS)
    members = [{k: v.clone() for k, v in problem.parameters.items()} for _ in range(MEMBERS)]
    return replace(problem, model=replace(model, mlp=mlp), parameters=unstacked(members))


def adapted(problem: Problem, guard: Guard, window: Window) -> Adapted:
    """Adapt as the control loop does with a full window."""
    return guard.adapt(problem.model, window)


@torch.inference_mode()
def not_judged(problem: Problem, guard: Guard, window: Window) -> object:
    """Compute the update and the adapted weights, without the guard's judgement."""
    model = problem.model
    support = support_of(model, window.features[None], window.actions[None], window.changes[None])
    update = guard.rule.update(model.mlp, guard.parameters, support)
    return model.mlp.materialise(guard.parameters, update)


def bare(problem: Problem, window: Window) -> Run:
    """Return the mean squared error of the same batch and its gradient, by autograd."""
    model, mlp = problem.model, problem.model.mlp
    names = [f"{kind}{k}" for k in range(mlp.layers) for kind in "wb"]
    live = {name: problem.parameters[name].clone().requires_grad_() for name in names}
    x = model.normalizer.inputs(window.features, window.actions)
    y = model.normalizer.changes(window.changes)

    def passes() -> object:
        loss = (mlp.forward(live, x) - y).square().mean()
        return torch.autograd.grad(loss, list(live.values()))

    return passes
