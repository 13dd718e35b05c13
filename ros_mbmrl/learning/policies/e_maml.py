"""E-MAML (Al-Shedivat et al. 2018; Stadie et al. 2018): formulation II, with TRPO outside.

The update is a function of the episodes before it, so their log-likelihood gets credit for the
return after it: thesis, eq. 36 and 46.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, train_by_trust_region
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.run import Progress, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.trained import TrainedPolicy


@dataclass(frozen=True)
class EMAMLConfig(MAMLConfig):
    """E-MAML's settings: those of MAML-RL with another estimator."""

    estimator: str = "e_maml"


def train_e_maml(
    tasks: Tasks, config: EMAMLConfig, out: Path | None = None, progress: Progress = silent
) -> TrainedPolicy:
    """Meta-train on situations that `tasks` draws. See `train_policy`."""
    return train_by_trust_region("e_maml", tasks, config, out, progress)


METHOD = PolicyMethod(EMAMLConfig, train_e_maml)
