"""Reading a run folder; whole runs are read by tests/commands/test_bounds.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.trained_run import discount_of, kept_data, load_run
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks


def test_the_discount_of_a_training() -> None:
    assert discount_of({"training": {"step": {"discounts": {"discount": 0.9}}}}) == 0.9
    assert discount_of({"training": {"soft": {"discount": 0}, "x": [1]}}) == 0.0
    assert discount_of({"training": {"budget": 3}}) == discount_of({}) == 0.99


def test_a_folder_without_data(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkpoint.safetensors: expected the run's data"):
        kept_data(tmp_path, simulated_tasks("point_centre"))
    with pytest.raises(UserError, match="no model folder"):
        load_run(tmp_path / "none")
