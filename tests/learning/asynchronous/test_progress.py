"""Numbers of the heartbeats, for whoever shows them."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.learning.asynchronous.files import write_json
from ros_mbmrl.learning.asynchronous.progress import scalars, silent
from ros_mbmrl.learning.asynchronous.servers import Servers


def test_figures_and_idle_seconds_of_each_worker(tmp_path: Path) -> None:
    servers = Servers(tmp_path)
    assert scalars(servers) == {}
    write_json(servers.heartbeat("model"), {"figures": {"behind": 2}, "idle_s": 1.5})
    write_json(servers.heartbeat("policy"), {"phase": "idle"})
    assert scalars(servers) == {"model": {"behind": 2.0, "idle_s": 1.5}, "policy": {"idle_s": 0.0}}
    silent(servers)
