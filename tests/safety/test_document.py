"""docs/safety.md says what the code does: its tables are the code's, and its tests exist."""

from __future__ import annotations

import re
from pathlib import Path

from ros_mbmrl.safety.rules import LEVELS, filled
from ros_mbmrl.safety.types import Level

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "safety.md"


def test_the_tables_are_the_codes() -> None:
    text = DOCUMENT.read_text()
    assert text == filled(text), "run: python -m ros_mbmrl.safety.rules docs/safety.md"
    assert set(LEVELS) == set(Level)


def test_every_test_it_names_exists() -> None:
    named = re.findall(r"`(tests/\S+\.py)(?:::(\w+))?`", DOCUMENT.read_text())
    assert len(named) > 15
    for file, name in named:
        source = (ROOT / file).read_text()
        assert not name or re.search(rf"^(def|class) {name}\b", source, re.MULTILINE), name
