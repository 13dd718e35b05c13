"""Orders of turns: what a driver that runs one worker at a time lets them do.

The asynchronous order in turn, the classic synchronous one, and the two that are asynchronous in
part (thesis, sections 8.4.2 and 8.4.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ros_mbmrl.errors import choose

COLLECT, FIT, IMPROVE = "collect", "fit", "improve"

# Kind of worker, and the turns that it takes; it stops before that if it has nothing to do.
Turns = tuple[str, int]


@dataclass(frozen=True)
class Sizes:
    """Turns within a round.

    Args:
        rollouts: N, real trajectories.
        epochs: E, of the model, at most.
        updates: G, of the policy.
        repeats: in `interleaved_models`, how often E and G alternate on the same data.
    """

    rollouts: int = 1
    epochs: int = 1
    updates: int = 1
    repeats: int = 1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")


Schedule = Callable[[Sizes], Iterator[Turns]]


def synchronous(sizes: Sizes) -> Iterator[Turns]:
    """Yield the classic order: a phase begins when the one before it is over (figure 23b)."""
    while True:
        yield COLLECT, sizes.rollouts
        yield FIT, sizes.epochs
        yield IMPROVE, sizes.updates


def interleaved_models(sizes: Sizes) -> Iterator[Turns]:
    """Yield N rollouts, then E epochs and G updates by turns on the same data (section 8.4.2)."""
    while True:
        yield COLLECT, sizes.rollouts
        for _ in range(sizes.repeats):
            yield FIT, sizes.epochs
            yield IMPROVE, sizes.updates


def interleaved_data(sizes: Sizes) -> Iterator[Turns]:
    """Yield N rollouts at first; then a fit, and N times G updates and a rollout (8.4.3)."""
    yield COLLECT, sizes.rollouts
    while True:
        yield FIT, sizes.epochs
        for _ in range(sizes.rollouts):
            yield IMPROVE, sizes.updates
            yield COLLECT, 1


def in_turn(sizes: Sizes) -> Iterator[Turns]:
    """Yield all workers one after the other, in the least turns that they have."""
    return synchronous(sizes)


SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "in_turn": in_turn,
        "synchronous": synchronous,
        "interleaved_models": interleaved_models,
        "interleaved_data": interleaved_data,
    }
)


def make_schedule(name: str) -> Schedule:
    """Return a schedule by name. Raises UserError."""
    choose("schedule", name, SCHEDULES)
    return SCHEDULES[name]
