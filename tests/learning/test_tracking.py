"""Trackers: what reaches their libraries, and the line where one is missing."""

from __future__ import annotations

import importlib.machinery
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.tracking import TRACKERS, TensorBoard, check_tracker, tracking

CONFIG = {"learning_rate": 0.001, "hidden": [4, 4]}


class Recorder(ModuleType):
    """A library that keeps every call: (name, positional, named); its runs are itself."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = importlib.machinery.ModuleSpec(name, None)
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **named: Any) -> Any:
            self.calls.append((name, args, named))
            return self

        return call

    def called(self, name: str) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
        return [(args, named) for each, args, named in self.calls if each == name]


@pytest.fixture
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """A recorder in the place of the library that the test's parameter names."""
    recorder = Recorder(request.param)
    monkeypatch.setitem(sys.modules, request.param, recorder)
    return recorder


def track(name: str, out: Path) -> None:
    """Log two steps of each of two phases."""
    with tracking(name, out, CONFIG) as tracker:
        for phase in ("fit", "meta"):
            for step in (1, 2):
                tracker.log(phase, step, {"after": 1 / step})


@pytest.mark.parametrize("library", ["wandb"], indirect=True)
def test_wandb_is_told_the_steps_of_each_phase(library: Recorder, tmp_path: Path) -> None:
    track("wandb", tmp_path / "run")
    ((_, begun),) = library.called("init")
    assert (begun["project"], begun["name"], begun["config"]) == ("ros_mbmrl", "run", CONFIG)
    assert begun["dir"] == str(tmp_path / "run")
    metrics = library.called("define_metric")
    assert metrics == [((f"{p}/*",), {"step_metric": f"{p}/step"}) for p in ("fit", "meta")]
    rows = [args[0] for args, _ in library.called("log")]
    assert rows[1] == {"fit/step": 2, "fit/after": 0.5}
    assert rows[2] == {"meta/step": 1, "meta/after": 1.0}
    assert [name for name, *_ in library.calls][-1] == "finish"


@pytest.mark.parametrize("library", ["trackio"], indirect=True)
def test_trackio_is_told_the_steps_of_each_phase(library: Recorder, tmp_path: Path) -> None:
    track("trackio", tmp_path / "run")
    assert library.called("init")[0][1]["config"] == CONFIG
    assert [args[0]["fit/step"] for args, _ in library.called("log")[:2]] == [1, 2]
    assert [name for name, *_ in library.calls][-1] == "finish"


@pytest.mark.parametrize("library", ["mlflow"], indirect=True)
def test_mlflow_is_told_every_step(library: Recorder, tmp_path: Path) -> None:
    track("mlflow", tmp_path / "run")
    assert library.called("start_run") == [((), {"run_name": "run"})]
    assert library.called("log_params") == [((CONFIG,), {})]
    assert library.called("log_metrics")[1] == (({"fit/after": 0.5},), {"step": 2})
    assert [name for name, *_ in library.calls][-1] == "end_run"


@pytest.mark.parametrize("name", TRACKERS)
def test_a_library_that_is_missing_is_one_line_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("ros_mbmrl.learning.tracking.find_spec", lambda _: None)
    command = rf"track: {name} is not installed: pip install 'ros_mbmrl\[{name}\]'"
    with pytest.raises(UserError, match=f"^{command}$"), tracking(name, tmp_path / "o", {}):
        pytest.fail("it began")
    assert not (tmp_path / "o").exists()


def test_none_is_fine_and_another_name_is_not(tmp_path: Path) -> None:
    track("", tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(UserError, match="unknown tracker 'comet': expected one of mlflow, trackio"):
        check_tracker("comet")


@pytest.mark.parametrize("library", ["wandb"], indirect=True)
def test_a_run_is_closed_when_the_training_fails(library: Recorder, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), tracking("wandb", tmp_path, {}):
        raise ZeroDivisionError
    assert library.called("finish")


def test_tensorboard_reads_back_what_was_logged(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = TensorBoard(tmp_path)
    for step in (1, 2):
        board.log("fit", step, {"after": 1 / step})
    board.close()
    read = EventAccumulator(str(tmp_path)).Reload()
    assert [(each.step, each.value) for each in read.Scalars("fit/after")] == [(1, 1.0), (2, 0.5)]


def test_wandb_itself_writes_a_run_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    track("wandb", tmp_path / "run")
    (file,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    until = time.monotonic() + 60.0  # its own process writes on after `finish` has returned
    while b"fit/after" not in file.read_bytes():
        assert time.monotonic() < until, f"{file}: nothing was written"
        time.sleep(0.05)


def test_trackio_itself_keeps_a_run_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "kept"))
    pytest.importorskip("trackio")
    track("trackio", tmp_path / "run")
    assert any(each.is_file() for each in (tmp_path / "kept").rglob("*"))


def test_mlflow_itself_writes_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    store = (tmp_path / "store").as_uri()
    mlflow.set_tracking_uri(store)
    track("mlflow", tmp_path / "run")
    client = mlflow.MlflowClient(store)
    experiment = client.get_experiment_by_name("ros_mbmrl")
    (run,) = client.search_runs([experiment.experiment_id])
    history = client.get_metric_history(run.info.run_id, "fit/after")
    assert [(each.step, each.value) for each in history] == [(1, 1.0), (2, 0.5)]
    assert run.data.params["learning_rate"] == "0.001"
