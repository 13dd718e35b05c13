"""The commands give what they gave, at fixed seeds."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("outcomes", HERE / "outcomes.py")
assert spec is not None and spec.loader is not None
outcomes: Any = importlib.util.module_from_spec(spec)
spec.loader.exec_module(outcomes)
KNOWN = json.loads(outcomes.FILE.read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("golden")


LONG = [pytest.param(name, marks=pytest.mark.slow) for name in outcomes.LONG]


@pytest.mark.parametrize("name", [*outcomes.OUTCOMES, *LONG])
def test_the_same_as_recorded(folder: Path, name: str) -> None:
    """Bit for bit where numbers are rounded alike; elsewhere closed loops are another chaos."""
    alike = KNOWN["arithmetic"] == outcomes.arithmetic()
    if not alike and name not in outcomes.OPEN_LOOP:
        pytest.skip("recorded on a machine that rounds otherwise")
    make = {**outcomes.OUTCOMES, **outcomes.LONG}[name]
    found = json.loads(json.dumps(make(folder)))
    tolerance = 0.0 if alike else 1e-3
    assert not outcomes.difference(KNOWN["outcomes"][name], found, tolerance)


def test_a_difference_is_told_where_it_is() -> None:
    known = {"rows": [{"a": 1.0}, {"a": 2.0}]}
    assert outcomes.difference(known, {"rows": [{"a": 1.0}, {"a": 2.0}]}) == ""
    told = outcomes.difference(known, {"rows": [{"a": 1.0}, {"a": 2.5}]})
    assert told == ".rows[1].a: 2.0 and now 2.5"
    assert outcomes.difference(known, {"rows": [{"a": 1.0}]}) == ".rows: 2 and now 1"
    assert not outcomes.difference({"a": 1.0}, {"a": 1.0 + 1e-9}, 1e-6)
