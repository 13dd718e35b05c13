"""The adaptive process follows a run: what it acts with is exchanged between two plans."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter

from ros_mbmrl.agents.chance_planner import ChancePlanner
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.nodes.controller import ControllerNode, ControllerParameters
from ros_mbmrl.nodes.dynamics import DynamicsNode, DynamicsParameters, StateSeen
from ros_mbmrl.nodes.following import follow_run, loading
from ros_mbmrl.nodes.messages import diagnostics, status
from ros_mbmrl.planning.mppi import MPPI
from ros_mbmrl.share import find

MODEL = find("models/hexapod/mb")


class Process:
    """The two nodes of an adaptive process that follows a run, and the run."""

    def __init__(self, folder: Path, context: Any, **settings: Any) -> None:
        self.servers = Servers(folder)
        values = {"model": "", "learning": str(folder), **settings}
        given = [Parameter(name, value=value) for name, value in values.items()]
        own = {"context": context, "parameter_overrides": given}
        self.controller = ControllerNode(DynamicsParameters, **own)
        self.dynamics = DynamicsNode(ControllerParameters, **own)
        self.learned = follow_run(self.dynamics, self.controller, left=10.0)

    def push(self) -> None:
        assert MODEL is not None
        self.servers.models.push(lambda f: shutil.copytree(MODEL, f, dirs_exist_ok=True))

    def see(self) -> None:
        """Let the dynamics node have a state."""
        state = np.zeros(len(self.dynamics.robot.spec.state))
        self.dynamics._last = StateSeen(1, state, 0.0)


@pytest.fixture
def make(context: Any, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    made: list[Process] = []

    def process(**settings: Any) -> Process:
        made.append(Process(tmp_path, context, **settings))
        return made[-1]

    yield process
    for each in made:
        for node in (each.controller, each.dynamics):
            node.close()
            node.destroy_node()


def acting(process: Process) -> Any:
    from ros_mbmrl.agents.live import Acting

    dynamics = process.dynamics
    return Acting(dynamics.model, dynamics.guard, process.controller.chance())


def test_who_follows_no_run_has_nothing_to_exchange(make: Callable[..., Process]) -> None:
    assert MODEL is not None
    process = make(learning="", model=str(MODEL))
    assert process.learned is None
    assert not process.dynamics.blank


def test_chance_acts_until_the_first_model_is_there(make: Callable[..., Process]) -> None:
    process = make()
    assert process.dynamics.blank and process.learned is not None
    before = acting(process)
    assert isinstance(before.planner, ChancePlanner)
    process.see()
    process.push()
    process.learned.look()
    after = process.learned.next(before)
    assert isinstance(after.planner, MPPI)
    assert after.model is not before.model
    assert process.learned.numbers["model_version"] == 0


def test_an_episode_of_another_graph_does_not_count(make: Callable[..., Process]) -> None:
    process = make()
    process.see()
    process.push()
    (heard,) = [s for s in process.controller.subscriptions if s.topic.endswith("episode")]

    def tell(owner: str, event: str) -> None:
        line = status("collect", "episode", owner, {"event": event})
        heard.callback(diagnostics(1, line))

    assert process.learned is not None
    process.learned.look()
    before = acting(process)
    tell("hexapod", "start")
    tell("another", "stop")
    assert process.learned.next(before) is before
    tell("hexapod", "stop")
    assert process.learned.next(before) is not before


def test_loading_waits_for_a_state_to_try_plans_from(
    make: Callable[..., Process], until: Callable[[Callable[[], bool]], None]
) -> None:
    process, ended, looks = make(), threading.Event(), list[int]()
    assert process.learned is not None
    process.learned.look = lambda: looks.append(1)  # type: ignore[method-assign]
    thread = threading.Thread(target=loading(process.learned, process.dynamics, ended))
    thread.start()
    assert not looks
    process.see()
    until(lambda: len(looks) > 1)
    ended.set()
    thread.join()


def test_a_policy_that_is_still_to_be_learned_needs_no_folder(make: Callable[..., Process]) -> None:
    process = make(controller="policy")
    assert isinstance(process.controller.planner, ChancePlanner)


def test_no_run_is_one_line(make: Callable[..., Process]) -> None:
    with pytest.raises(UserError, match="no folder '/nowhere'"):
        make(learning="/nowhere")
