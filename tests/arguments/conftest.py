"""Command lines as the arguments that a command is run with; nothing is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ros_mbmrl import cli


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Returns the arguments of a command line."""
    got: list[Any] = []

    def run(arguments: Any) -> dict[str, Any]:
        got.append(arguments)
        return {}

    monkeypatch.setattr(cli, "run", run)

    def parsed(*words: str) -> Any:
        cli.main([*words])
        return got.pop()

    return parsed


@pytest.fixture
def refused(parsed: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Returns what is said of a command line that is bad input: exit status 2."""

    def refused(*words: str) -> str:
        with pytest.raises(SystemExit) as stop:
            parsed(*words)
        assert stop.value.code == 2
        return capsys.readouterr().err

    return refused
