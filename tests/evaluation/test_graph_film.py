"""The film of runs: when its pictures are, and one of a graph that really ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.evaluation import graph_film
from ros_mbmrl.evaluation.graph_film import PICTURES, Breaking, Scene, film_runs, moments_of
from ros_mbmrl.evaluation.recorded_run import read_run

Reported = Callable[[str], tuple[list[str], Path]]


def scene(seconds: float, period: float = 0.1) -> Scene:
    times = np.arange(round(seconds / period) + 1) * period
    none, states = np.empty((0, 2)), np.zeros((len(times), 1))
    return Scene("with x", times, states, none, none, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "begin", "every"),
    [("", 0.0, 0.3), ("leg@20", 15.0, 0.2), ("leg@2", 0.0, 0.3), ("leg@50", 0.0, 0.3)],
)
def test_pictures_begin_shortly_before_the_fault(fault: str, begin: float, every: float) -> None:
    moments, seconds = moments_of([scene(38.0), scene(40.0)], Breaking.parse(fault), 0.1)
    assert moments[:2] == pytest.approx([begin, begin + every])
    assert moments[-1] == pytest.approx(40.0, abs=every)
    assert len(moments) <= PICTURES and seconds == pytest.approx(every / 2)


def test_a_run_that_is_over_stays_in_its_last_state() -> None:
    run = scene(1.0)
    assert [run.at(now) for now in (-0.1, 0.0, 0.05, 0.1, 7.0)] == [0, 0, 0, 1, 10]


@pytest.mark.parametrize("robot", ["hexapod", pytest.param("half_cheetah", marks=pytest.mark.slow)])
def test_a_graph_that_ran_is_drawn(robot: str, reported: Reported, tmp_path: Path) -> None:
    words, folder = reported(robot)
    scenario = dict(word.split(":=") for word in words)
    runs = {path.stem: read_run(path) for path in sorted(folder.glob("*.mcap"))}
    for path in folder.glob("*.mcap"):
        (tmp_path / path.name).symlink_to(path)
    try:
        film = film_runs(tmp_path, runs, {**scenario, "robot": robot})
    except RunError as error:
        pytest.skip(str(error))
    with Image.open(film) as shown:
        assert shown.size[0] == graph_film.WIDTH * len(runs)
        # 40 steps, of which two are at rest.
        assert shown.n_frames == 38  # type: ignore[attr-defined]
        first = np.asarray(shown.convert("RGB"), dtype=float)
        shown.seek(30)
        later = np.asarray(shown.convert("RGB"), dtype=float)
    assert first.std() > 5 and np.abs(later - first).max() > 50


def test_a_robot_without_a_model_is_refused_and_no_old_film_stays(
    reported: Reported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder = reported("half_cheetah")
    (tmp_path / "mb.mcap").symlink_to(folder / "mb.mcap")
    (tmp_path / "adapt.gif").touch()
    runs = {"mb": read_run(tmp_path / "mb.mcap")}
    monkeypatch.setattr(graph_film, "POSSIBLE", {})
    monkeypatch.setenv("MUJOCO_GL", "nothing")
    with pytest.raises(RunError, match="no off-screen rendering with MUJOCO_GL=nothing"):
        film_runs(tmp_path, runs, {"robot": "half_cheetah"})
    assert not (tmp_path / "adapt.gif").exists()
    with pytest.raises(UserError):
        film_runs(tmp_path, runs, {"robot": "unknown"})
