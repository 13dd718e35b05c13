"""Figures and tables of rows that were made by hand."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.evaluation.asynchronous.description import PANELS, scale_of
from ros_mbmrl.evaluation.asynchronous.report import draw, ends, protocol, reached, tables

POINT = {
    "time_s": 4.0,
    "transitions": 100,
    "return": 2.0,
    "policy_version": 9,
    "model_version": 3,
}
ROW = {"condition": "here", "train_seed": 0, "seconds": 4.0, "curve": [POINT]}


def test_a_figure_needs_two_of_its_arms(tmp_path: Path) -> None:
    rows = [{**ROW, "method": "me_trpo_async"}]
    assert not draw(PANELS[0], rows, tmp_path / "none.png")
    assert draw(PANELS[0], [*rows, {**ROW, "method": "me_trpo_sync"}], tmp_path / "two.png")
    assert [file.name for file in tmp_path.iterdir()] == ["two.png"]


def test_tables_tell_numbers_and_what_was_not_reached() -> None:
    (line,) = ends([{**ROW, **POINT, "method": "me_trpo_async", "best": 3.0}]).rows
    assert line == ("here", "asynch-ME-TRPO", "0", "4", "100", "2", "3", "9", "3")
    found = {"method": "me_trpo_async", "condition": "here", "train_seed": 0, "level": 8.0}
    found |= {"time_s": 40.0, "time_s_opponent": 200.0, "time_s_ratio": 0.2}
    found |= {"transitions": None, "transitions_opponent": 2000.0, "transitions_ratio": None}
    (line,) = reached([found, {**found, "level": None}]).rows
    assert line[-2:] == ("40 s; 200 s; 0.20", "not reached; 2000")
    assert tables({"ends": [], "reached": []}) == ()


def test_the_protocol_tells_the_sizes() -> None:
    text = " ".join(str(each) for each in protocol(scale_of("small")))
    assert "synchronous: 5 trajectories, up to 200 epochs, 100 updates" in text
