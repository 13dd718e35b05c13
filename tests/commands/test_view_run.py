"""`mbmrl view RUN`: figures of a run's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("foxglove")
from ros_mbmrl import cli
from ros_mbmrl.commands.view_run import is_run
from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.servers import Servers


def test_figures_of_a_run_are_shown(tmp_path: Path) -> None:
    servers = Servers(tmp_path / "run")
    servers.data.folder.mkdir(parents=True)
    servers.models.push(lambda folder: None)
    write_json(servers.heartbeat("policy"), {"phase": "step", "versions": {"model": 0}})
    out = tmp_path / "out.json"
    cli.main(["view", str(servers.run), "--port", "0", "--once", "--json", str(out)])
    figures = json.loads(out.read_text())["results"]["figures"]
    assert figures["run"]["model_version"] == 0
    assert figures["policy"] == {"phase": "step", "versions.model": 0, "model_behind": 0}


def test_only_a_folder_with_trajectories_is_a_run(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    assert not is_run(tmp_path / "run.mcap")
    (tmp_path / "trajectories").mkdir()
    assert is_run(tmp_path)
