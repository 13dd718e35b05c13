from itertools import pairwise
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.calibration import (
    calibrated,
    load_calibration,
    make_grounds,
    make_terrain,
    save_calibration,
)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    before = calibrated()
    save_calibration(tmp_path / "a" / "hexapod.yaml", before)
    after = load_calibration(tmp_path / "a" / "hexapod.yaml")
    assert after.motor.lag == pytest.approx(before.motor.lag, rel=1e-3)
    assert set(after.terrains) == set(before.terrains)
    assert after.provenance == before.provenance


def test_the_shipped_one_says_where_it_came_from() -> None:
    assert "mbmrl calibrate" in calibrated().provenance["command"]
    assert "licence" in calibrated().provenance


@pytest.mark.parametrize(
    ("part", "text", "message"),
    [
        ("frame", "[1", "x.yaml: not plain YAML .while parsing"),
        ("wheels", "{}", "not as expected .*unknown part 'wheels'"),
        ("frame", "{leg_radius: 0}", "leg_radius: expected above 0"),
        ("motor", "{lag: -1}", "lag: 0 or more"),
        ("motor", "{speed: 1}", "speed"),
        ("telemetry", "{back_emf_left: 0}", "back_emf_left: expected above 0, got 0"),
        ("telemetry", "{jitter: -1}", "jitter, back_emf_noise: expected 0 or more"),
        ("terrains", "{carpet: {}}", "no terrain 'gravel'"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, part: str, text: str, message: str) -> None:
    grounds = "{carpet: {}, gravel: {}, styrofoam: {}, turf: {}}"
    parts = {"frame": "{}", "motor": "{}", "telemetry": "{}", "terrains": grounds, part: text}
    (tmp_path / "x.yaml").write_text("\n".join(f"{k}: {v}" for k, v in parts.items()))
    with pytest.raises(UserError, match=message):
        load_calibration(tmp_path / "x.yaml")


def test_a_file_that_cannot_be_written_is_a_users_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UserError, match="cannot be written"):
        save_calibration(tmp_path / "a" / "hexapod.yaml", calibrated())


def test_changing_grounds_are_the_real_ones_in_turn() -> None:
    grounds = make_grounds("changing", 3)
    begins, names = [begin for begin, _ in grounds], [each.name for _, each in grounds]
    assert begins[0] == 0.0 and begins == sorted(begins)
    assert set(names) == {"carpet", "styrofoam", "turf", "gravel"}
    assert all(one != two for one, two in pairwise(names))
    assert make_grounds("changing", 3) == grounds != make_grounds("changing", 4)
    assert make_grounds("turf", 3) == [(0.0, make_terrain("turf"))]
    with pytest.raises(UserError, match="unknown terrain 'lava'"):
        make_grounds("lava", 0)
