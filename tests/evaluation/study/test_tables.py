"""Tables of a study."""

from __future__ import annotations

from ros_mbmrl.evaluation.study.tables import MOST_ROUNDS, gathered


def test_a_line_a_training_seed_tells_what_each_round_returned() -> None:
    rows = [
        {"train_seed": seed, "round": k, "transitions": 100 * k, "return": 10.0 * k + seed}
        for seed in (0, 1)
        for k in range(3)
    ]
    table = gathered(rows[:-1])
    assert table.columns == ("training seed", "0", "100", "200")
    assert list(table.rows) == [
        ("0", "0.00", "10.0", "20.0"),
        ("1", "1.00", "11.0", ""),
    ]


def test_of_many_rounds_some_are_shown_and_the_last() -> None:
    rows = [{"train_seed": 0, "round": k, "transitions": k, "return": float(k)} for k in range(30)]
    columns = gathered(rows).columns
    assert len(columns) <= MOST_ROUNDS + 2
    assert columns[1] == "0" and columns[-1] == "29"
