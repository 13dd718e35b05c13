"""`mbmrl collect`: from the command line, at a terminal and without one."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.commands import collect
from ros_mbmrl.data.from_recording import rollouts_from_recording
from ros_mbmrl.data.recording import recording_info
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.hexapod_twin import make

PATIENCE = 30.0  # [s] for what should take a second or two


def run(out: Path, *words: str) -> dict[str, Any]:
    cli.main(["collect", "hexapod", "--out", str(out), "--json", str(out / "report.json"), *words])
    report = json.loads((out / "report.json").read_text())
    assert report["command"] == "collect"
    results: dict[str, Any] = report["results"]
    return results


def test_chance_collects_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--duration", "15", "--episode-seconds", "6", "--seed", "3")
    results = run(tmp_path, *words, "--terrain", "turf")
    path = Path(results["recording"])
    rollouts = rollouts_from_recording(path)
    assert results["episodes"] == len(rollouts) == 3
    assert {rollout.tags["terrain"] for rollout in rollouts} == {"turf"}
    assert results["steps"] == 150 and results["seconds"] == pytest.approx(15)
    assert results["terrains"]["turf"]["minutes"] == pytest.approx(14.9 / 60)
    assert sum(results["safety"].values()) == 150
    assert recording_info(path).complete
    out = capsys.readouterr().out
    assert "start 1 turf" in out and "stop 3 turf" in out and path.name in out.replace("\n", "")


def test_a_seed_says_it_all(tmp_path: Path) -> None:
    files = [
        Path(run(tmp_path / str(k), "--duration", "3", "--seed", "5")["recording"])
        for k in range(2)
    ]
    first, second = (rollouts_from_recording(file)[0] for file in files)
    np.testing.assert_array_equal(first.states, second.states)
    np.testing.assert_array_equal(first.actions, second.actions)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("spider",), "unknown robot 'spider'"),
        (("hexapod",), "duration: nobody is at the keys to end it"),
        (("hexapod", "--duration", "-1"), "duration: expected 0 or more, got -1"),
        (("hexapod", "--plant", "moon"), "unknown plant 'moon'"),
        (("hexapod", "--duration", "9", "--terrain", "lava"), "lava"),
        (("hexapod", "--duration", "9", "--source", "parrot"), "unknown source 'parrot'"),
        (("hexapod", "--duration", "9", "--source", "keyboard"), "a terminal as standard input"),
        (("hexapod", "--duration", "9", "--source", "joystick"), "--joystick DEVICE"),
        (("hexapod", "--source", "joystick", "--joystick", "/none/js0"), "No such file"),
        (("hexapod", "--duration", "9", "--scale", "2"), "scale: expected above 0, up to 1"),
        (("hexapod", "--duration", "9", "--tags", "a", "a"), "tags: expected 1 to 9 different"),
        (("pr2_arm", "--duration", "9", "--source", "keyboard"), "cannot be driven by hand"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    words: tuple[str, ...], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["collect", *words, "--out", str(tmp_path)])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_alone_it_ends_when_the_robot_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(robot: Any, name: str, options: Any) -> Any:
        plant = make(robot, options)
        observe, seen = plant.observe, []

        def failing() -> Any:
            seen.append(1)
            if len(seen) > 25:
                raise PlantFault("no reply from the robot")
            return observe()

        plant.observe = failing  # type: ignore[method-assign]
        return plant

    monkeypatch.setattr(collect, "make_plant", broken)
    with pytest.raises(SystemExit) as caught:
        cli.main(["collect", "hexapod", "--duration", "60", "--out", str(tmp_path)])
    assert caught.value.code == 1
    assert "plant_fault: no reply from the robot" in capsys.readouterr().err
    (path,) = tmp_path.glob("*.mcap")
    (rollout,) = rollouts_from_recording(path)
    assert len(rollout) == 24


class Seat:
    """`mbmrl collect` at a terminal of its own."""

    def __init__(self, out: Path, *words: str) -> None:
        self.ours, self.theirs = pty.openpty()
        self.before = termios.tcgetattr(self.ours)
        line = [sys.executable, "-m", "ros_mbmrl.cli", "collect", "hexapod", "--out", str(out)]
        self.process = subprocess.Popen(
            [*line, "--json", str(out / "report.json"), *words],
            stdin=self.theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def type(self, keys: str, seconds: float = 0.0) -> None:
        """Once, or again and again as a held key does."""
        until = time.monotonic() + seconds
        os.write(self.ours, keys.encode())
        while time.monotonic() < until:
            time.sleep(0.05)
            os.write(self.ours, keys.encode())

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.lines
            time.sleep(0.02)

    def hear(self, words: str) -> None:
        self.until(lambda: any(words in line for line in self.lines))

    def ready(self) -> None:
        """Its keys are read one by one from now on."""
        self.until(lambda: not termios.tcgetattr(self.ours)[3] & termios.ICANON)

    def end(self, kind: signal.Signals) -> int:
        self.process.send_signal(kind)
        return self.process.wait(PATIENCE)


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Callable[..., Seat]]:
    """Makes one."""
    seats: list[Seat] = []

    def make(*words: str) -> Seat:
        seats.append(Seat(tmp_path, *words))
        return seats[-1]

    yield make
    for each in seats:
        each.process.kill()
        each.process.wait()
        os.close(each.ours)
        os.close(each.theirs)


def test_at_a_terminal(seat: Any, tmp_path: Path) -> None:
    person = seat("--source", "keyboard", "--tags", "carpet", "styrofoam")
    person.ready()
    person.type("\r")
    person.hear("start 1 carpet")
    person.type("w", seconds=1.5)
    person.type("\r")
    person.hear("stop 1 carpet")
    person.type("2\r")
    person.hear("start 2 styrofoam")
    person.type("q", seconds=1.0)
    person.type(" ")
    person.hear("stop 2 styrofoam")
    person.type("1\r")
    person.hear("start 3 carpet")
    person.type("x")
    person.hear("discard 3 carpet")
    assert person.end(signal.SIGINT) == 0, person.lines
    assert termios.tcgetattr(person.ours) == person.before
    results = json.loads((tmp_path / "report.json").read_text())["results"]
    assert results["episodes"] == 2 and results["discarded"] == 1
    rollouts = rollouts_from_recording(Path(results["recording"]))
    assert [rollout.tags["terrain"] for rollout in rollouts] == ["carpet", "styrofoam"]
    straight, bent = (rollout.actions[len(rollout) // 2] for rollout in rollouts)
    assert straight[0] == straight[1] > 0
    assert bent[1] > bent[0] > 0


@pytest.mark.parametrize(
    "kinds",
    [
        [signal.SIGTERM],
        [signal.SIGHUP],
        [signal.SIGINT] * 5,
        [signal.SIGINT, signal.SIGTERM],
    ],
)
def test_signals_in_an_episode_lose_nothing(seat: Any, tmp_path: Path, kinds: Any) -> None:
    person = seat("--source", "random")
    person.hear("start 1 carpet")
    person.type(" ")
    person.hear("stop 1 carpet")
    person.type("\r")
    person.hear("start 2 carpet")
    for kind in kinds[:-1]:
        person.process.send_signal(kind)
        time.sleep(0.02)  # else two of a kind may come as one
    assert person.end(kinds[-1]) == 0, person.lines
    assert termios.tcgetattr(person.ours) == person.before
    results = json.loads((tmp_path / "report.json").read_text())["results"]
    assert results["episodes"] == 2
    assert recording_info(Path(results["recording"])).complete
