"""A graph refuses what is no run of its robot, in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.live_run import check_live_run


def test_another_robots_run_and_no_run_are_refused(tmp_path: Path) -> None:
    (tmp_path / "description.json").write_text(json.dumps({"robot": "ant"}))
    with pytest.raises(UserError, match=r"is a run of ant: expected one of hexapod"):
        check_live_run(tmp_path, "hexapod")
    with pytest.raises(UserError, match=r"no folder '.*/nowhere'"):
        check_live_run(tmp_path / "nowhere", "hexapod")


def test_a_run_by_hand_and_one_of_an_environment_are_taken(tmp_path: Path) -> None:
    check_live_run(tmp_path, "hexapod")
    (tmp_path / "description.json").write_text(json.dumps({"robot": "half_cheetah_run"}))
    check_live_run(tmp_path, "half_cheetah")
