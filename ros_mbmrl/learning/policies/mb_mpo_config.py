"""Settings of MB-MPO; see `mb_mpo`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.policies.in_models_config import MODEL, InModelsConfig, check_choice
from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, TrustRegionStep
from ros_mbmrl.learning.policies.meta_learner import OuterStep
from ros_mbmrl.learning.policies.promp import ProMPConfig, ProMPStep
from ros_mbmrl.learning.policies.trust_region import TrustRegion
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.sampling import Discounts

TRPO, PROMP = "trpo", "promp"


@dataclass(frozen=True)
class MBMPOConfig(InModelsConfig):
    """Settings of Algorithm 3; sizes of B.3 but for models and imagined data, which fit two cores.

    rows: imagined episodes before an inner step and as many after it, shared by the models. rate:
    alpha, of the inner step, 0 for no adaptation (figure 9). It is of a mean over transitions; the
    thesis's .001 of the sum over 200 steps in eq. 8 is 0.2 here. meta_steps: outer steps an
    iteration. outer: `trpo`, or `promp` for the clipped objective. region: of `trpo`. outer_rate,
    outer_steps, clip, kl_coefficient: of `promp`, see `ProMPConfig`. estimator: of the
    meta-gradient, see `ESTIMATORS`. discounts: of rewards, and of GAE. episodes_of_model: imagined
    ones of each model that returns in models are a mean over.
    """

    method: str = "mb_mpo"
    episodes: int = 20
    horizon: int = 200
    held_out: float = 0.2
    model: TrainConfig = replace(MODEL, weight_normalisation=True)
    meta_steps: int = 30
    rate: float = 0.2
    outer: str = TRPO
    region: TrustRegion = TrustRegion()
    outer_rate: float = 1e-3
    outer_steps: int = 5
    clip: float = 0.3
    kl_coefficient: float = 5e-4
    estimator: str = "likelihood_ratio"
    discounts: Discounts = field(default_factory=lambda: Discounts(decay=1.0))
    episodes_of_model: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("outer", self.outer, (TRPO, PROMP))
        if min(self.meta_steps, self.episodes_of_model) < 1 or not self.rate >= 0:
            raise ValueError("expected meta_steps, episodes_of_model from 1 and rate from 0")
        if self.model.members < 2:
            raise ValueError(
                "model.members: expected at least 2, each of which is a task to adapt to (with one "
                f"model: one_model_trpo), got {self.model.members}"
            )
        if self.rows % self.tasks:
            raise ValueError(
                f"rows: expected as many for each of {self.tasks} models, got {self.rows} in all"
            )
        self.outer_step()  # refuses its own settings

    @property
    def tasks(self) -> int:
        """Return the number of models K that imagine."""
        return self.model.elites or self.model.members

    @property
    def adaptation(self) -> InnerConfig:
        """Return the settings of the inner step."""
        return InnerConfig(
            steps=int(self.rate > 0),
            episodes=self.rows // self.tasks,
            horizon=self.horizon,
            rate=self.rate or 1.0,  # of no step
            discounts=self.discounts,
        )

    def outer_step(self) -> OuterStep:
        """Return the outer step, without moments of any before it.

        Raises:
            ValueError: a setting that the step cannot have.
        """
        inner, estimator = self.adaptation, self.estimator
        if self.outer == TRPO:
            return TrustRegionStep(MAMLConfig(inner=inner, estimator=estimator, region=self.region))
        return ProMPStep(
            ProMPConfig(
                inner=inner,
                estimator=estimator,
                outer_rate=self.outer_rate,
                outer_steps=self.outer_steps,
                clip=self.clip,
                kl_coefficient=self.kl_coefficient,
            )
        )
