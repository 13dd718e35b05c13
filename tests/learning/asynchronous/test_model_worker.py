"""The model's worker: buffer, early stopping, phases, and a start where another one ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.model_worker import ModelWorker, updates_of_epoch
from ros_mbmrl.learning.asynchronous.servers import Servers, Trajectory
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.policies.sampling import Tasks

CONFIG = TrainConfig(
    "mb", hidden=(16,), adapt_windows=(4,), predict_window=4, members=2, rows=32, learning_rate=1e-2
)


def slid(seed: int, steps: int = 30) -> Trajectory:
    """Return a trajectory of v = .8 v + .4 force, x = x + .1 v, from random commands."""
    rng = np.random.default_rng(seed)
    states, actions = [rng.normal(size=2)], rng.uniform(-1, 1, size=(steps, 1))
    for (force,) in actions:
        x, v = states[-1]
        v = 0.8 * v + 0.4 * force
        states.append(np.array([x + 0.1 * v, v]))
    rollout = Rollout(
        "slider",
        np.array(states, dtype=np.float32),
        actions.astype(np.float32),
        np.arange(steps + 1) * 0.1,
        np.zeros(steps, dtype=np.uint8),
    )
    return Trajectory(rollout, collector="collector-0")


def worker_of(
    servers: Servers, tasks: Tasks, config: TrainConfig = CONFIG, **own: float
) -> ModelWorker:
    settings = AsynchronousConfig(**{"held_out": 0.5, **own})  # type: ignore[arg-type]
    return ModelWorker(servers, tasks.robot, config, settings, seed=0)


def turn(worker: ModelWorker) -> bool:
    if not worker.pull():
        return False
    worker.step()
    worker.push()
    return True


@pytest.fixture
def servers(tmp_path) -> Servers:  # type: ignore[no-untyped-def]
    return Servers(tmp_path)


def test_it_waits_for_two_trajectories_and_then_gets_better(
    servers: Servers, sliders: Tasks
) -> None:
    worker = worker_of(servers, sliders, ema_weight=0.99)
    assert not turn(worker)
    servers.data.push(slid(0, 120))
    assert not turn(worker)  # none to validate on
    servers.data.push(slid(1, 120))
    losses = []
    for _ in range(40):
        assert turn(worker)
        newest = servers.models.latest()
        assert newest is not None
        losses.append(servers.models.facts(newest)["validation_loss"])
    assert losses[-1] < losses[0] / 2
    assert servers.models.facts(newest)["trajectories"] == 2
    assert load_model(servers.models.path(newest), sliders.robot).method == "mb"


def test_it_stops_early_and_goes_on_with_new_data(servers: Servers, sliders: Tasks) -> None:
    worker = worker_of(servers, sliders, ema_weight=0.0)
    for k in range(2):
        servers.data.push(slid(k))
    for _ in range(500):
        if not turn(worker):
            break
    else:
        pytest.fail("it was never stopped")
    stopped = servers.models.latest()
    assert stopped is not None
    assert not turn(worker)  # and stays so
    servers.data.push(slid(2))
    assert turn(worker)
    assert servers.models.latest() == stopped + 1


def test_the_oldest_leave_a_full_buffer(servers: Servers, sliders: Tasks) -> None:
    worker = worker_of(servers, sliders, buffer=100)
    for k in range(6):
        servers.data.push(slid(k))
    assert turn(worker)
    assert [number for number, _ in worker._buffer] == [3, 4, 5]  # 90 of 100 transitions
    assert worker.versions["data"] == 6


def test_another_worker_goes_on_as_if_it_was_the_same(servers: Servers, sliders: Tasks) -> None:
    other = Servers(servers.run / "other")
    for k in range(2):
        servers.data.push(slid(k)), other.data.push(slid(k))  # noqa: B018
    whole = worker_of(other, sliders)
    for _ in range(4):
        turn(whole)
    other.data.push(slid(2))
    for _ in range(3):
        turn(whole)
    for turns in (3, 1):
        worker = worker_of(servers, sliders)
        for _ in range(turns):
            turn(worker)
    servers.data.push(slid(2))
    for _ in range(3):
        turn(worker_of(servers, sliders))
    ends = []
    for each in (servers, other):
        newest = each.models.latest()
        assert newest == 6
        ends.append(load_model(each.models.path(newest), sliders.robot).parameters)
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_meta_trained_rule_is_fitted_first_and_meta_trained_then(
    servers: Servers, sliders: Tasks
) -> None:
    config = replace(CONFIG, method="grbal", members=1, batch=4, meta_steps=10)
    worker = worker_of(servers, sliders, config, ema_weight=0.0)
    for k in range(4):
        servers.data.push(slid(k))
    phases = []
    for _ in range(200):
        if not turn(worker):
            break
        phases.append(worker._phase)
        newest = servers.models.latest()
        assert newest is not None
        loaded = load_model(servers.models.path(newest), sliders.robot)
        assert any(name.startswith("psi.") for name in loaded.parameters)  # it can act
    assert phases[0] == 0 and phases[-1] == 1
    assert phases == sorted(phases)


def test_an_epoch_sees_as_many_transitions_as_there_are(make_job: Callable[..., Job]) -> None:
    class Other:
        """No learner of ensembles."""

    segments = TrainConfig("mb", batch=10, adapt_windows=(4, 6), predict_window=4)
    assert updates_of_epoch(segments, Other(), 100) == 1  # type: ignore[arg-type]
    assert updates_of_epoch(segments, Other(), 101) == 2  # type: ignore[arg-type]


def test_it_waits_while_all_that_is_held_out_has_lost_steps(
    servers: Servers, sliders: Tasks
) -> None:
    worker, lossy = worker_of(servers, sliders), slid(1, 40)
    lossy.rollout.marks[::3] = 16
    for each in (slid(0, 40), lossy, slid(2, 40)):
        servers.data.push(each)
    assert not turn(worker)
    servers.data.push(slid(3, 40))
    assert turn(worker)
    assert servers.models.latest() == 0
