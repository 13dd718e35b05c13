"""Files of others: YAML as people and ROS write it, Git LFS pointers, arrays of objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ros_mbmrl.data import dataset, files
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.untrusted import dump_yaml, parse_yaml, read_arrays, read_yaml

NUMBERS = {
    "1e-4": 1e-4,
    "1E4": 1e4,
    "-2e+3": -2e3,
    "2.5e3": 2.5e3,
    "2.e3": 2e3,
    "+.5e-1": 0.05,
    "1e400": float("inf"),
    "0.1": 0.1,
    "12": 12,
}
TEXTS = ("e4", "1e", "1e-", "1e4x", "x1e4", "1e4 m", "0x1e4", "le-4", "1-e4", "'1e4'", '"1e4"')
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    for document in (text, f"[{text}, 1]", f"x: {text}"):
        value = parse_yaml(document)
        value = value[0] if isinstance(value, list) else value
        value = value["x"] if isinstance(value, dict) else value
        assert value == NUMBERS[text] and type(value) is type(NUMBERS[text])


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    assert isinstance(parse_yaml(text), str) or parse_yaml(text) == 0x1E4


_scalars = (
    st.text()
    | st.from_regex(r"[-+]?[0-9]{0,3}\.?[0-9]{0,3}[eE]?[-+]?[0-9]{0,3}", fullmatch=True)
    | st.floats(allow_nan=False)
    | st.integers(-(10**90), 10**90)
    | st.booleans()
    | st.none()
)


@settings(deadline=None)
@given(st.recursive(_scalars, lambda each: st.lists(each) | st.dictionaries(st.text(), each)))
def test_what_is_written_is_read_back(value: object) -> None:
    assert parse_yaml(dump_yaml(value)) == value


@pytest.mark.parametrize("name", ["model.safetensors", "arrays.npz", "card.yaml"])
def test_a_git_lfs_pointer_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(POINTER)
    readers = {
        "model.safetensors": lambda: tensor_file.load(path),
        "arrays.npz": lambda: read_arrays(path, ["states"]),
        "card.yaml": lambda: read_yaml(path),
    }
    with pytest.raises(UserError, match="a Git LFS pointer, not the file itself") as caught:
        readers[name]()
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["card.yaml", "model.safetensors"])
def test_a_pointer_in_a_model_folder_is_named(
    name: str, tmp_path: Path, robot: Robot, prior: tuple[DynamicsModel, Parameters]
) -> None:
    save_model(tmp_path, *prior, {"method": "mb"})
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(UserError, match=f"{name}: a Git LFS pointer"):
        load_model(tmp_path, robot)


@pytest.mark.parametrize("name", [files.CARD_FILE, files.ARRAYS_FILE])
def test_a_pointer_in_a_data_set_is_named(
    name: str, tmp_path: Path, registered: Robot, rollouts: list[Rollout]
) -> None:
    dataset.save(tmp_path / "set", rollouts)
    (tmp_path / "set" / name).write_text(POINTER)
    with pytest.raises(UserError, match=f"{name}: a Git LFS pointer"):
        dataset.load([tmp_path / "set"])


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
