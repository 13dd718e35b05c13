"""Garbage collection between periods, not in the middle of one."""

from __future__ import annotations

import gc

YOUNG, OLD = 1, 2  # generations
EVERY = 1000  # collections of the young between two of the old


class Garbage:
    """A context in which garbage is collected when there is time for it, and only then.

    What is there at its start (modules, a model) is left alone in it, so that a collection looks at
    what has been made since: a fraction of a millisecond.
    """

    def __init__(self) -> None:
        self._count, self._was = 0, gc.isenabled()

    def __enter__(self) -> Garbage:
        gc.collect()
        gc.freeze()
        gc.disable()
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        if self._was:
            gc.enable()

    def collect(self) -> None:
        """Collect now: the command of the period has gone."""
        self._count += 1
        gc.collect(OLD if self._count % EVERY == 0 else YOUNG)
