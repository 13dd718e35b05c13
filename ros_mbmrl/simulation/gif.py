"""Moving pictures as GIF, which browsers and GitHub show by themselves.

A film of H.264 would be smaller, but needs an encoder: a package of 36 MB or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ros_mbmrl.simulation.render import Picture

SHORTEST = 0.02  # [s] of a picture; players do not heed less
SAMPLES = 8  # pictures that the colours of all are chosen from


def write_gif(path: Path, pictures: Sequence[Picture], seconds: float, colours: int = 256) -> None:
    """Write pictures (height, width, 3) of one size, all in the same colours.

    Args:
        path: of the file.
        pictures: at least one.
        seconds: how long each is shown [s]; a GIF tells times in hundredths of a second.
        colours: how many there are, 2 to 256; fewer make a smaller file.
    """
    spread = np.linspace(0, len(pictures) - 1, min(SAMPLES, len(pictures))).astype(int)
    several = Image.fromarray(np.concatenate([pictures[k] for k in spread]))
    palette = several.quantize(colours)
    none = Image.Dither.NONE  # dots would change from picture to picture, and be most of the file
    first, *others = (
        Image.fromarray(each).quantize(palette=palette, dither=none) for each in pictures
    )
    duration = 10 * round(100 * max(SHORTEST, seconds))
    first.save(path, save_all=True, append_images=others, duration=duration, loop=0)
