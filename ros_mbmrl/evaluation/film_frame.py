"""Picture of a film: robots side by side, each with its title, a map, and what is to be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.render import Picture

BAR = 22  # height of the line of text over and under a picture [pixels]
SIZE = 14  # of the text [pixels]
MAP = 72  # width and height of the map [pixels]
FRAME = 4  # width of the frame [pixels]
DARK, PAPER, RED, GREY, BLUE = "#222222", "#ffffff", "#c0392b", "#999999", "#2f5fc0"


@dataclass(frozen=True)
class Panel:
    """One robot at one moment.

    Args:
        picture: of the robot (height, width, 3).
        title: over it.
        text: under it.
        path: points of the path (n, 2) [m], for the map; none without one.
        way: where the robot was so far (t, 2) [m].
    split: from which of these on the robot was broken.
    """

    picture: Picture
    title: str
    text: str
    path: Array
    way: Array
    split: int


def side_by_side(panels: Sequence[Panel], now: float, fault: str = "") -> Picture:
    """Return one picture of all panels at `now` [s]. fault: what happened; framed in red if any."""
    frames = [_framed(panel, now, fault) for panel in panels]
    return np.concatenate(frames, axis=1)


def _framed(panel: Panel, now: float, fault: str) -> Picture:
    height, width = panel.picture.shape[:2]
    whole = Image.new("RGB", (width, height + 2 * BAR), PAPER)
    whole.paste(Image.fromarray(panel.picture), (0, BAR))
    pen = ImageDraw.Draw(whole)
    below, middle = BAR + height, BAR // 2
    pen.text((6, middle), panel.title, fill=DARK, font=_font(), anchor="lm")
    pen.text((width - 6, middle), f"{now:.1f} s", fill=DARK, font=_font(), anchor="rm")
    pen.text((6, below + middle), panel.text, fill=DARK, font=_font(), anchor="lm")
    if fault:
        pen.text((width - 6, below + middle), fault, fill=RED, font=_font(), anchor="rm")
        pen.rectangle((0, BAR, width - 1, below - 1), outline=RED, width=FRAME)
    if len(panel.path) > 1:
        _map(pen, panel, width - MAP - 8, BAR + 8)
    return np.asarray(whole)


def _map(pen: ImageDraw.ImageDraw, panel: Panel, left: int, top: int) -> None:
    """Draw path and way from above into a square."""
    low, high = panel.path.min(axis=0), panel.path.max(axis=0)
    scale = (MAP - 12) / float(max((high - low).max(), 1e-3))
    corner = (low + high) / 2

    def place(points: Array) -> list[tuple[float, float]]:
        x, y = ((points - corner) * scale).T
        centre_x, centre_y = left + MAP / 2, top + MAP / 2
        return [(centre_x + a, centre_y - b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]

    pen.rectangle((left, top, left + MAP, top + MAP), fill=PAPER, outline=GREY)
    pen.line(place(panel.path), fill=GREY, width=1)
    for part, colour in ((panel.way[: panel.split + 1], BLUE), (panel.way[panel.split :], RED)):
        if len(part) > 1:
            pen.line(place(part), fill=colour, width=1)
    if len(panel.way):
        ((x, y),) = place(panel.way[-1:])
        pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=DARK)


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(SIZE)
