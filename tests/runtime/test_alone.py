"""A lock by name and domain, which goes with who holds it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ros_mbmrl.errors import RunError
from ros_mbmrl.runtime.alone import alone


def test_two_of_a_name_are_not_in_one_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with alone("/hexapod", 7):
        with (
            pytest.raises(RunError, match="/hexapod already runs in ROS domain 7: end it"),
            alone("/hexapod", 7),
        ):
            pass
        with alone("/hexapod", 8), alone("/half_cheetah", 7):
            pass
    with alone("/hexapod", 7):
        pass
