"""Figures of an asynchronous run, from its folder alone: for the live views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.pause import Pause
from ros_mbmrl.learning.asynchronous.servers import Servers

RUN = "run"  # name of the line that is of no one worker
NONE = -1  # version of what is not there yet


def run_figures(servers: Servers) -> dict[str, dict[str, object]]:
    """Return figures by worker, and those of the whole run under `RUN`.

    Versions behind are counted from what each worker told last to the newest version there is.
    """
    count = len(servers.data)
    newest = {
        "model": _number(servers.models.latest()),
        "policy": _number(servers.policies.latest()),
    }
    versions = {f"{name}_version": number for name, number in newest.items()}
    whole: dict[str, object] = {
        "trajectories": count,
        "trajectories_wanted": servers.limit or 0,  # 0: no end is known
        **versions,
        "episode_return": 0.0,
        "collector": "",
        **(_newest_of(servers, count - 1) if count else {}),
        "paused": bool(Pause(servers.run).reason),
    }
    found = {RUN: whole}
    for name, told in servers.heartbeats().items():
        found[name] = {**_plain(told), **_behind(told.get("versions", {}), newest)}
    return found


def _newest_of(servers: Servers, number: int) -> dict[str, object]:
    try:
        facts = servers.data.facts(number)
    except UserError:
        return {}
    return {"episode_return": float(facts["episode_return"]), "collector": facts["collector"]}


def _behind(own: Mapping[str, Any], newest: Mapping[str, int]) -> dict[str, object]:
    """Return how many versions a worker is behind the newest ones, of those that it tells."""
    return {
        f"{name}_behind": max(0, there - int(own[name]))
        for name, there in newest.items()
        if isinstance(own.get(name), int)
    }


def _plain(told: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    """Return the numbers and texts of a heartbeat, those of a group by `group.name`."""
    found: dict[str, object] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            found |= _plain(value, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            found[f"{prefix}{name}"] = value
    return found


def _number(version: int | None) -> int:
    return NONE if version is None else version
