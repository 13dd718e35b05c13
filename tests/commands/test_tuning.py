"""The job of `mbmrl tune`: candidates, cards and the table by hand; settings of another model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.arguments.tune import Tune
from ros_mbmrl.commands.tuning import card_of, first_choice, prepare, table, tune
from ros_mbmrl.dynamics.card import WEIGHTS, read_card, write_card
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.experiments import Condition, Experiment
from ros_mbmrl.learning.tune import Candidate

TINY = Experiment("tiny", "Tiny", (Condition("plain", "plain"),), ("straight",), ("mb",))


@pytest.fixture
def models(untrained: Callable[..., Path], tmp_path: Path) -> Path:
    """Folders of an untrained network: `mb`, and `other`, which is tuned for `residual`."""
    folder = untrained("hexapod", tmp_path, ("mb", "other"))
    settings = {"method": "residual", "options": {"gain": 0.75}, "adapt_window": 32, "seed": 1}
    guard = {"margin": 0.9, "min_transitions": 4}
    write_card(folder / "other", {**read_card(folder / "other"), **settings, "guard": guard})
    return folder


def test_a_card_says_the_candidates_settings_and_nothing_of_others() -> None:
    card = {"method": "mb", "seed": 3, "scores": {"loss": 1.0}, "tuning": {}, "tuned_on": "x"}
    loaded = LoadedModel(None, {}, {**card, "guard": {"margin": 0.9}})  # type: ignore[arg-type]
    assert card_of(loaded, "residual", Candidate({"gain": 0.5}, 8, 4)) == {
        "method": "residual",
        "seed": 3,
        "options": {"gain": 0.5},
        "adapt_window": 8,
        "guard": {"margin": 0.9, "min_transitions": 4},
    }


def test_without_data_the_present_settings_and_the_coarse_grid_are_tried(models: Path) -> None:
    arguments = Tune(models / "mb", models / "out", method="residual")
    loaded, method, start = prepare(arguments, TINY)
    assert method == "residual" and start == Candidate({"gain": 0.5}, 8, 6)
    chosen = first_choice(loaded, method, start, None, 6, [])
    gains = [Candidate({"gain": gain}, 16, 6) for gain in (0.25, 0.5, 0.75, 1.0)]
    assert chosen == [start, *gains]
    own = prepare(replace(arguments, method=None), TINY)
    assert own[1:] == ("mb", Candidate({}, 8, 6))
    assert first_choice(own[0], "mb", own[2], None, 6, []) == [Candidate({}, 8, 6)]


def test_the_settings_of_another_seeds_model_are_taken_over(models: Path) -> None:
    like = Tune(models / "mb", models / "out", method="residual", like=models / "other")
    result = tune(like, TINY)
    card = read_card(models / "out")
    assert card["options"] == result["options"] == {"gain": 0.75}
    assert (card["adapt_window"], card["guard"]) == (32, {"min_transitions": 4})
    assert card["seed"] == 0 and card["tuning"]["like"] == {"folder": "other", "seed": 1}
    assert (models / "out" / WEIGHTS).read_bytes() == (models / "mb" / WEIGHTS).read_bytes()
    with pytest.raises(UserError, match="other is tuned for residual, not for mb_de$"):
        tune(replace(like, method="mb_de"), TINY)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"adapt_window": None}, "incomplete model"),
        ({"adapt_window": 999_999}, "adapt_window"),
        ({"guard": {"nope": 1}}, "guard settings in the model's card"),
        ({"options": {"nope": 9}}, "nope"),
    ],
)
def test_a_wrong_card_is_refused_in_one_line(
    models: Path, wrong: dict[str, Any], message: str
) -> None:
    write_card(models / "other", {**read_card(models / "other"), **wrong})
    with pytest.raises(UserError, match=message) as refused:
        tune(Tune(models / "mb", models / "out", method="residual", like=models / "other"), TINY)
    assert "\n" not in str(refused.value) and not (models / "out").exists()


def test_the_table_has_a_line_a_candidate_and_a_star_at_the_best() -> None:
    one, two, three = (Candidate({"gain": gain}, 16, 6) for gain in (0.25, 0.5, 0.75))

    def rows(figure: str, *scored: tuple[Candidate, float]) -> list[dict[str, Any]]:
        return [{"name": each.name, **each.settings, figure: value} for each, value in scored]

    tracked = "cross_track_mean_m"
    stages: list[dict[str, Any]] = [
        {"stage": "open loop", "candidates": rows("error", (one, 0.5), (two, 0.25), (three, 1.0))},
        {"stage": "candidates", "seeds": 1, "candidates": rows(tracked, (one, 0.03), (two, 0.02))},
        {"stage": "adapt_window", "seeds": 2, "candidates": rows(tracked, (two, 0.025))},
    ]
    found = table(stages, two)
    assert found.columns == ("settings", "open loop", "1 seed [cm]", "2 seeds [cm]")
    assert [tuple(row) for row in found.rows] == [
        ("gain 0.25, window 16, from 6", "0.500", "3.00", ""),
        ("gain 0.5, window 16, from 6 *", "0.250", "2.00", "2.50"),
    ]
