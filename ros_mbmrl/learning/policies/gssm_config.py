"""Settings of policies that learn in contextual models; see `gssm`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ros_mbmrl.agents.shooting import ShootingConfig
from ros_mbmrl.learning.policies.contextual_models import (
    DROPOUT,
    GRADIENT,
    ContextualModelConfig,
)
from ros_mbmrl.learning.policies.fine_tuning import FineTuning
from ros_mbmrl.learning.policies.in_models_config import INITIAL, STARTS, check_choice
from ros_mbmrl.learning.policies.steps import StepConfig

AMORTISED, FINE_TUNED, PLANNED = "amortised", "fine_tuned", "planned"
ACTING = (AMORTISED, FINE_TUNED, PLANNED)
RADIAL, PERCEPTRON = "radial", "mlp"
NETWORKS = (RADIAL, PERCEPTRON)
STEP_KINDS = ("bptt", "ppo")
WIDE = 0.6  # share of the budget until the reward is as wide as the task's

# The contextual model of each method, and how it acts in a new task.
METHODS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "gssm_policy": ("gssm", AMORTISED),
        "mlsm_v0_policy": ("mlsm_v0", FINE_TUNED),
        "mlsm_v1_policy": ("mlsm_v1", FINE_TUNED),
        "m_dpilco_policy": (DROPOUT, FINE_TUNED),
        "l2a_policy": (GRADIENT, PLANNED),
    }
)


@dataclass(frozen=True)
class ContextualConfig:
    """Settings of Algorithms 1 and 2 of Wang and van Hoof.

    method: a row of `METHODS`. acting: in a new task: `amortised` by z, `fine_tuned` in its model,
    or `planned` in its model without a policy. budget: real transitions in all, `episodes` (T) of
    `horizon` an iteration. resampled: iterations until another task is drawn. chance: iterations of
    random commands at first. exploring: deviation of the noise on later ones, of the command's
    half range. updates: of the policy an iteration (N), each on `rows` imagined episodes in each of
    `tasks` models, `imagined` control periods long (0: as real ones). widened: factor of the
    reward's width at first, which falls to 1 over the first `WIDE` of the budget:
    back-propagation needs a gradient where the robot begins, and the rewards of real episodes stay
    as they are; 1 for rewards without a width. starts: see `InModelsConfig`. context: transitions
    that a model sees of a task. network, hidden: of the policy. step_kind, step: its updates.
    fine_tuning, shooting, model: see there.
    tests: real episodes in new tasks after each iteration, for the curve alone.
    """

    method: str = "gssm_policy"
    acting: str = AMORTISED
    budget: int = 2500
    episodes: int = 1
    horizon: int = 25
    resampled: int = 10
    chance: int = 2
    exploring: float = 0.2
    updates: int = 20
    tasks: int = 5
    rows: int = 10
    imagined: int = 0
    widened: float = 1.0
    starts: str = INITIAL
    context: int = 50
    network: str = RADIAL
    hidden: tuple[int, ...] = (50,)
    log_std: float = -1.0
    step_kind: str = "bptt"
    step: StepConfig = field(default_factory=lambda: StepConfig(learning_rate=5e-3))
    fine_tuning: FineTuning = field(default_factory=FineTuning)
    shooting: ShootingConfig = field(default_factory=ShootingConfig)
    model: ContextualModelConfig = field(default_factory=ContextualModelConfig)
    tests: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        times = ("budget", "episodes", "horizon", "resampled", "chance", "updates")
        for name in (*times, "tasks", "rows", "context", "tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.imagined < 0 or not self.exploring >= 0:
            raise ValueError("imagined, exploring: expected at least 0")
        if not 1.0 <= self.widened < math.inf:
            raise ValueError(f"widened: expected at least 1, got {self.widened}")
        check_choice("method", self.method, tuple(METHODS))
        check_choice("acting", self.acting, ACTING)
        check_choice("starts", self.starts, STARTS)
        check_choice("network", self.network, NETWORKS)
        check_choice("step_kind", self.step_kind, STEP_KINDS)
        if self.acting == AMORTISED and self.kind in (DROPOUT, GRADIENT):
            raise ValueError(f"acting: {self.method} has no latent variable to act by")
        if self.network == RADIAL and len(self.hidden) != 1:
            raise ValueError(f"hidden: expected one number of basis functions, got {self.hidden}")

    def wider(self, iteration: int) -> float:
        """Return the factor of the reward's width in an iteration, from 0 on."""
        left = 1.0 - iteration * self.batch / (WIDE * self.budget)
        return 1.0 + (self.widened - 1.0) * max(0.0, left)

    @property
    def kind(self) -> str:
        """Return the name of the contextual model."""
        return METHODS[self.method][0]

    @property
    def batch(self) -> int:
        """Return the real transitions of one iteration."""
        return self.episodes * self.horizon

    @property
    def amortised(self) -> bool:
        """Tell whether the policy sees z."""
        return self.acting == AMORTISED
