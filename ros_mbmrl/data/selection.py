"""Rollouts chosen by their tags, and split into training and held-out ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError


def select(rollouts: Sequence[Rollout], **tags: Sequence[str]) -> list[Rollout]:
    """Return the rollouts whose tags have one of the given values: `terrain=["carpet", "turf"]`.

    Raises UserError for a value that no rollout has.
    """
    chosen = list(rollouts)
    for tag, values in tags.items():
        known = {rollout.tags.get(tag, "") for rollout in rollouts} - {""}
        for value in values:
            if value not in known:
                expected = ", ".join(sorted(known)) or "none"
                raise UserError(f"no data with {tag} '{value}': there is {expected}")
        chosen = [rollout for rollout in chosen if rollout.tags.get(tag) in values]
    return chosen


def split(
    rollouts: Sequence[Rollout], by: str = "session", held_out: float = 0.2, seed: int = 0
) -> tuple[list[Rollout], list[Rollout]]:
    """Split rollouts into training and held-out ones: whole groups of equal tag `by`, never rows.

    Groups are drawn within each terrain, so that both sides contain every terrain that has two
    groups or more. A single session is split by its episodes, if it has any. Raises UserError if a
    side would be empty.

    Args:
        rollouts: to split.
        by: tag of the groups.
        held_out: share of the groups.
        seed: of the drawing.

    Returns:
        Training rollouts, held-out rollouts.
    """
    if not 0 < held_out < 1:
        raise UserError(f"expected a share between 0 and 1 to hold out, got {held_out}")
    alone = len({rollout.tags.get(by, "") for rollout in rollouts}) == 1
    if by == "session" and alone and all("episode" in rollout.tags for rollout in rollouts):
        by = "episode"
    groups: dict[str, set[str]] = {}
    for rollout in rollouts:
        if by not in rollout.tags:
            raise UserError(f"cannot split by '{by}': a rollout has tags {sorted(rollout.tags)}")
        groups.setdefault(rollout.tags.get("terrain", ""), set()).add(rollout.tags[by])
    generator = np.random.default_rng(seed)
    held: set[tuple[str, str]] = set()
    for terrain in sorted(groups):
        names = generator.permutation(sorted(groups[terrain]))
        count = min(max(1, round(held_out * len(names))), len(names) - 1)
        held |= {(terrain, str(name)) for name in names[:count]}
    sides: tuple[list[Rollout], list[Rollout]] = ([], [])
    for rollout in rollouts:
        key = (rollout.tags.get("terrain", ""), rollout.tags[by])
        sides[key in held].append(rollout)
    if not sides[0] or not sides[1]:
        whole = alone and by == "session"
        cut = ", or one recording in episodes (`mbmrl import ... --episode-seconds`)" * whole
        raise UserError(f"cannot split by '{by}': expected two groups or more of one terrain{cut}")
    return sides
