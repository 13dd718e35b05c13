"""What is drawn of rows that are written down here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.evaluation.policies import figures
from ros_mbmrl.evaluation.policies.description import Drawn, Figure
from ros_mbmrl.evaluation.policies.studies import make_policy_study

LOOKS = {entry.name: entry.look for entry in make_policy_study("me-trpo").entries}


def row(method: str, n: int, place: str = "a", **more: Any) -> dict[str, Any]:
    facts = {"method": method, "train_seed": 0, "condition": place, "transitions": n}
    return {**facts, "return": float(n), **more}


def figure(drawn: Drawn, *entries: str) -> Figure:
    return Figure("5", "t", entries, ("a", "b"), drawn)


def test_only_the_figures_entries_and_environments_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    draws = {Drawn.RETURNS: lambda rows, path, looks: told.append((rows, list(looks)))}
    monkeypatch.setattr(figures, "DRAWS", draws)
    rows = [row("me_trpo", 1), row("me_trpo", 1, "c"), row("trpo", 1), row("ppo", 1)]
    assert figures.draw(
        figure(Drawn.RETURNS, "trpo", "me_trpo", "bptt"), rows, LOOKS, tmp_path / "p.png"
    )
    assert told == [([rows[0], rows[2]], ["trpo", "me_trpo"])]


def test_a_figure_without_data_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    rows = [row("me_trpo", 1)]
    for drawn in (Drawn.OPTIMISM, Drawn.PATHS, Drawn.PLASTICITY):
        assert not figures.draw(figure(drawn, "me_trpo"), rows, LOOKS, path)
    assert not figures.draw(figure(Drawn.RETURNS, "ppo"), rows, LOOKS, path)
    assert not path.exists()


def test_every_kind_of_figure_is_a_picture(tmp_path: Path) -> None:
    paths: dict[str, Any] = {
        "explored": [[[0.0, 0.0], [1.0, 1.0]]] * 3,
        "after": [[[0.0, 0.0], [2.0, 1.0]]] * 3,
    }
    paths["goals"] = [[2.0, 2.0, 0.0], [2.0, 2.0, 0.0], [-2.0, 2.0, 0.0]]
    corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    told = {"states": corners, "divergence": [1.0, 2.0, 3.0, 4.0], "correlation": 1.0}
    told["disagreement"] = told["divergence"]
    rows = [
        row(method, n, place, imagined=2.0 * n, paths=paths, plasticity=told)
        for method in ("me_trpo", "me_trpo_10")
        for n in (1000, 2000)
        for place in ("a", "b")
    ]
    for drawn in Drawn:
        path = tmp_path / f"{drawn.name}.png"
        assert figures.draw(figure(drawn, "me_trpo", "me_trpo_10"), rows, LOOKS, path)
        assert path.read_bytes().startswith(b"\x89PNG")
