"""`mbmrl data`, and recordings as data of `mbmrl train` and `mbmrl score`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.serialization import serialize_message

from ros_mbmrl import cli
from ros_mbmrl.data import dataset
from ros_mbmrl.data.files import sha256_of
from ros_mbmrl.data.recording import RecordingWriter
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.card import read_card
from ros_mbmrl.nodes.messages import command_message, diagnostics, nanoseconds, status
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import topic

ROBOT = make_robot("hexapod")
RECIPE = """
hidden: [8]
adapt_windows: [4, 8]
predict_window: 6
supervised_steps: 6
meta_steps: 0
batch: 8
validate_every: 5
horizon: 3
"""
ARRAY = "diagnostic_msgs/msg/DiagnosticArray"

Record = Callable[..., Path]


def drive(rng: np.random.Generator, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Measurements (steps, 18) and commands (steps, 2) of a walk whose speed follows them."""
    commands = rng.uniform(5.0, 40.0, (steps, 2))
    values = np.zeros((steps, 18))
    values[:, 3], values[:, 2], values[:, 17] = 1.0, 0.05, 3.9
    values[1:, 0] = np.cumsum(0.0006 * commands[:-1].sum(axis=1))
    values[1:, 13:15] = np.cumsum(0.1 * commands[:-1], axis=0)
    noise = rng.normal(size=values.shape) * ([1e-3] * 3 + [0] * 4 + [1e-2] * 10 + [1e-3])
    return values + noise, commands


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Writes a recording of the hexapod's graph; `episodes` of equal length, each one's terrain."""

    def recorded(
        name: str = "run",
        steps: int = 60,
        period: float = 0.1,
        without: tuple[str, ...] = (),
        episodes: tuple[str, ...] = (),
        seed: int = 0,
    ) -> Path:
        path, codec = tmp_path / f"{name}.mcap", SensorCodec(ROBOT.spec)
        values, commands = drive(np.random.default_rng(seed), steps)
        with RecordingWriter(path) as writer:

            def write(where: str, kind: str, message: Any, logged: int) -> None:
                data = serialize_message(message)
                writer.write_raw(f"/hexapod/{where}", kind, data, logged, logged)

            def tell(event: str, index: int, stamp: int) -> None:
                facts = {"event": event, "index": str(index), "terrain": episodes[index]}
                line = status("collect", "episode", "hexapod", facts)
                write("episode", ARRAY, diagnostics(stamp, line), stamp)

            for k in range(steps):
                stamp = nanoseconds(1.0 + k * period)
                length = steps // max(len(episodes), 1)
                if episodes and k % length == 0:
                    tell("start", k // length, stamp)
                messages = codec.encode(Measurement(stamp / 1e9, values[k]), None)
                messages["command/safe"] = command_message(ROBOT.spec, commands[k], stamp)
                for where, message in messages.items():
                    if where not in without:
                        write(where, topic(where).type, message, stamp)
                if episodes and k % length == length - 1:
                    tell("stop", k // length, stamp)
        return path

    return recorded


def results(tmp_path: Path, *words: str) -> dict[str, Any]:
    """What a command writes as JSON."""
    cli.main([*words, "--json", str(tmp_path / "report.json")])
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["results"]
    return found


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line that a command ends with, at exit status 2."""
    with pytest.raises(SystemExit) as caught:
        cli.main(list(words))
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_ls_has_a_line_for_each(
    record: Record, tmp_path: Path, make_rollouts: Callable[..., list[Rollout]], registered: Any
) -> None:
    record("a", steps=30)
    cut = record("b", steps=30, episodes=("carpet", "turf"))
    cut.write_bytes(cut.read_bytes()[:-1])
    dataset.save(tmp_path / "set", make_rollouts(3, steps=20))
    found = results(tmp_path, "data", "ls", str(tmp_path), str(tmp_path / "set"))
    a, b, toys = found["rows"]
    assert (a["robot"], a["steps"], a["complete"], a["tags"]) == ("hexapod", 30, True, [])
    assert a["seconds"] == pytest.approx(2.9)
    assert a["bytes"] == (tmp_path / "a.mcap").stat().st_size
    assert not b["complete"]
    assert b["tags"] == ["2 episodes", "terrain carpet", "terrain turf"]
    assert (toys["robot"], toys["steps"], toys["tags"][0]) == ("toy", 60, "3 rollouts")


def test_info_has_types_counts_and_rates(record: Record, tmp_path: Path) -> None:
    (row,) = results(tmp_path, "data", "info", str(record(steps=21)))["rows"]
    odom = row["topics"]["/hexapod/odom"]
    assert (odom["type_name"], odom["messages"]) == ("nav_msgs/msg/Odometry", 21)
    assert odom["rate_hz"] == pytest.approx(10.0)


