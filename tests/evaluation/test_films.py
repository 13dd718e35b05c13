"""Films of an evaluation: one a method, of the first episode, or the reason why there are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ros_mbmrl.errors import RunError
from ros_mbmrl.evaluation import films
from ros_mbmrl.evaluation.campaign import Job, enter
from ros_mbmrl.evaluation.experiments import cells, make_experiment
from ros_mbmrl.evaluation.study.judge import Trial
from ros_mbmrl.evaluation.study.studies import make_study
from ros_mbmrl.share import find

GREY = [np.full((4, 4, 3), 90, dtype=np.uint8)]


def test_the_first_of_a_name_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []

    def pictures(which: str) -> films.Shown:
        shown.append(which)
        return GREY, 0.05

    named = [("mb", lambda: pictures("first")), ("mb", lambda: pictures("second"))]
    written = films.write_films(tmp_path, [*named, ("grbal", lambda: pictures("third"))])
    assert shown == ["first", "third"]
    assert [path.name for path in written] == ["film_mb.gif", "film_grbal.gif"]
    assert all(path.is_file() for path in written)
    assert capsys.readouterr().out.count("film: ") == 2


def test_no_gl_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> films.Shown:
        raise RunError("no off-screen rendering")

    assert films.write_films(tmp_path, [("mb", fails), ("grbal", fails)]) == []
    assert capsys.readouterr().out == "no film: no off-screen rendering\n"


def test_an_episode_of_the_hexapod_is_filmed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "SECONDS", 1.0)
    folder = find("models/hexapod/mb")
    assert folder is not None
    cell = cells(make_experiment("hexapod-terrains"), 1, 0, 20.0)[0]
    job = Job(enter("mb", folder, "hexapod"), cell, "random_shooting")
    try:
        pictures, period = films.of_job(job)
    except RunError as error:
        pytest.skip(str(error))
    assert (len(pictures), period) == (10, 0.1)
    assert (pictures[0] != pictures[-1]).any()
    (path,) = films.write_films(tmp_path, [("mb", lambda: (pictures, period))])
    with Image.open(path) as film:
        assert (film.size, film.info["duration"]) == (films.SIZE, 100)


def test_an_episode_of_a_study_is_filmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "SECONDS", 0.5)
    study = make_study("cheetah-disabled")
    what = ("random", 0, study.conditions[:1], 0, 1, tmp_path)
    try:
        pictures, period = films.of_trial(Trial("cheetah-disabled", study.at("smoke"), *what))
    except RunError as error:
        pytest.skip(str(error))
    assert (len(pictures), period) == (11, 0.05)  # before the first step, too
