from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ros_mbmrl.simulation.gif import write_gif


def disc(x: int) -> np.ndarray:
    picture = np.full((20, 30, 3), 240, dtype=np.uint8)
    picture[8:12, x : x + 4] = (200, 30, 30)
    return picture


def test_pictures_in_their_order_each_as_long_as_told(tmp_path: Path) -> None:
    path = tmp_path / "disc.gif"
    write_gif(path, [disc(4 * k) for k in range(5)], 0.1, colours=4)
    with Image.open(path) as film:
        assert film.n_frames == 5 and film.size == (30, 20)  # type: ignore[attr-defined]
        for k in range(5):
            film.seek(k)
            assert film.info["duration"] == 100
            shown = np.asarray(film.convert("RGB"), dtype=int)
            np.testing.assert_allclose(shown, disc(4 * k), atol=8)


@pytest.mark.parametrize(("seconds", "shown"), [(0.001, 20), (0.05, 50), (0.123, 120)])
def test_times_are_what_players_heed(tmp_path: Path, seconds: float, shown: int) -> None:
    write_gif(tmp_path / "one.gif", [disc(0), disc(8)], seconds)
    with Image.open(tmp_path / "one.gif") as film:
        assert film.info["duration"] == shown
