"""Job of `mbmrl train --asynchronous`: workers, driver, live figures, folder of the result."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from ros_mbmrl.adaptation import check_method
from ros_mbmrl.commands.asynchronous_view import View
from ros_mbmrl.commands.policies import ASYNCHRONOUS, configured, refuse_unheeded, told_task
from ros_mbmrl.commands.recipe import read_settings, told
from ros_mbmrl.commands.reporter import how_to_watch
from ros_mbmrl.commands.train import read_recipe
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.cluster import run_on_cluster, seats_on_cluster
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.graph_job import GraphJob, run_with_graph
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.processes import run_in_processes
from ros_mbmrl.learning.asynchronous.progress import Told
from ros_mbmrl.learning.asynchronous.result import write_result
from ros_mbmrl.learning.policies.training import updated
from ros_mbmrl.learning.tracking import tracking
from ros_mbmrl.methods import learns_policy, make_method
from ros_mbmrl.plugins import expected, imported
from ros_mbmrl.runtime.kept import plain

if TYPE_CHECKING:
    from ros_mbmrl.arguments.train import Train

HEEDED = (ASYNCHRONOUS, "in_turn", "collectors", "cluster", "device", "graph")


def train_asynchronously(arguments: Train) -> dict[str, Any]:
    """Run the workers until there are enough trajectories, or go on with an interrupted run.

    Returns:
        The folder, the number of trajectories, and their returns.

    Raises:
        UserError: an argument that would not be heeded, a wrong setting, another run's folder.
        RunError: something cannot be written, or a worker dies again and again.
    """
    job = job_of(arguments)
    torch.set_num_threads(1)  # two threads on matrices this small only wait for each other
    job.keep()
    config = {"method": job.method, "robot": job.robot, **plain(job.settings)}
    title = f"{job.method} on {job.robot}, asynchronous: {job.trajectories} trajectories"
    with (
        tracking(arguments.track, job.run, config) as tracker,
        View(job, title, tracker) as view,
    ):
        drive(job, arguments, view)
    returns = write_result(job)
    print(f"{job.run}: {len(returns)} trajectories, the last return {returns[-1]:.4g}")
    print(how_to_watch(job.run))
    return {"run": str(job.run), "trajectories": len(returns), "returns": returns}


def drive(job: Job, arguments: Train, told: Told) -> None:
    """Run a job by the driver that the arguments name."""
    gpus = int(arguments.device == "cuda")
    if isinstance(job, GraphJob):
        run_with_graph(job, told)
    elif not arguments.in_turn:
        if arguments.cluster:
            run_on_cluster(job, arguments.cluster, gpus, told)
        else:
            run_in_processes(job, told)
    elif arguments.cluster:
        with seats_on_cluster(job, arguments.cluster, gpus) as seats:
            run_in_turn(job, seats=seats, told=told)
    else:
        run_in_turn(job, told=told)


def job_of(arguments: Train) -> Job:
    """Return the job of a command. Raises UserError."""
    policy = learns_policy(arguments.method)
    refuse_unheeded(arguments, *HEEDED)
    if arguments.fresh or arguments.video:
        raise UserError("fresh, video: expected none with --asynchronous, but another folder")
    if policy:
        value = make_method(arguments.method).learner
        method = imported(value)
        expected(value, "a PolicyMethod", hasattr(method, "configured"), method)
        settings = configured(method, replace(arguments, task=""))
    else:
        check_method(arguments.method)
        own = arguments.recipe, arguments.method, arguments.seed, arguments.set
        settings = read_recipe(*own, beside=(ASYNCHRONOUS,))
    found = read_settings(arguments.recipe, arguments.method, arguments.set)
    if arguments.graph and (arguments.in_turn or arguments.cluster):
        raise UserError("graph: a robot waits for nobody: expected neither --in-turn nor --cluster")
    make = partial(GraphJob, words=arguments.graph) if arguments.graph else Job
    try:
        job = make(
            arguments.out,
            arguments.method,
            arguments.robot,
            settings,
            asynchronous_of(found.get(ASYNCHRONOUS) or {}),
            tuple(arguments.situations),
            arguments.collectors,
            arguments.device,
        )
        tasks = job.tasks()
    except (TypeError, ValueError) as error:  # a UserError is a ValueError
        raise told(arguments.recipe, arguments.set, error) from None
    command = shlex.join(["mbmrl", *sys.argv[1:]])
    card = {"situations": list(tasks.names), **told_task(tasks), "command": command}
    return replace(job, card=card)


def asynchronous_of(settings: Mapping[str, Any]) -> AsynchronousConfig:
    """Return the settings of servers and workers. Raises UserError or ValueError."""
    if not isinstance(settings, Mapping):
        raise UserError(f"{ASYNCHRONOUS}: expected a mapping of settings, got {settings!r}")
    found: AsynchronousConfig = updated(AsynchronousConfig(), settings)
    return found
