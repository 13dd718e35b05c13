"""Data sets on disk, and their splits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import yaml

from ros_mbmrl.data import dataset
from ros_mbmrl.data.dataset import load, save
from ros_mbmrl.data.files import sha256_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.quantities import Cause


def _rollout(length: int, terrain: str = "carpet", session: str = "a", seed: int = 0) -> Rollout:
    generator = np.random.default_rng(seed)
    return Rollout(
        robot="hexapod",
        states=generator.normal(size=(length + 1, 24)).astype(np.float32),
        actions=generator.normal(size=(length, 2)).astype(np.float32),
        times=np.asarray(1.5e9 + 0.1 * np.arange(length + 1), dtype=np.float64),
        marks=generator.integers(0, 16, size=length).astype(np.uint8),
        tags=MappingProxyType({"terrain": terrain, "session": session}),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "set", [_rollout(3), _rollout(1, "turf", "b", 1), _rollout(7, seed=2)])
    return tmp_path / "set"


def _assert_same(left: Rollout, right: Rollout) -> None:
    for name in ("states", "actions", "times", "marks"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert (left.robot, dict(left.tags)) == (right.robot, dict(right.tags))


def test_what_is_saved_is_loaded(folder: Path) -> None:
    expected = [_rollout(3), _rollout(1, "turf", "b", 1), _rollout(7, seed=2)]
    for left, right in zip(load([folder]), expected, strict=True):
        _assert_same(left, right)


def test_several_sets_load_in_order(folder: Path, tmp_path: Path) -> None:
    save(tmp_path / "more", [_rollout(2)])
    assert [len(rollout) for rollout in load([folder, tmp_path / "more"])] == [3, 1, 7, 2]


def test_equal_rollouts_have_equal_hashes_and_leave_nothing_else(tmp_path: Path) -> None:
    digests = {save(tmp_path / name, [_rollout(3)]) for name in ("a", "b")}
    assert len(digests) == 1
    assert digests == {sha256_of(tmp_path / "a")}
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["dataset.yaml", "rollouts.npz"]


def test_a_changed_array_file_is_refused(folder: Path) -> None:
    data = bytearray((folder / "rollouts.npz").read_bytes())
    data[300] ^= 1
    (folder / "rollouts.npz").write_bytes(data)
    with pytest.raises(UserError, match="damaged or changed"):
        load([folder])


def test_another_state_name_is_named(folder: Path) -> None:
    card = yaml.safe_load((folder / "dataset.yaml").read_text())
    card["state"][3][0] = "speed"
    (folder / "dataset.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserError, match=r"state 3 is 'speed' \[m/s\], this robot's is 'vx'"):
        load([folder])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "format, robot"),
        ("[1, 2", "not plain YAML"),
        ("format: 1\nrobot: hexapod\n", "sha256, state, action, rollouts missing"),
    ],
)
def test_a_broken_card_is_refused(folder: Path, text: str, words: str) -> None:
    (folder / "dataset.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        load([folder])


def test_a_later_format_is_refused(folder: Path) -> None:
    card = (folder / "dataset.yaml").read_text()
    (folder / "dataset.yaml").write_text(card.replace("format: 1", "format: 9"))
    with pytest.raises(UserError, match="format 9"):
        load([folder])


def test_a_missing_folder_or_no_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.yaml"):
        load([tmp_path / "nothing"])
    with pytest.raises(UserError, match="no data"):
        load([])
    with pytest.raises(UserError, match="none"):
        save(tmp_path / "set", [])


def test_recordings_and_data_sets_are_loaded_together(
    folder: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.steps(0, 5)
    run = script.run()
    monkeypatch.setattr(dataset, "read_run", lambda path: replace(run, path=path))
    more = folder.parent / "more"
    more.mkdir()
    for name in ("b.mcap", "a.mcap", "notes.txt"):
        (more / name).write_text(name)
    loaded = load([more, folder, more / "b.mcap"])
    assert [r.tags["session"] for r in loaded] == ["a", "b", "a", "b", "a", "b"]
    assert [len(r) for r in loaded] == [4, 4, 3, 1, 7, 4]
    before = sha256_of(more)
    (more / "a.mcap").write_text("other")
    assert sha256_of(more) != before


def test_recordings_of_other_robots_or_rates_are_refused(
    folder: Path, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.steps(0, 5)
    runs = {"here": script.run(), "there": replace(script.run(), robot="pr2_arm")}
    slow = [replace(step, stamp=2 * step.stamp) for step in script.run().steps]
    runs["slow"] = replace(script.run(), steps=tuple(slow))
    monkeypatch.setattr(dataset, "read_run", lambda path: replace(runs[path.stem], path=path))
    files = {name: folder.parent / f"{name}.mcap" for name in runs}
    for file in files.values():
        file.write_text("")
    with pytest.raises(UserError, match=r"here\.mcap is of hexapod, .*there\.mcap is of pr2_arm"):
        load([files["here"], files["there"]])
    with pytest.raises(UserError, match=r"set is of hexapod, .*there\.mcap is of pr2_arm"):
        load([folder, files["there"]])
    with pytest.raises(UserError, match=r"here\.mcap runs at 10 Hz, .*slow\.mcap at 5 Hz"):
        load([files["here"], files["slow"]])


def test_a_data_set_of_another_rate_is_refused(folder: Path) -> None:
    card = (folder / "dataset.yaml").read_text()
    (folder / "dataset.yaml").write_text(card.replace("period: 0.1", "period: 0.05"))
    with pytest.raises(UserError, match=r"period of 0\.05 s, expected 0\.1 s of hexapod"):
        load([folder])


def test_missing_arrays_are_refused(folder: Path) -> None:
    (folder / "rollouts.npz").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load([folder])


@pytest.mark.parametrize(
    ("name", "head", "words"),
    [
        ("b.db3", b"SQLite format 3\0", "damaged or not a bag of SQLite"),
        ("c.bag", b"#ROSBAG V2.0\n", "a bag of ROS 1: convert it first"),
        ("d.mcap.gz", b"\x1f\x8b\x08\0\0\0\0\0", "compressed with gzip: unpack it first"),
        ("e.mcap", b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
    ],
)
def test_what_cannot_be_read_in_a_folder_is_refused_not_left_out(
    tmp_path: Path, name: str, head: bytes, words: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(head + bytes(100))
    with pytest.raises(UserError, match=f"in/{name}: {words}"):
        load([tmp_path])


def test_a_data_set_in_a_folder_is_loaded(folder: Path) -> None:
    assert [len(rollout) for rollout in load([folder.parent])] == [3, 1, 7]


def test_what_actuators_have_lost_is_kept_and_unknown_stays_unknown(tmp_path: Path) -> None:
    share = np.array([[1.0, 0.5], [0.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    known, unknown = replace(_rollout(3), effectiveness=share), _rollout(2, seed=1)
    save(tmp_path / "set", [known, unknown])
    first, second = load([tmp_path / "set"])
    np.testing.assert_array_equal(first.effectiveness, share)
    assert second.effectiveness is None


def test_nothing_but_numbers_is_written(folder: Path) -> None:
    """Whatever NumPy: one before 2.1 takes its own options for arrays."""
    arrays = dict(np.load(folder / "rollouts.npz"))
    assert "allow_pickle" not in arrays
    assert not any(array.dtype.hasobject for array in arrays.values())


def test_effectiveness_of_another_width_is_refused(folder: Path) -> None:
    arrays = dict(np.load(folder / "rollouts.npz"))
    arrays["effectiveness"] = np.ones((11, 3), dtype=np.float32)
    np.savez(folder / "rollouts.npz", **arrays)
    card = yaml.safe_load((folder / "dataset.yaml").read_text())
    card["sha256"] = sha256_of(folder)
    (folder / "dataset.yaml").write_text(yaml.safe_dump(card))
    with pytest.raises(UserError, match="expected 2 columns of effectiveness"):
        load([folder])


def test_other_causes_are_kept_and_unknown_stays_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push = Cause("push", "N", -2.0, 2.0, 0.0, (1.0,))
    with_causes = replace(Hexapod.spec, causes=(push,))
    monkeypatch.setattr(Hexapod, "spec", with_causes)
    values = np.array([[0.0], [0.5], [2.0]], dtype=np.float32)
    save(tmp_path / "set", [_rollout(2, seed=1), replace(_rollout(3), causes=values)])
    first, second = load([tmp_path / "set"])
    assert first.causes is None and first.effectiveness is None
    np.testing.assert_array_equal(second.causes, values)
    monkeypatch.setattr(Hexapod, "spec", replace(with_causes, causes=()))
    with pytest.raises(UserError, match="1 cause names, this robot has 0"):
        load([tmp_path / "set"])
