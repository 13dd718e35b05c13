"""Settings of ME-TRPO and of what it grew from; see `me_trpo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ros_mbmrl.dynamics.imagination import SCHEMES, STEP_RAND
from ros_mbmrl.learning.policies.in_models_config import MODEL, InModelsConfig, check_choice
from ros_mbmrl.learning.policies.steps import StepConfig
from ros_mbmrl.learning.policies.validation import ValidationConfig

# The step of each method: those in an ensemble, and those in one model.
ENSEMBLE: Mapping[str, str] = MappingProxyType({"me_trpo": "trpo", "me_ppo": "ppo"})
ONE_MODEL: Mapping[str, str] = MappingProxyType(
    {"bptt": "bptt", "one_model_vpg": "vpg", "one_model_trpo": "trpo"}
)


@dataclass(frozen=True)
class MEConfig(InModelsConfig):
    """Settings of Algorithms 1 and 2; the sizes of A.1 but for the model, which fits two cores.

    method: see the module. largest_std, parameter_noise: of the real episodes, see `exploring`.
    scheme: how members move imagined episodes, see `Imagination`. step, validation: of the policy.
    """

    method: str = "me_trpo"
    largest_std: float = 3.0
    parameter_noise: float = 1.0
    scheme: str = STEP_RAND
    step: StepConfig = field(default_factory=StepConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.largest_std < 0 or self.parameter_noise < 0:
            raise ValueError("largest_std, parameter_noise: expected at least 0")
        check_choice("method", self.method, (*ENSEMBLE, *ONE_MODEL))
        check_choice("scheme", self.scheme, SCHEMES)
        members = self.model.members
        if self.method in ENSEMBLE and members < 2:
            raise ValueError(
                "model.members: expected at least 2, of which eq. 5 takes a ratio (with one model: "
                f"{', '.join(ONE_MODEL)}), got {members}"
            )
        if self.method in ONE_MODEL and members != 1:
            raise ValueError(f"model.members: expected 1 for {self.method}, got {members}")


def config_of(method: str, seed: int = 0) -> MEConfig:
    """Return the settings of a method where nothing else is said."""
    if method in ENSEMBLE:
        return MEConfig(method, seed=seed)
    return MEConfig(method, model=replace(MODEL, members=1), seed=seed)
