"""`mbmrl import bag`: from a robot's own topics to a recording that every command takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data.dataset import load
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.selection import split
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level

Bag = Callable[..., Path]
START = 1_700_000_000 * 10**9
ROVER = """
name: rover
kind: planar_base
period: 0.1
topics:
  odometry: {name: /odom, type: nav_msgs/msg/Odometry}
  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}
measured:
  pose: odometry.pose.pose
  speed: odometry.twist.twist.linear.x
  yaw_rate: odometry.twist.twist.angular.z
commands:
  topic: drive
  values:
    forward: {field: linear.x, unit: m/s, low: -1.0, high: 1.0}
    turn: {field: angular.z, unit: rad/s, low: -2.0, high: 2.0}
"""


@pytest.fixture
def rover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base's file, forgotten after the test."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    path = tmp_path / "my_robot.yaml"
    path.write_text(ROVER)
    return path


def drive(count: int = 300, rate: float = 30.0) -> list[tuple[Any, ...]]:
    """Odometry at 30 Hz on a circle of 2 m, commands at 20 Hz that change every second."""
    rng = np.random.default_rng(0)
    rows: list[tuple[Any, ...]] = []
    for k in range(count):
        time = k / rate
        ns = START + round(time * 1e9)
        yaw = 0.25 * time
        place = {"x": 2 * np.sin(yaw), "y": 2 - 2 * np.cos(yaw)}
        pose = {"position": place, "orientation": {"w": np.cos(yaw / 2), "z": np.sin(yaw / 2)}}
        twist = {"linear": {"x": 0.5}, "angular": {"z": 0.25}}
        header = {"stamp": {"sec": ns // 10**9, "nanosec": ns % 10**9}, "frame_id": "odom"}
        odometry = {"header": header, "pose": {"pose": pose}, "twist": {"twist": twist}}
        late = round(1e6 * rng.uniform(5, 15))
        rows.append(("/odom", "nav_msgs/msg/Odometry", ns + late, odometry))
    for k in range(round(count / rate * 20)):
        command = {"linear": {"x": 0.5 + 0.1 * (k // 20 % 2)}, "angular": {"z": 0.25}}
        rows.append(("/cmd_vel", "geometry_msgs/msg/Twist", START + k * 50_000_000, command))
    return sorted(rows, key=lambda row: row[2])


def results(tmp_path: Path, *words: str) -> dict[str, Any]:
    cli.main([*words, "--json", str(tmp_path / "report.json")])
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["results"]
    return found


def test_a_drive_becomes_a_recording(
    write_bag: Bag, rover: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(), "sqlite3", "file"), tmp_path / "run.mcap"
    found = results(
        tmp_path, "import", "bag", str(bag / "bag.db3.zstd"), str(out), "--robot", str(rover)
    )
    assert (found["robot"], found["clock"], found["stretches"]) == ("rover", "stamps", 1)
    assert (found["steps"], found["transitions"], found["marked"]) == (100, 99, 0)
    assert "ticks: every 0.1 s; no measured topic comes at this rate" in capsys.readouterr().out
    (rollout,) = load([out])
    assert rollout.robot == "rover"
    times = rollout.times - rollout.times[0]
    np.testing.assert_allclose(times, 0.1 * np.arange(100), atol=1e-6)
    names = [quantity.name for quantity in make_robot("rover").spec.state]
    state = dict(zip(names, rollout.states.T, strict=True))
    np.testing.assert_allclose(state["x"], 2 * np.sin(0.25 * times), atol=1e-3)
    np.testing.assert_allclose(state["sin_yaw"], np.sin(0.25 * times), atol=1e-5)
    np.testing.assert_allclose(state["speed"], 0.5, atol=1e-6)
    np.testing.assert_allclose(rollout.actions[:, 0], 0.5 + 0.1 * (times[:-1] // 1 % 2), atol=0.03)
    np.testing.assert_allclose(rollout.actions[:, 1], 0.25)


def test_the_recording_is_read_by_the_other_commands(
    write_bag: Bag, rover: Path, tmp_path: Path
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(), "mcap"), tmp_path / "run.mcap"
    results(tmp_path, "import", "bag", str(bag / "bag.mcap"), str(out), "--robot", str(rover))
    (row,) = results(tmp_path, "data", "info", str(out))["rows"]
    assert row["robot"] == "rover" and "/rover/command/safe" in row["topics"]
    (row,) = results(tmp_path, "data", "check", str(out))["rows"]
    assert (row["verdict"], row["transitions"], row["marked"]) == ("ok", 99, 0)
    assert row["notes"] == ["imported (bag): without proposals and diagnostics"]
    plots = results(tmp_path, "data", "plot", str(out), "--out", str(tmp_path / "plots"))
    assert plots["transitions"] == 99
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "hidden: [8]\nadapt_windows: [4]\npredict_window: 4\nsupervised_steps: 5\n"
        "meta_steps: 0\nbatch: 8\nvalidate_every: 5\nhorizon: 3\n"
    )
    model = tmp_path / "model"
    second = tmp_path / "more" / "other.mcap"
    results(tmp_path, "import", "bag", str(bag / "bag.mcap"), str(second), "--robot", str(rover))
    data = ("--data", str(out), str(second))
    words = ("train", "mb", "rover", *data, "--out", str(model), "--recipe", str(recipe))
    results(tmp_path, *words)
    words = ("score", str(model), "--data", str(out), "--sessions", "all")
    rows = results(tmp_path, *words)["rows"]
    assert rows and all(np.isfinite(row["median"]) for row in rows)


@pytest.mark.parametrize("name", ["hexapod", "half_cheetah"])
def test_our_own_recording_comes_back_bit_for_bit(tmp_path: Path, name: str) -> None:
    """States, actions and times of the import are those of the recording itself."""
    robot, rng = make_robot(name), np.random.default_rng(1)
    spec, path, out = robot.spec, tmp_path / "run.mcap", tmp_path / "out" / "run.mcap"
    with RunRecorder(spec, path) as recorder:
        time = 1_700_000_000.123456
        for k in range(60):
            time += spec.period * rng.uniform(0.95, 1.05) + (2.0 if k == 30 else 0.0)
            values = rng.normal(size=len(spec.measurement))
            recorder.measured(Measurement(time, values))
            command = rng.uniform(spec.action_low, spec.action_high)
            recorder.answered(None, Checked(command, Level.RUN, ()), stopped=False)
    found = results(tmp_path, "import", "bag", str(path), str(out), "--robot", name)
    assert (found["stretches"], found["clock"]) == (2, "stamps")
    direct, imported = load([path]), load([out])
    assert [len(each) for each in imported] == [len(each) for each in direct] == [29, 29]
    for ours, theirs in zip(direct, imported, strict=True):
        np.testing.assert_array_equal(ours.states, theirs.states)
        np.testing.assert_array_equal(ours.actions, theirs.actions)
        np.testing.assert_array_equal(ours.times, theirs.times)
        np.testing.assert_array_equal(ours.marks, theirs.marks)


def test_a_jump_and_a_gap_split_rollouts(write_bag: Bag, rover: Path, tmp_path: Path) -> None:
    rows = [
        row if row[2] < START + 5 * 10**9 else _later(row, 400_000_000)
        for row in drive()
        if not 2e9 < row[2] - START < 3e9
    ]
    bag, out = write_bag(tmp_path / "bag", rows, "mcap"), tmp_path / "run.mcap"
    found = results(
        tmp_path, "import", "bag", str(bag / "bag.mcap"), str(out), "--robot", str(rover)
    )
    assert (found["stretches"], len(found["jumps"])) == (3, 1)
    assert len(load([out])) == 3
    assert any("clock jump of -0.4" in note for note in found["notes"])


def _later(row: tuple[Any, ...], by: int) -> tuple[Any, ...]:
    """A message whose stamp is later, by a clock that was set."""
    topic, kind, time, fields = row
    if "header" in fields:
        stamp = fields["header"]["stamp"]
        ns = stamp["sec"] * 10**9 + stamp["nanosec"] + by
        fields = {**fields, "header": {"stamp": {"sec": ns // 10**9, "nanosec": ns % 10**9}}}
    return topic, kind, time, fields


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "expected --robot, a robot's file (my_robot.yaml) or its name"),
        (["--robot", "ROVER", "--gap", "0.01"], "gap: expected a control period or more, 0.1 s"),
        (["--robot", "hexapod"], "nothing on /hexapod/odom"),
        (["--robot", "nobody"], "unknown robot 'nobody'"),
    ],
)
def test_what_cannot_be_is_a_line_and_leaves_nothing(
    write_bag: Bag,
    rover: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(30)), tmp_path / "out" / "run.mcap"
    told = [str(rover) if word == "ROVER" else word for word in words]
    with pytest.raises(SystemExit) as caught:
        cli.main(["import", "bag", str(bag / "bag.db3"), str(out), *told])
    error = capsys.readouterr().err
    assert caught.value.code == 2
    assert error.startswith("mbmrl import: ") and error.count("\n") == 1 and said in error
    assert not out.exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: b"", "an empty file (0 bytes)"),
        (lambda data: data[: len(data) // 2], "damaged or not a bag of SQLite"),
        (lambda data: bytes(b ^ 0x5A for b in data), "not a recording"),
    ],
)
def test_a_damaged_bag_is_a_line_and_leaves_nothing(
    write_bag: Bag,
    rover: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[bytes], bytes],
    said: str,
) -> None:
    path = write_bag(tmp_path / "bag", drive(), "sqlite3") / "bag.db3"
    path.write_bytes(damage(path.read_bytes()))
    out = tmp_path / "run.mcap"
    with pytest.raises(SystemExit) as caught:
        cli.main(["import", "bag", str(path), str(out), "--robot", str(rover)])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1 and said in error
    assert not out.exists()


def test_one_bag_is_enough_to_hold_some_of_it_out(
    write_bag: Bag, rover: Path, tmp_path: Path
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive()), tmp_path / "run.mcap"
    words = ("--robot", str(rover), "--episode-seconds", "2.5")
    results(tmp_path, "import", "bag", str(bag), str(out), *words)
    rollouts = load([out])
    assert [len(each) for each in rollouts] == [24] * 4
    assert [each.tags["episode"] for each in rollouts] == ["1", "2", "3", "4"]
    training, held_out = split(rollouts)
    assert (len(training), len(held_out)) == (3, 1)
    np.testing.assert_allclose(rollouts[1].actions[:, 1], 0.25)


@pytest.mark.parametrize("metadata", [True, False])
def test_a_bags_folder_is_a_bag(
    write_bag: Bag, rover: Path, tmp_path: Path, capsys: Any, metadata: bool
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(60)), tmp_path / "run.mcap"
    if not metadata:
        (bag / "metadata.yaml").unlink()
    words = ("import", "bag", str(bag), str(out), "--robot", str(rover))
    assert results(tmp_path, *words)["steps"] == 20
    (bag / "metadata.yaml").unlink(missing_ok=True)
    (bag / "other.db3").write_bytes((bag / "bag.db3").read_bytes())
    with pytest.raises(SystemExit):
        cli.main(["import", "bag", str(bag), str(tmp_path / "b.mcap"), "--robot", str(rover)])
    assert "holds 2 recordings: expected one bag" in capsys.readouterr().err


def test_what_is_there_stays(write_bag: Bag, rover: Path, tmp_path: Path, capsys: Any) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(30)), tmp_path / "run.mcap"
    out.write_text("mine")
    for target, said in (
        (out, "is there already"),
        (tmp_path / "run", "a name that ends in .mcap"),
    ):
        with pytest.raises(SystemExit):
            cli.main(["import", "bag", str(bag / "bag.db3"), str(target), "--robot", str(rover)])
        assert said in capsys.readouterr().err
    assert out.read_text() == "mine"


def test_stamps_are_not_asked_for_where_there_are_none(
    write_bag: Bag, rover: Path, tmp_path: Path
) -> None:
    bag, out = write_bag(tmp_path / "bag", drive(), "mcap"), tmp_path / "run.mcap"
    words = ("--robot", str(rover), "--clock", "received")
    found = results(tmp_path, "import", "bag", str(bag / "bag.mcap"), str(out), *words)
    assert found["clock"] == "received"
    first = next(iter(read_messages(out, ["/rover/odom"])))
    assert first.log_time_ns % 100_000_000 > 4_000_000  # the delay of the first message


def test_a_table_becomes_a_recording(rover: Path, tmp_path: Path) -> None:
    lines = ["time,x,y,qw,qx,qy,qz,speed,yaw_rate,forward,turn"]
    lines += [f"{5 + 0.1 * k:.1f},{0.05 * k},0,1,0,0,0,0.5,0,0.5,{0.1 * k}" for k in range(20)]
    table, out = tmp_path / "drive.csv", tmp_path / "run.mcap"
    table.write_text("\n".join(lines) + "\n")
    found = results(tmp_path, "import", "csv", str(table), str(out), "--robot", str(rover))
    assert (found["steps"], found["transitions"], found["marked"]) == (20, 19, 0)
    (rollout,) = load([out])
    np.testing.assert_allclose(rollout.times, 5 + 0.1 * np.arange(20))
    np.testing.assert_allclose(rollout.actions, [[0.5, 0.1 * k] for k in range(19)], rtol=1e-6)
