"""The comparison with and without compensation: its table by hand, and one small run."""

import json
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.delay import Config, run, table


def test_the_table_by_hand() -> None:
    def row(delay: float, told: bool, error: float) -> dict[str, object]:
        return {"method": "mb", "delay_s": delay, "compensated": told, "cross_track_mean_m": error}

    rows = [row(0.0, False, 0.01), row(0.0, True, 0.01)]
    rows += [row(0.1, False, 0.05), row(0.1, False, 0.03), row(0.1, True, 0.02)]
    none, late = table(rows)
    assert none["ratio"] == none["worse_with"] == 1.0
    assert late["without_m"] == pytest.approx(0.04)
    assert late["ratio"] == pytest.approx(0.5)
    assert late["worse_without"] == pytest.approx(4.0)


def test_a_small_run_writes_its_rows_and_its_picture(tmp_path: Path) -> None:
    run(Config(tmp_path, methods=("mb",), delays=(0.2,), seeds=1, duration=1.0, workers=1))
    written = json.loads((tmp_path / "delay.json").read_text())
    assert [row["compensated"] for row in written["rows"]] == [False, False, True, True]
    assert (tmp_path / "delay.png").stat().st_size > 0


@pytest.mark.parametrize("wrong", [{"seeds": 0}, {"delays": (-0.1,)}, {"methods": ("none",)}])
def test_bad_input_is_one_line(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UserError, match="expected|no shipped model"):
        Config(tmp_path, **wrong)  # type: ignore[arg-type]
