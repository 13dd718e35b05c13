"""Starts that are refused, by the command that a user gives."""

from __future__ import annotations

import pytest

from ros_mbmrl.faults.starts import PARAMETERS, refused_start


@pytest.mark.parametrize("kind", PARAMETERS)
def test_a_parameter_that_would_be_ignored_is_refused_before_the_start(kind: str) -> None:
    assert refused_start(kind).startswith("start: mbmrl launch: params: /params.yaml: '")
