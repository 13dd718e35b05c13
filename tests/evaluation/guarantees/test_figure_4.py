"""The sign pattern of M3PO's figure 4."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.evaluation.guarantees.figure_4 import (
    DISCOUNTS,
    ERRORS,
    NO_DIVERGENCE,
    REST,
    draw,
    surface,
)


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_policies_alike(discount: float) -> None:
    """Panel (a): below zero for any length, since no branch outgrows a whole roll-out."""
    values = surface(discount, NO_DIVERGENCE)
    assert values.shape == (50, len(ERRORS)) and (values[:, 0] == 0).all()
    assert (values[:, 1:] < 0).all()
    assert (np.diff(values, axis=0) >= -1e-9).all()  # longer is worse


@pytest.mark.parametrize("discount", DISCOUNTS)
def test_what_the_model_leaves_is_the_policies(discount: float) -> None:
    """Panel (b): one step is below zero for every error; long ones are above for small errors."""
    values = surface(discount, REST)
    assert (values[0] < 0).all()
    assert (np.diff(values, axis=0) >= -1e-9).all()
    positive = values[-1] > 0
    assert not positive[-1]  # the model alone is wrong: as in panel (a)
    assert (np.diff(positive.astype(int)) <= 0).all()  # above zero on the left, if anywhere


def test_it_is_drawn(tmp_path: Path) -> None:
    draw(tmp_path / "new" / "figure_4.png")
    assert (tmp_path / "new" / "figure_4.png").read_bytes().startswith(b"\x89PNG")
