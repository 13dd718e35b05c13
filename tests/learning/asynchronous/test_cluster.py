"""Workers as actors of ray: the same in lockstep as here; with a stand-in, and ray itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous import cluster
from ros_mbmrl.learning.asynchronous.cluster import run_on_cluster, seats_on_cluster
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.networks import tensor_file

MakeJob = Callable[..., Job]
SMALL = [
    *("--set", "horizon=25", "--set", "rows=4", "--set", "hidden=[8]", "--set", "model.rows=32"),
    *("--set", "model.hidden=[8]", "--set", "model.members=2"),
    *("--set", "asynchronous.held_out=0.5", "--set", "asynchronous.trajectories=3"),
]


class RayError(Exception):
    """As ray's."""


class RayTaskError(RayError):
    """As ray's: the error of an actor's method is its cause."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("a trace")
        self.cause = cause


class Method:
    """A method of an actor, whose call is done when its reference is waited for."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.remote = lambda: Reference(work)


class Reference:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work


class Handle:
    """An actor: `run` takes one turn at a time here, so that actors take part by turns."""

    def __init__(self, actor: Any, deaths: list[int]) -> None:
        self.turn, self.run = Method(actor.turn), Method(lambda: self._some(actor, deaths))

    def _some(self, actor: Any, deaths: list[int]) -> None:
        if deaths and not deaths.pop(0):
            raise RayError("the node died")
        actor.turn()


def fake_ray(placed: list[dict[str, int]], deaths: list[int]) -> ModuleType:
    """As much of ray as is used, in this process. deaths: 0 where a run ends with its node."""
    ray: Any = ModuleType("ray")
    ray.exceptions = ModuleType("ray.exceptions")
    ray.exceptions.RayError, ray.exceptions.RayTaskError = RayError, RayTaskError

    def init(address: str, **_: Any) -> None:
        if address != "local":
            raise ConnectionError(f"no cluster at {address}")

    def remote(**resources: int) -> Callable[[Any], Any]:
        def wrap(actor: Any) -> Any:
            made: Any = ModuleType("actor")

            def make(*given: Any) -> Handle:
                placed.append(resources)
                return Handle(actor(*given), deaths)

            made.remote = make
            return made

        return wrap

    def get(reference: Reference) -> Any:
        try:
            return reference.work()
        except RayError:
            raise
        except Exception as error:
            raise RayTaskError(error) from error

    ray.init, ray.remote, ray.get, ray.shutdown = init, remote, get, lambda: None
    ray.wait = lambda pending, timeout: (pending[:1], pending[1:])
    return ray


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, int]]:
    """Resources of the actors that were started."""
    seen: list[dict[str, int]] = []
    monkeypatch.setitem(sys.modules, "ray", fake_ray(seen, []))
    return seen


def test_in_lockstep_actors_do_what_this_process_does(
    make_job: MakeJob, placed: list[dict[str, int]]
) -> None:
    here, there = make_job(trajectories=3, folder="here"), make_job(trajectories=3, folder="there")
    run_in_turn(here)
    with seats_on_cluster(there, "local", gpus=1) as seats:
        run_in_turn(there, seats=seats)
    ends = []
    for job in (here, there):
        newest = job.servers().policies.latest()
        assert newest is not None
        path = job.servers().policies.path(newest)
        ends.append(tensor_file.load(path / "policy.safetensors")[0])
    assert all((ends[0][name] == ends[1][name]).all() for name in ends[0])
    assert [each["num_gpus"] for each in placed] == [0, 1, 0]  # collector, model, policy


def test_actors_that_die_with_their_node_are_started_anew(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed: list[dict[str, int]] = []
    monkeypatch.setitem(sys.modules, "ray", fake_ray(placed, [1, 0, 1, 1, 0, 0]))
    job = make_job(trajectories=4, pace=0.0)
    run_on_cluster(job, "local")
    found = job.servers().data.since(0)
    assert [each.rollout.tags["session"] for each in found] == [
        f"collector-0-{k}-0" for k in range(4)
    ]


def test_nodes_that_die_again_and_again_end_the_run(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", fake_ray([], [0] * 100))
    with pytest.raises(RunError, match="died again and again"):
        run_on_cluster(make_job(), "local")


def test_a_worker_of_another_version_is_refused_in_one_line(
    make_job: MakeJob, placed: list[dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    with seats_on_cluster(job, "local") as seats:
        monkeypatch.setattr(cluster, "__version__", "99")
        with pytest.raises(RayTaskError) as raised:
            seats["model"].turn()
    assert str(raised.value.cause).startswith("a node has ros_mbmrl 99: expected ")


def test_an_address_that_does_not_answer_tells_how_long_it_was_waited_for(
    make_job: MakeJob, placed: list[dict[str, int]]
) -> None:
    with pytest.raises(UserError, match=r"^cluster 'moon:1': no cluster at moon:1; waited \d+ s$"):
        run_on_cluster(make_job(), "moon:1")


@pytest.mark.slow
def test_on_ray_itself_in_lockstep_it_is_bit_for_bit_what_it_is_here(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    policies = []
    for name, more in (("here", []), ("there", ["--cluster", "local"])):
        words = ["train", "me_trpo", "pendulum", "--asynchronous", "--in-turn", *more]
        subprocess.run(  # ray goes on in the process that started it
            [sys.executable, "-m", "ros_mbmrl.cli", *words, "--out", str(tmp_path / name), *SMALL],
            check=True,
            timeout=600,
        )
        policies.append((tmp_path / name / "policy.safetensors").read_bytes())
    assert policies[0] == policies[1]
