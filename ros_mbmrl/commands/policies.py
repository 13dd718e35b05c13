"""Job of `mbmrl train` for a method that learns a policy: settings, training, policy folder."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ros_mbmrl.adaptation.guard import GuardConfig
from ros_mbmrl.agents.base import Context
from ros_mbmrl.commands.recipe import read_settings, told
from ros_mbmrl.commands.reporter import Reporter, how_to_watch
from ros_mbmrl.dynamics.card import ADAPTED, POLICY_MODEL
from ros_mbmrl.dynamics.files import save_model
from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.policies.gssm_config import PLANNED
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.learning.policies.simulated_tasks import HORIZONS, simulated_tasks
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.policies.video import write_video
from ros_mbmrl.learning.run import CHECKPOINT
from ros_mbmrl.learning.tracking import tracking
from ros_mbmrl.methods import make_method
from ros_mbmrl.plugins import expected, imported
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.files import LoadedPolicy, save_policy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.runtime.kept import plain
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.situations import POSSIBLE, Situation

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

# Arguments that a policy's training heeds.
HEEDED = {"method", "robot", "data", "out", "recipe", "situations", "task", "budget", "seed"}
HEEDED |= {"fresh", "json", "video", "set", "track"}
ASYNCHRONOUS = "asynchronous"  # section of settings that are not the method's
VIDEO, LONGEST = "video.gif", 300  # in the policy's folder; control periods


def train_policy(arguments: Train) -> dict[str, Any]:
    """Train and write the policy's folder, or go on from the checkpoint in it.

    Returns:
        The folder, the curve, transitions in all, and the mean returns of the last iteration
        before and after adaptation.

    Raises:
        UserError: an argument that would not be heeded, or what the recipe, the task or the
            situations cannot be.
    """
    refuse_unheeded(arguments)
    value = make_method(arguments.method).learner
    method = imported(value)
    expected(value, "a PolicyMethod", isinstance(method, PolicyMethod), method)
    tasks = simulated_tasks(arguments.robot, arguments.situations, method.across)
    if arguments.task:
        choose("task", arguments.task, tasks.robot.tasks()[:1])  # the one that rewards are of
    config = configured(method, arguments)
    if getattr(config, "acting", "") == PLANNED:
        raise UserError(
            f"method '{arguments.method}' plans in its model and learns no policy: expected "
            "--set acting=fine_tuned, or the study (`mbmrl evaluate gssm`)"
        )
    torch.set_num_threads(1)  # two threads on matrices this small only wait for each other
    if arguments.fresh:
        (arguments.out / CHECKPOINT).unlink(missing_ok=True)
    out, title = arguments.out, f"{arguments.method} on {arguments.robot}"
    with (
        tracking(arguments.track, out, {"method": arguments.method, **plain(config)}) as tracker,
        Reporter(out, title, tracker) as report,
    ):
        trained = method.train(tasks, config, out, report)
    write(arguments, tasks, config, trained)
    if arguments.video:
        print(video(arguments, tasks, config, trained))
    last = trained.curve[-1]
    print(f"{arguments.out}: return {last.mean_return:.4g}, before {last.mean_return_before:.4g}")
    print(how_to_watch(arguments.out))
    return {
        "policy": str(arguments.out),
        "curve": [asdict(point) for point in trained.curve],
        "transitions": last.transitions,
        "before": last.mean_return_before,
        "after": last.mean_return,
    }


def write(arguments: Train, tasks: Tasks, config: Any, trained: TrainedPolicy) -> None:
    """Write the policy's folder, and in it the folder of the model that it learned in, if any."""
    facts = {
        "method": arguments.method,
        "seed": arguments.seed,
        "situations": list(tasks.names),
        **told_task(tasks),
        "training": plain(config),
        "command": shlex.join(["mbmrl", *sys.argv[1:]]),
    }
    inner = getattr(config, "inner", None)
    save_policy(arguments.out, tasks.robot, trained, facts, inner)
    if inner is not None and tasks.robot.spec.name in POSSIBLE:  # no graph runs a point
        adapted = practised(tasks, trained, inner, arguments.seed)
        save_policy(arguments.out / ADAPTED, tasks.robot, adapted, facts)
    if trained.model is not None:
        model = facts_of(config.model, {}, GuardConfig.min_transitions)
        save_model(arguments.out / POLICY_MODEL, *trained.model, model)


def video(arguments: Train, tasks: Tasks, config: Any, trained: TrainedPolicy) -> str:
    """Write an episode of the policy as VIDEO; return a line that says where, or why not."""
    inner = getattr(config, "inner", None)
    path, steps = arguments.out / VIDEO, (inner or config).horizon
    try:
        write_video(path, tasks, as_loaded(trained, inner), min(steps, LONGEST), arguments.seed)
    except RunError as error:
        return f"no video: {error}"
    return f"video: {path}"


def as_loaded(trained: TrainedPolicy, inner: InnerConfig | None) -> LoadedPolicy:
    """Return the policy as it comes from its folder."""
    own = trained.policy, trained.parameters
    return LoadedPolicy(*own, {}, inner, trained.baselines, trained.latent)


def told_task(tasks: Tasks) -> dict[str, str]:
    """Return what a card says of the task that rewards are of; nothing of rewards of their own."""
    (name, *_) = (*tasks.names, "")
    known = BENCHMARKS[name].task if name in BENCHMARKS else (*tasks.robot.tasks(), "")[0]
    return {"task": known} if known else {}


def practised(tasks: Tasks, trained: TrainedPolicy, inner: InnerConfig, seed: int) -> TrainedPolicy:
    """Return the policy after its inner steps on the robot as it should be, to act at once."""
    situation = [Situation()]
    world = tasks.make(situation, [seed])
    context = Context(tasks.robot, [seed], world.tasks(), world.goals)
    own = practise(as_loaded(trained, inner), tasks.make, situation, context)
    return replace(trained, parameters={name: v[0] for name, v in own.items()}, baselines=())


def refuse_unheeded(arguments: Train, *also: str) -> None:
    """Raise UserError for an argument that means nothing to a policy's training.

    also: arguments that mean something in this case.
    """
    if arguments.data not in ((), (Path("twin"),)):
        raise UserError(
            f"data: method '{arguments.method}' practises in simulation: expected none or `twin`"
        )
    for each in fields(arguments):
        if each.name not in HEEDED.union(also) and getattr(arguments, each.name) != each.default:
            name = each.name.replace("_", "-")
            raise UserError(f"method '{arguments.method}' learns a policy: it has no --{name}")


def configured(method: PolicyMethod, arguments: Train) -> Any:
    """Return the settings: defaults, those of recipe and --set, and --budget.

    The horizon of an environment is the default for its episodes.
    """
    path, words = arguments.recipe, arguments.set
    settings = read_settings(path, arguments.method, words)
    if arguments.asynchronous:
        settings.pop(ASYNCHRONOUS, None)
    if "seed" in settings:
        raise told(path, words, UserError("'seed': expected the seed as --seed"))
    if arguments.robot in HORIZONS:
        settings = {"horizon": HORIZONS[arguments.robot], **settings}
    if arguments.budget:
        settings = {**settings, "budget": arguments.budget}
    try:
        return method.configured(arguments.seed, settings)
    except (TypeError, ValueError) as error:  # a UserError is a ValueError
        raise told(path, words, error) from None
