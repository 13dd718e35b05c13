"""Jobs as tasks of ray: the same as in this process. Without ray, a stand-in of a few lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.evaluation import campaign
from ros_mbmrl.learning.twin_rollouts import collect_rollouts
from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.runtime import cluster
from ros_mbmrl.runtime.workers import outcomes


class Shouted:
    """A job with a key, as campaigns know it."""

    def __init__(self, word: str) -> None:
        self.word = word

    @property
    def key(self) -> str:
        return f"key of {self.word}"


def shout(job: Shouted) -> tuple[str, dict[str, Any]]:
    return job.key, {"said": job.word.upper()}


def refuse(number: int) -> int:
    raise UserError(f"{number}: expected another")


class RayError(Exception):
    """As ray's."""


class RayTaskError(RayError):
    """As ray's: what a task raised is its cause."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("a trace\nof many lines")
        self.cause = cause


def fake_ray(log: list[str]) -> ModuleType:
    """As much of ray as is used, in this process, done from the last task to the first."""
    ray: Any = ModuleType("ray")
    ray.exceptions = ModuleType("ray.exceptions")
    ray.exceptions.RayError, ray.exceptions.RayTaskError = RayError, RayTaskError

    def init(address: str, **_: Any) -> None:
        if address not in ("local", "auto"):
            raise ConnectionError(f"no cluster at {address}\nsecond line")
        log.append(f"init {address}")

    def remote(**_: Any) -> Callable[[Any], Any]:
        def wrap(work: Callable[..., Any]) -> Any:
            task: Any = ModuleType("task")
            task.remote = lambda *given: (work, given)
            return task

        return wrap

    def get(reference: tuple[Callable[..., Any], tuple[Any, ...]]) -> Any:
        work, given = reference
        try:
            return work(*given)
        except Exception as error:
            raise RayTaskError(error) from error

    ray.init, ray.remote, ray.get = init, remote, get
    ray.wait = lambda pending: (pending[-1:], pending[:-1])
    ray.shutdown = lambda: log.append("shutdown")
    return ray


@pytest.fixture(params=["fake", "ray"])
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the stand-in did; empty with ray itself."""
    seen: list[str] = []
    if request.param == "fake":
        monkeypatch.setitem(sys.modules, "ray", fake_ray(seen))
    elif find_spec("ray") is None:
        pytest.skip("ray is not installed: pip install -e '.[cluster]'")
    else:  # where tests lie is where its processes look for them
        monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield seen
    if request.param == "fake":
        assert seen[-1] == "shutdown"


def test_rows_are_those_of_this_process(log: list[str], tmp_path: Path) -> None:
    jobs = [Shouted(word) for word in ("one", "two", "three")]
    here = campaign.finish(jobs, shout, tmp_path / "here", workers=1)
    there = campaign.finish(jobs, shout, tmp_path / "there", workers=2, cluster="local")
    assert here == there == campaign.read(tmp_path / "there" / campaign.ROWS)


def test_rollouts_are_those_of_this_process(log: list[str]) -> None:
    here = collect_rollouts(Hexapod(), 3, 6, seed=3, processes=1)
    there = collect_rollouts(Hexapod(), 3, 6, seed=3, processes=2, cluster="local")
    assert len(here) == len(there) == 3
    for ours, theirs in zip(here, there, strict=True):
        assert (ours.states == theirs.states).all()
        assert ours.tags == theirs.tags


def test_what_a_task_raises_is_raised_here_in_one_line(log: list[str]) -> None:
    with pytest.raises(UserError, match="^7: expected another$") as raised:
        list(outcomes(refuse, [7], 2, "local"))
    assert type(raised.value) is UserError


def test_a_node_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setitem(sys.modules, "ray", fake_ray(seen))
    jobs = outcomes(abs, [1, 2], 1, "auto")
    assert next(jobs) == (1, 1 + 1)
    monkeypatch.setattr(cluster, "__version__", "99")
    with pytest.raises(RunError, match="a node has ros_mbmrl 99: expected "):
        next(jobs)
    assert seen == ["init auto", "shutdown"]


def test_no_ray_and_no_cluster_are_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"needs ray: .* pip install 'ros_mbmrl\[cluster\]'"):
        next(outcomes(abs, [1], 1, "local"))
    monkeypatch.setitem(sys.modules, "ray", fake_ray([]))
    with pytest.raises(UserError, match=r"^cluster 'moon:1': no cluster at moon:1; waited 0 s$"):
        next(outcomes(abs, [1], 1, "moon:1"))


def test_a_cluster_that_loses_a_task_is_a_failed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ray: Any = fake_ray([])

    def lost(_: object) -> None:
        raise RayError("the node died\nand more")

    ray.get = lost
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(RunError, match="^cluster local: the node died; the same command goes on$"):
        next(outcomes(abs, [1], 1, "local"))
