"""Tensor files: whole or not at all, never unpickled."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file


def test_round_trip(tmp_path: Path) -> None:
    tensors = {"a/w": torch.randn(3, 4).T, "a/b": torch.tensor(2.0), "c": torch.arange(3)}
    state = {"step": 7, "best": 0.1 + 0.2, "bad": 0}
    tensor_file.save(tmp_path / "sub" / "c.safetensors", tensors, state)
    got, got_state = tensor_file.load(tmp_path / "sub" / "c.safetensors")
    assert got_state == state
    assert got.keys() == tensors.keys()
    assert all(torch.equal(got[name], tensors[name]) for name in tensors)
    assert tensor_file.unflatten("a", got).keys() == {"w", "b"}
    assert tensor_file.flatten("a", tensor_file.unflatten("a", got)).keys() == {"a/w", "a/b"}
    assert [p.name for p in (tmp_path / "sub").iterdir()] == ["c.safetensors"]


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.safetensors"
    tensor_file.save(path, {"a": torch.zeros(2)}, {"step": 1})

    def crash(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.write_bytes", crash)
    with pytest.raises(OSError, match="disk full"):
        tensor_file.save(path, {"a": torch.ones(2)}, {"step": 2})
    assert tensor_file.load(path)[1] == {"step": 1}


@pytest.mark.parametrize("content", [b"", b"junk", b"\x80\x04N.", b"\xff" * 64])
def test_what_is_not_ours_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a readable tensor file"):
        tensor_file.load(path)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="not a readable tensor file"):
            tensor_file.load(path)
