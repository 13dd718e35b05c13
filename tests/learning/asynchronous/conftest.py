"""Jobs on a pendulum that are over in seconds, the sliders of the policies' tests, messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.messages import Messages, command, diagnostic
from ros_mbmrl.data.measurement_messages import MeasurementMessages, measurement_topics
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.policies.in_models_config import MODEL
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.me_config import config_of
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import topic
from tests.learning.policies.conftest import sliders

__all__ = ["make_job", "sliders"]

STEPS = 25
SMALL_MODEL = replace(MODEL, hidden=(8,), members=2, rows=32, learning_rate=5e-3)
MakeJob = Callable[..., Job]


def settings_of(method: str) -> Any:
    """Return settings of a method that take no time."""
    if method == "mb_mpo":
        return MBMPOConfig(
            horizon=STEPS,
            rows=4,
            hidden=(8,),
            model=replace(SMALL_MODEL, weight_normalisation=True),
            episodes_of_model=2,
        )
    if method in ("mb", "grbal"):
        meta = 10 if method == "grbal" else 0
        return TrainConfig(
            method, hidden=(8,), adapt_windows=(4,), predict_window=4, batch=8, meta_steps=meta
        )
    config = config_of(method)
    return replace(config, horizon=STEPS, rows=4, hidden=(8,), model=SMALL_MODEL)


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """Return what makes a job in a folder of its own."""

    def make(
        method: str = "me_trpo",
        trajectories: int = 5,
        folder: str = "run",
        collectors: int = 1,
        robot: str = "pendulum",
        **asynchronous: Any,
    ) -> Job:
        own = {"steps": STEPS, "pace": 1.0, "held_out": 0.5, **asynchronous}
        config = AsynchronousConfig(trajectories=trajectories, **own)
        settings = settings_of(method)
        return Job(tmp_path / folder, method, robot, settings, config, collectors=collectors)

    return make


PERIOD = 100_000_000  # [ns]


class Graph:
    """Gives the messages of control steps to whoever takes (topic, message, now [ns]).

    The robot walks 1 cm a step; the command of step k is (k % 5, 1).
    """

    def __init__(self) -> None:
        self.spec = make_robot("hexapod").spec
        answers = ("command/safe", "/diagnostics")
        self._messages = Messages((*measurement_topics(self.spec), *answers))
        self._measurements = MeasurementMessages(self.spec, self._messages.blank)
        self._previous: Measurement | None = None

    def values(self, k: int) -> np.ndarray:
        """Return the measurement of step k."""
        hum = 1e-3 * k
        pose, twist = (0.01 * k, 0.0, 0.02, 1.0, 0.0, 0.0, 0.0), (hum, 0.0, 0.1, 0.0, 0.0, 9.81)
        return np.array([*pose, *twist, 1.0 * k, 1.0 * k, 0.5 + hum, 0.6, 3.9])

    def action(self, k: int) -> np.ndarray:
        """Return the command of step k."""
        return np.array([k % 5, 1.0])

    def state(self, take: Callable[..., object], k: int, stamp: int) -> None:
        """Give the state of step k."""
        now = Measurement(stamp / 1e9, self.values(k))
        for name, message in self._measurements.encode(now, self._previous).items():
            take(name, message, stamp)
        self._previous = now

    def answer(self, take: Callable[..., object], k: int, stamp: int, **told: int) -> None:
        """Give the command of step k, and what controller and driver tell of it."""
        blank = self._messages.blank
        sent = command(self.spec, blank(topic("command/safe").type), self.action(k), stamp)
        take("command/safe", sent, stamp)
        values = {name: str(value) for name, value in told.items()}
        self.diagnose(take, stamp, "controller: timing", values)
        self.diagnose(take, stamp, "driver: timing", {"missed": "0"})

    def diagnose(
        self, take: Callable[..., object], stamp: int, line: str, values: dict[str, str]
    ) -> None:
        """Give a line of diagnostics."""
        blank = self._messages.blank(topic("/diagnostics").type)
        message = diagnostic(blank, stamp, line, "hexapod", values)
        message.status = [_with_attributes(each) for each in message.status]
        take("/diagnostics", message, stamp)

    def drive(
        self,
        into: Any,
        steps: int,
        first: int = 0,
        model: int = -1,
        lost: tuple[int, ...] = (),
        versions: Callable[[int], int] | None = None,
    ) -> list[Any]:
        """Drive `steps` steps into what has `take` and `measured`; return what came of each.

        lost: steps of which nothing comes. versions: of the model that acts in each step.
        """
        results = []
        for k in range(first, first + steps):
            stamp = 1_000_000_000 + k * PERIOD
            if k in lost:
                continue
            self.state(into.take, k, stamp)
            results.append(into.measured(stamp))
            acts = model if versions is None else versions(k)
            self.answer(into.take, k, stamp, model_version=acts, policy_version=-1)
        return results


def _with_attributes(line: dict[str, Any]) -> SimpleNamespace:
    """Return a line of diagnostics as a message has it; to be encoded, it is a mapping."""
    pairs = [SimpleNamespace(**pair) for pair in line["values"]]
    return SimpleNamespace(**{**line, "values": pairs})


@pytest.fixture
def graph() -> Graph:
    return Graph()
