"""Returns that others have published, for a column of their own beside ours."""

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

# (environment, method) -> what is printed there.
PUBLISHED: Mapping[tuple[str, str], Published] = MappingProxyType(
    {
        ("mbbl-half-cheetah", "me_trpo"): Published(2283.0, 200_000, _WANG),
        ("mbbl-half-cheetah", "mb_mpo"): Published(3639.0, 200_000, _WANG),
    }
)
