"""Experiments of different robots and measures in one table, by files written for the test."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.study import bootstrap, overall
from ros_mbmrl.evaluation.study.overall import Config, run

# Of a study, higher is better; of the hexapod, lower. GrBAL is first everywhere, MB+DE second but
# on `slope`, where it is the worst.
RUN = {
    "unseen": {"mb": 10.0, "mb_de": 12.0, "grbal": 14.0, "trpo": 99.0, "mb_oracle": 50.0},
    "fast": {"mb": 20.0, "mb_de": 22.0, "grbal": 24.0, "trpo": 99.0, "mb_oracle": 50.0},
}
WALK = {
    "leg_lost": {"mb": 0.09, "mb_de": 0.06, "grbal": 0.03, "context": 0.01},
    "slope": {"mb": 0.04, "mb_de": 0.09, "grbal": 0.02, "context": 0.01},
}


def rows(
    means: Mapping[str, Mapping[str, float]], measure: str, noise: float, episodes: int = 6
) -> list[dict[str, Any]]:
    """Five training seeds of every method, two of the oracle."""
    rng = np.random.default_rng(0)
    return [
        {"method": method, "train_seed": s, "condition": condition, "path": "run", "seed": 1000 + e}
        | {measure: mean + noise * rng.normal()}
        for condition, own in means.items()
        for method, mean in own.items()
        for s in range(2 if method == "mb_oracle" else 5)
        for e in range(episodes)
    ]


def write(path: Path, name: str, own: list[dict[str, Any]]) -> Path:
    report = {"command": "evaluate", "config": {"experiment": name}, "results": {"rows": own}}
    path.write_text(json.dumps(report))
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, ...]:
    walk = [{**row, "return": 0.0} for row in rows(WALK, "cross_track_mean_m", 0.002)]
    return (
        write(tmp_path / "run.json", "cheetah-disabled", rows(RUN, "return", 0.3)),
        write(tmp_path / "walk.json", "hexapod-ood", walk),
    )


def of(summary: Mapping[str, Any], method: str) -> dict[str, Any]:
    found: dict[str, Any] = next(r for r in summary["ranks"] if r["method"] == method)
    return found


def test_ranks_go_over_robots_and_both_directions(files: tuple[Path, ...], tmp_path: Path) -> None:
    summary = run(Config(files, json=tmp_path / "out.json"))
    # MB: 3, 3, 3, 2; MB+DE: 2, 2, 2, 3; GrBAL: 1 four times.
    ranks = {row["method"]: row["mean_rank"] for row in summary["ranks"]}
    assert ranks == pytest.approx({"grbal": 1.0, "mb_de": 2.25, "mb": 2.75})
    assert list(ranks) == ["grbal", "mb_de", "mb"]
    assert summary["left_out"] == ["trpo", "mb_oracle", "context"]
    less = of(summary, "grbal")["rank_less"]
    assert set(less) == {"mb_de", "mb"}
    assert less["mb"]["value"] == pytest.approx(-1.75) and less["mb"]["interval"][1] < 0
    assert set(of(summary, "mb")["rank_less"]) == {"mb_de"}
    assert json.loads((tmp_path / "out.json").read_text())["ranks"][0]["method"] == "grbal"


def test_where_a_method_is_worse_than_mb_is_named(files: tuple[Path, ...]) -> None:
    summary = run(Config(files))
    assert of(summary, "mb_de")["worse"] == ["hexapod-ood/slope"]
    assert len(of(summary, "mb_de")["better"]) == 3
    assert of(summary, "grbal")["worse"] == []
    family = summary["comparisons"]
    assert len(family) == 8  # two methods on four conditions: all are Holm's
    assert min(c["p_holm"] for c in family) == pytest.approx(8 * min(c["p"] for c in family))


def test_there_are_as_many_draws_as_the_correction_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 100)  # least p: .02, and of ten tests .2
    many = {f"c{k}": {"mb": 1.0, "grbal": 0.0} for k in range(10)}
    file = write(tmp_path / "a.json", "many", rows(many, "return", 1e-3))
    assert len(of(run(Config((file,))), "grbal")["worse"]) == 10


def test_references_are_ranked_if_named_on_what_all_met(files: tuple[Path, ...]) -> None:
    summary = run(Config(files[:1], methods=("grbal", "mb_oracle", "mb"), versus=("mb_oracle",)))
    assert [row["method"] for row in summary["ranks"]] == ["mb_oracle", "grbal", "mb"]
    assert summary["experiments"]["cheetah-disabled"]["train_seeds"] == 2
    assert of(summary, "grbal")["rank_less"]["mb_oracle"]["value"] == pytest.approx(1.0)
    assert all(c["n_train_seeds"] == 5 for c in summary["comparisons"] if c["method"] == "grbal")


def test_few_episodes_are_ranked_and_not_tested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.json", "few", rows(RUN, "return", 0.3, episodes=4))
    grbal = of(run(Config((file,), markdown=True)), "grbal")
    assert (grbal["mean_rank"], grbal["worse"], len(grbal["untested"])) == (1.0, [], 2)
    assert grbal["rank_less"]["mb"] == {"value": -2.0, "interval": None, "p": None}
    assert "| GrBAL | 1.00 | -1.00 | -2.00 | none; 2 not tested | 0 |" in capsys.readouterr().out


def test_markdown_and_terminal_show_the_same_cells(
    files: tuple[Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run(Config(files, markdown=True))
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("| method | mean rank | less MB+DE's | less MB's | worse than MB")
    assert printed[3].startswith("| MB+DE | 2.25 |")
    assert "| hexapod-ood/slope | 3 |" in printed[3]
    assert "cheetah-disabled (5), hexapod-ood (5)" in printed[-1]
    assert printed[-1].endswith("not ranked: TRPO, MB oracle, context")
    run(Config(files))
    assert "hexapod-ood/slope" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "7", '{"config": {}, "results": {}}', "[" * 100_000, "\xff"),
        '{"config": {"experiment": "a"}, "results": {"rows": []}}',
        '{"config": {"experiment": "a"}, "results": {"rows": [{"method": "mb", "return": 1}]}}',
        '{"config": {"experiment": "a"}, "results": {"rows": [{"method": "mb", "condition": "c", '
        '"train_seed": 0, "seed": 0, "return": null}]}}',
    ],
)
def test_a_file_that_is_none_is_one_line_and_status_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str,
) -> None:
    (tmp_path / "no.json").write_text(text, encoding="latin-1")
    monkeypatch.setattr(sys, "argv", ["overall", str(tmp_path / "no.json")])
    with pytest.raises(SystemExit) as stop:
        overall.main()
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert error.startswith(f"overall: {tmp_path / 'no.json'}: expected what `mbmrl evaluate --js")
    assert error.count("\n") == 1


def test_other_bad_input_is_told(files: tuple[Path, ...], tmp_path: Path) -> None:
    def refused(message: str, *paths: Path, **more: Any) -> None:
        with pytest.raises(UserError, match=message):
            run(Config(paths or files, **more))

    refused("cannot be read", tmp_path / "nowhere.json")
    refused("experiment 'hexapod-ood' again with training seed 0 of 'mb'", *files, files[1])
    refused("'context': expected one of grbal, mb, mb_de", methods=("context", "mb"))
    refused("unknown opponent 'trpo'", versus=("trpo",))
    refused("expected at least two", methods=("mb",))
    refused("cannot be written", json=tmp_path)
    refused("seed: expected at least 0", seed=-1)
    apart = [
        r | {"train_seed": r["train_seed"] + 9 * (r["method"] == "mb")}
        for r in rows(RUN, "return", 0.3)
    ]
    refused("other: no training seed and episode", write(tmp_path / "b.json", "other", apart))
