"""The model-free methods of a study: TRPO, MAML-RL and others, on the same training situations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ros_mbmrl.evaluation.study.description import Scale
from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import silent
from ros_mbmrl.methods import make_method
from ros_mbmrl.plugins import imported
from ros_mbmrl.policies.files import save_policy
from ros_mbmrl.runtime.kept import key_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Practice:
    """One policy to be trained: a job."""

    study: str
    scale: Scale
    method: str
    train_seed: int
    folder: Path

    @property
    def key(self) -> str:
        """Return a hash of all that decides the outcome."""
        return key_of("practise", self.study, self.scale, self.method, self.train_seed)


def practise(job: Practice) -> tuple[str, Row]:
    """Train the policy, or go on with it; return the job's key, and its learning curve."""
    study = make_study(job.study)
    tasks = simulated_tasks(study.robot, (study.environment or study.name,))
    method: PolicyMethod = imported(make_method(job.method).learner)
    sizes = {"budget": job.scale.model_free, "horizon": job.scale.training.steps}
    config = method.configured(job.train_seed, sizes)
    trained = method.train(tasks, config, job.folder, silent)
    facts = {"method": job.method, "seed": job.train_seed, "study": job.study}
    save_policy(job.folder, tasks.robot, trained, facts, getattr(config, "inner", None))
    curve = [
        {
            "method": job.method,
            "train_seed": job.train_seed,
            "transitions": point.transitions,
            "condition": "training",
            "return": point.mean_return,
        }
        for point in trained.curve
    ]
    return job.key, {"curve": curve}
