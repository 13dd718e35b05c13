"""Files of others: what cannot be read is told in words that say what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.untrusted import read_arrays


@pytest.mark.parametrize(
    "array",
    [
        np.array(["carpet", "turf"], dtype=object),
        np.array([], dtype=object),
        np.array([1, 2.5], dtype=object),
        np.zeros(3, dtype=[("name", "O"), ("value", "f4")]),
        np.array({"a": 1}, dtype=object),
    ],
)
def test_arrays_of_objects_are_named_as_such(array: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "logs.npz", samples=np.zeros(3), session=array)
    with pytest.raises(UserError, match=r"logs\.npz: .*session\.npy: objects, expected texts"):
        read_arrays(tmp_path / "logs.npz", ["samples", "session"])
    assert list(read_arrays(tmp_path / "logs.npz", ["samples"])) == ["samples"]


@pytest.mark.parametrize("kind", [str, "S8", np.float32, np.int64, bool])
@pytest.mark.parametrize("packed", [False, True])
def test_plain_arrays_are_read(kind: Any, packed: bool, tmp_path: Path) -> None:
    array = np.array([1, 2, 3]).astype(kind)
    (np.savez_compressed if packed else np.savez)(tmp_path / "a.npz", x=array)
    np.testing.assert_array_equal(read_arrays(tmp_path / "a.npz", ["x"])["x"], array)


def test_a_version_of_the_format_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="format 3.0"):
        np.savez(tmp_path / "a.npz", x=np.zeros(2, dtype=[("\u05d0", "f4")]))
    with pytest.raises(UserError, match=r"version \(3, 0\) of npy, expected \(1, 0\), \(2, 0\)"):
        read_arrays(tmp_path / "a.npz", ["x"])
