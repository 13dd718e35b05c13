"""Keys typed at a pseudo-terminal drive the twin; what they leave behind trains a model."""

from __future__ import annotations

import json
import os
import pty
import select
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl import cli
from ros_mbmrl.collection.hands import Hands
from ros_mbmrl.collection.loop import CollectLoop
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.requests import Request
from ros_mbmrl.collection.session import Session, SessionConfig
from ros_mbmrl.data import dataset
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.plants import make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("hexapod")
EPISODE, GAP = 60, 5  # steps
RECIPE = """
hidden: [24, 24]
adapt_windows: [8]
predict_window: 8
supervised_steps: 200
meta_steps: 0
batch: 16
validate_every: 50
"""


class Typist(Hands):
    """Types at the other end of the terminal before each step; waiting costs no time."""

    def __init__(self, ours: int, device: Path, clock: Any, keys: Iterator[bytes]) -> None:
        super().__init__(device, None, threading.Event(), clock)
        self._ours, self._clock, self._keys = ours, clock, keys

    def wait(self, timeout: float) -> bool:
        self._clock.now += timeout
        return False

    def requests(self) -> list[Request]:
        assert self._terminal is not None
        os.write(self._ours, next(self._keys))
        assert select.select([self._terminal.fd], [], [], 5.0)[0]
        return super().requests()


def typed(seed: int) -> Iterator[bytes]:
    """Four episodes, two on each terrain, driven by keys held for a while; a fifth discarded."""
    rng = np.random.default_rng(seed)
    for episode in range(5):
        yield b"12"[episode % 2 : episode % 2 + 1] + b"\r"
        for _ in range(EPISODE // 6):
            key = rng.choice([b"w", b"q", b"e", b"a", b"d"])
            yield from [bytes(key)] * 6
        yield b"\r"
        if episode == 4:
            yield b"x"
        yield from [b"w"] * GAP


def collect(path: Path, seed: int, clock: Any) -> Any:
    ours, theirs = pty.openpty()
    keys = list(typed(seed))
    with (
        RunRecorder(ROBOT.spec, path) as recorder,
        Typist(ours, Path(os.ttyname(theirs)), clock, iter(keys)) as hands,
        make_plant(ROBOT, "twin", PlantOptions(seed=seed)) as plant,
    ):
        config = SessionConfig(("carpet", "styrofoam"), source="keyboard")
        session = Session(ROBOT, hands.sources(steering(ROBOT, 0.5)), config)
        loop = CollectLoop(ROBOT, plant, session, recorder, hands, clock, clock)
        loop.run(lambda: True, 0.1 * len(keys))
    os.close(ours)
    os.close(theirs)
    return session


@pytest.fixture
def recordings(tmp_path: Path, clock: Any) -> Path:
    for seed in (0, 1):
        session = collect(tmp_path / "runs" / f"monday-{seed}.mcap", seed, clock)
        tallies = session.episodes.tallies
        assert {name: tally.episodes for name, tally in tallies.items()} == {
            "carpet": 2,
            "styrofoam": 2,
        }
        assert session.episodes.discarded == 1
        assert tallies["carpet"].seconds == pytest.approx(2 * 0.1 * EPISODE)
    return tmp_path / "runs"


def test_typed_episodes_train_a_model(recordings: Path, tmp_path: Path) -> None:
    rollouts = dataset.load([recordings])
    kept = Counter(rollout.tags["terrain"] for rollout in rollouts)
    assert kept == {"carpet": 4, "styrofoam": 4}
    assert {rollout.tags["policy"] for rollout in rollouts} == {"keyboard"}
    assert {len(rollout) for rollout in rollouts} == {EPISODE}
    walked = np.array([np.ptp(rollout.states[:, :2], axis=0).max() for rollout in rollouts])
    assert walked.min() > 0.2  # metres
    highest = max(rollout.actions.max() for rollout in rollouts)
    assert highest <= ROBOT.spec.action_high[0] * (1 + 1e-6)  # they are float32

    (tmp_path / "recipe.yaml").write_text(RECIPE)
    words = ["train", "mb", "hexapod", "--data", str(recordings), "--out", str(tmp_path / "mb")]
    words += ["--held-out", "0.5", "--recipe", str(tmp_path / "recipe.yaml")]
    cli.main([*words, "--json", str(tmp_path / "report.json")])
    scores = json.loads((tmp_path / "report.json").read_text())["results"]
    assert scores["open_loop_after"] < 1.0  # a model that knows nothing has 1
    assert load_model(tmp_path / "mb", ROBOT).card["method"] == "mb"
