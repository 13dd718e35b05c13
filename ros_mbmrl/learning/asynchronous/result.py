"""Result of an asynchronous run: a policy or model folder, as a training leaves it."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from ros_mbmrl.dynamics.card import CARD, POLICY_MODEL, WEIGHTS
from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.files import written
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.servers import VersionServer
from ros_mbmrl.policies.files import LoadedPolicy, load_policy, save_policy
from ros_mbmrl.policies.gaussian import as_gaussian
from ros_mbmrl.policies.trained import CurvePoint, TrainedPolicy


def write_result(job: Job) -> list[float]:
    """Write the newest policy into the run's folder, with its curve and its model.

    Without a policy the newest model is written, whose planner acts.

    Returns:
        The returns of all trajectories.

    Raises:
        RunError: nothing was learned yet, or something cannot be written.
        UserError: something cannot be read.
    """
    servers = job.servers()
    trajectories = servers.data.since(0)
    with written(job.run):
        if job.plans:
            _copy(servers.models, job.run)
        else:
            curve, total = list[CurvePoint](), 0
            for each in trajectories:
                total += len(each.rollout)
                curve.append(CurvePoint(total, each.episode_return, each.episode_return))
            found = servers.policies.pull(partial(load_policy, robot=job.tasks().robot))
            if found is None:
                raise RunError(f"{job.run}: no policy yet: expected more trajectories")
            _write_policy(job, found[1], tuple(curve))
            _copy(servers.models, job.run / POLICY_MODEL)
    return [each.episode_return for each in trajectories]


def _write_policy(job: Job, loaded: LoadedPolicy, curve: tuple[CurvePoint, ...]) -> None:
    before = loaded.card.get("acts") == "before_update"
    own = as_gaussian(loaded.policy), loaded.parameters, curve
    card = {"method": job.method, "seed": int(job.settings.seed), **job.card}
    save_policy(job.run, job.tasks().robot, TrainedPolicy(*own, before_update=before), card)


def _copy(models: VersionServer, folder: Path) -> None:
    """Copy the newest model's files into a folder."""
    newest = models.latest()
    if newest is None:
        raise RunError(f"{models.folder}: no model yet: expected more trajectories")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, CARD):
        shutil.copyfile(models.path(newest) / name, folder / name)
