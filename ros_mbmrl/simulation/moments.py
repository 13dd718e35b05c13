"""When a task changes within an episode: "around every 15 s" (Hiraoka et al., section A.5)."""

from __future__ import annotations

import numpy as np

LASTS = (12.0, 18.0)  # how long a task lasts [s]: no clock tells when it ends


def moments(rng: np.random.Generator, duration: float) -> list[float]:
    """Draw the seconds within `duration` [s] at which the task changes."""
    found = [float(rng.uniform(*LASTS))]
    while found[-1] < duration:
        found.append(found[-1] + float(rng.uniform(*LASTS)))
    return found[:-1]