def test_check_gives_a_verdict_a_file(
    record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, cut = record("good", steps=120), record("cut", steps=120)
    cut.write_bytes(cut.read_bytes()[:-1])
    found = results(tmp_path, "data", "check", str(cut), str(good))
    assert [row["verdict"] for row in found["rows"]] == ["usable", "usable"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{cut}: usable, 2 findings: hexapod, 11.9 s at 10 Hz, 119 trans")
    assert lines[1] == "  incomplete: not closed by its recorder: at most its last 1 s is lost"
    kinds = [problem["kind"] for problem in found["rows"][1]["problems"]]
    assert kinds == ["missing topics"]  # there were neither plans nor a driver's diagnostics


def test_what_cannot_be_used_is_one_line_after_the_others(
    record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = record("good", steps=30)
    text = tmp_path / "notes.mcap"
    text.write_text("not one")
    blind = record("blind", steps=30, without=("odom", "command/safe"))
    for what in ("ls", "info", "check"):
        error = error_of(capsys, "data", what, str(text), str(good))
        assert error.startswith(f"mbmrl data: {text}: not a recording, expected an MCAP file")
    error = error_of(capsys, "data", "check", str(blind))
    assert error.startswith(f"mbmrl data: {blind}: nothing on odom, command/safe: expected a run")
    fast = record("fast", steps=30, period=0.05)
    error = error_of(capsys, "data", "check", str(good), str(fast))
    assert error == (
        f"mbmrl data: {fast}: runs at 20 Hz: expected 10 Hz, the control rate of hexapod\n"
    )
    assert "none: not a data set" in error_of(capsys, "data", "ls", "none")


def test_plot_draws_a_page(record: Record, tmp_path: Path) -> None:
    out = tmp_path / "plots"
    found = results(tmp_path, "data", "plot", str(record(steps=40)), "--out", str(out))
    assert found["transitions"] == 39
    names = {"commands.png", "states.png", "step_times.png", "speed.png", "arena.png"}
    assert {path.name for path in out.iterdir()} == {*names, "data.html"}
    for name in names:
        assert (out / name).read_bytes().startswith(b"\x89PNG")


def _train(tmp_path: Path, *data: Path) -> tuple[str, ...]:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ("train", "mb", "hexapod", "--data", *map(str, data), "--out", str(tmp_path / "model"))
    return (*words, "--recipe", str(tmp_path / "recipe.yaml"))


def test_a_data_set_with_holes_trains_a_finite_model(record: Record, tmp_path: Path) -> None:
    rollouts = [*dataset.load([record("a", steps=80)]), *dataset.load([record("b", steps=80)])]
    rollouts[0].states[40], rollouts[1].actions[40] = np.nan, 1e6
    rollouts[1].times[20:] += 5.0
    dataset.save(tmp_path / "set", rollouts)
    cli.main([*_train(tmp_path, tmp_path / "set")])
    scores = numbers(read_card(tmp_path / "model")["scores"])
    assert scores and np.isfinite(scores).all()


def numbers(scores: Any) -> list[float]:
    """The numbers in nested scores."""
    if isinstance(scores, dict):
        return [each for value in scores.values() for each in numbers(value)]
    return [scores] if isinstance(scores, (int, float)) else []


def test_recordings_train_a_model_and_others_score_it(record: Record, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    files = [record(name, seed=k) for k, name in enumerate(("a", "b", "more/c", "unseen"))]
    cli.main([*_train(tmp_path, files[0], files[1], tmp_path / "more")])
    card = read_card(tmp_path / "model")
    assert card["sessions"] == ["a", "b", "c"]
    assert [each["sha256"] for each in card["data"]] == [
        sha256_of(path) for path in (files[0], files[1], tmp_path / "more")
    ]
    words = ("score", str(tmp_path / "model"), "--data", str(tmp_path), "--tag", "session")
    found = results(tmp_path, *words, "--horizons", "1")
    assert found["runs"] == 1
    assert {row["tag"] for row in found["rows"]} == {"unseen", "all"}


def test_the_episodes_of_one_recording_train_a_model(record: Record, tmp_path: Path) -> None:
    path = record(steps=240, episodes=("carpet",) * 6)
    cli.main([*_train(tmp_path, path)])
    assert read_card(tmp_path / "model")["sessions"] == ["run"]


def test_what_does_not_go_together_is_refused_and_nothing_is_written(
    record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = record("good", steps=30)
    fast = record("fast", steps=30, period=0.05)
    blind = record("blind", steps=30, without=("imu",))
    for other, words in (
        (fast, f"{good} runs at 10 Hz, {fast} at 20 Hz: expected one rate in a data set"),
        (blind, f"{blind}: nothing on imu: expected a run of hexapod"),
    ):
        assert words in error_of(capsys, *_train(tmp_path, good, other))
        assert not (tmp_path / "model").exists()
