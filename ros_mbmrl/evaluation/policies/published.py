"""Returns, errors and times that others have published, for columns of their own beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Published:
    """A mean return from a paper. transitions: real ones that it was learned from."""

    value: float
    transitions: int
    source: str


_WANG = "Wang et al. 2019, Benchmarking model-based reinforcement learning (arXiv:1907.02057)"
_TAN = "Tan et al., Model Embedding Model-Based Reinforcement Learning, section 5 (around)"

# (environment, method) -> what is printed there.
PUBLISHED: Mapping[tuple[str, str], Published] = MappingProxyType(
    {
        ("mbbl-half-cheetah", "me_trpo"): Published(2283.0, 200_000, _WANG),
        ("mbbl-half-cheetah", "memb"): Published(8000.0, 200_000, _TAN),
        ("mbbl-half-cheetah", "mb_mpo"): Published(3639.0, 200_000, _WANG),
    }
)


@dataclass(frozen=True)
class PublishedTasks:
    """A cell of table 1 or 2 of Wang and van Hoof, with its deviation across test tasks.

    reward: as printed: of a control period on cart-pole and acrobot, elsewhere of an episode.
    error: of the model; None of a method without one.
    """

    reward: float
    reward_std: float
    error: float | None = None
    error_std: float | None = None


# (environment, entry) -> what is printed there.
PUBLISHED_TASKS: Mapping[tuple[str, str], PublishedTasks] = MappingProxyType(
    {
        ("cart-pole", "gssm"): PublishedTasks(-0.5957, 5.8e-2, 0.0291, 4.0e-2),
        ("cart-pole", "m_dpilco"): PublishedTasks(-0.6354, 7.7e-2, 0.0475, 5.1e-2),
        ("cart-pole", "mlsm_v0"): PublishedTasks(-0.6406, 9.8e-2, 0.0626, 8.1e-2),
        ("cart-pole", "mlsm_v1"): PublishedTasks(-0.5935, 8.2e-2, 0.0310, 3.6e-2),
        ("cart-pole", "l2a"): PublishedTasks(-0.892, 3.3e-2, 0.0397, 4.0e-2),
        ("acrobot", "gssm"): PublishedTasks(-0.4658, 6.1e-2, 0.0022, 8.2e-4),
        ("acrobot", "m_dpilco"): PublishedTasks(-0.9444, 8.9e-2, 0.0056, 3.9e-3),
        ("acrobot", "mlsm_v0"): PublishedTasks(-0.5524, 9.6e-2, 0.0058, 1.1e-3),
        ("acrobot", "mlsm_v1"): PublishedTasks(-0.5286, 5.3e-2, 0.0023, 1.3e-3),
        ("acrobot", "l2a"): PublishedTasks(-0.7775, 5.4e-2, 0.0039, 1.7e-3),
        ("acrobot", "dr_ppo"): PublishedTasks(-0.433, 4.3e-2),
        ("acrobot", "pe_ppo"): PublishedTasks(-0.420, 5.0e-2),
        ("gssm-half-cheetah", "gssm"): PublishedTasks(1597.4, 2.0e2, 0.530, 2.2e-1),
        ("gssm-half-cheetah", "m_dpilco"): PublishedTasks(862.0, 2.8e2, 0.678, 1.4e-1),
        ("gssm-half-cheetah", "mlsm_v0"): PublishedTasks(827.3, 1.9e2, 0.533, 1.4e-1),
        ("gssm-half-cheetah", "mlsm_v1"): PublishedTasks(1226.8, 6.4e1, 0.636, 1.4e-1),
        ("gssm-half-cheetah", "l2a"): PublishedTasks(-17.9, 1.3e1, 0.785, 8.4e-2),
        ("gssm-half-cheetah", "dr_ppo"): PublishedTasks(1360.5, 1.3e2),
        ("gssm-half-cheetah", "pe_ppo"): PublishedTasks(608.2, 7.3e1),
        ("gssm-slim-humanoid", "gssm"): PublishedTasks(1658.6, 1.1e2, 1.680, 1.9e-1),
        ("gssm-slim-humanoid", "m_dpilco"): PublishedTasks(1181.3, 5.4e1, 1.991, 3.4e-1),
        ("gssm-slim-humanoid", "mlsm_v0"): PublishedTasks(485.5, 8.5e1, 1.728, 1.6e-1),
        ("gssm-slim-humanoid", "mlsm_v1"): PublishedTasks(780.4, 1.7e2, 1.638, 1.9e-1),
        ("gssm-slim-humanoid", "l2a"): PublishedTasks(124.9, 5.7e2, 2.364, 7.8e-2),
        ("gssm-slim-humanoid", "dr_ppo"): PublishedTasks(3533.3, 1.1e2),
        ("gssm-slim-humanoid", "pe_ppo"): PublishedTasks(1248.1, 1.5e2),
    }
)
# Table 6, seconds of adaptation of the policy and their variance: (environment, entry).
PUBLISHED_SECONDS: Mapping[tuple[str, str], tuple[float, float]] = MappingProxyType(
    {
        ("cart-pole", "m_dpilco"): (0.26, 5.3e-4),
        ("cart-pole", "mlsm_v0"): (0.34, 6.1e-4),
        ("cart-pole", "mlsm_v1"): (0.55, 2.5e-4),
        ("acrobot", "m_dpilco"): (4.3, 1.0e-2),
        ("acrobot", "mlsm_v0"): (5.2, 8.9e-2),
        ("acrobot", "mlsm_v1"): (6.5, 4.0e-2),
        ("gssm-half-cheetah", "m_dpilco"): (2.5, 9.6e-3),
        ("gssm-half-cheetah", "mlsm_v0"): (2.9, 1.4e-2),
        ("gssm-half-cheetah", "mlsm_v1"): (4.6, 2.4e-2),
        ("gssm-slim-humanoid", "m_dpilco"): (2.4, 5.3e-3),
        ("gssm-slim-humanoid", "mlsm_v0"): (3.1, 7.6e-3),
        ("gssm-slim-humanoid", "mlsm_v1"): (4.9, 3.4e-2),
    }
)
