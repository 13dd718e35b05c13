"""Description of a recording for `ros2 bag`: quality of service, and `metadata.yaml` beside it.

Format: version 9 of rosbag2's metadata, as Jazzy and later write it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ros_mbmrl.errors import UserError
from ros_mbmrl.topics import Qos
from ros_mbmrl.untrusted import read_yaml

VERSION = 9
METADATA = "metadata.yaml"
OURS = {"library": "ros_mbmrl"}
FOREVER = {"sec": 9223372036, "nsec": 854775807}


@dataclass(frozen=True)
class BagTopic:
    """A topic of a recording."""

    name: str
    type_name: str
    qos: Qos | None
    messages: int


def qos_text(qos: Qos | None) -> str:
    """Return the quality of service in the form of a recording's channel; empty if unknown."""
    return yaml.safe_dump(_profiles(qos), sort_keys=False).strip() if qos else ""


def describe(path: Path, topics: Iterable[BagTopic], start_ns: int, end_ns: int) -> None:
    """Write `metadata.yaml` beside a recording that is alone in its folder.

    Then the folder is a bag for `ros2 bag` and other readers. Several recordings are several runs
    and not one bag: they are opened by file. If the file cannot be written, the recording is still
    whole.
    """
    folder = path.parent
    facts = _facts(path.name, tuple(topics), start_ns, end_ns)
    temporary = folder / f".{METADATA}.{os.getpid()}"
    with suppress(OSError):
        alone = [file for file in folder.iterdir() if path.suffix in file.suffixes] == [path]
        if alone and not (folder / METADATA).exists():
            temporary.write_text(yaml.safe_dump(facts, sort_keys=False))
            os.replace(temporary, folder / METADATA)


def forget(folder: Path) -> None:
    """Remove a `metadata.yaml` that `describe` wrote, before the folder's content changes."""
    file = folder / METADATA
    with suppress(OSError, UserError, LookupError, TypeError):
        if read_yaml(file)["rosbag2_bagfile_information"]["custom_data"] == OURS:
            file.unlink()


def _facts(name: str, topics: tuple[BagTopic, ...], start_ns: int, end_ns: int) -> dict[str, Any]:
    span = {
        "starting_time": {"nanoseconds_since_epoch": start_ns},
        "duration": {"nanoseconds": end_ns - start_ns},
        "message_count": sum(each.messages for each in topics),
    }
    return {
        "rosbag2_bagfile_information": {
            "version": VERSION,
            "storage_identifier": "mcap",
            **span,
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": each.name,
                        "type": each.type_name,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": _profiles(each.qos),
                        "type_description_hash": "",
                    },
                    "message_count": each.messages,
                }
                for each in topics
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [name],
            "files": [{"path": name, **deepcopy(span)}],
            "custom_data": dict(OURS),
            "ros_distro": os.environ.get("ROS_DISTRO", "unknown"),
        }
    }


def _profiles(qos: Qos | None) -> list[dict[str, Any]]:
    if qos is None:
        return []
    return [
        {
            "history": "keep_last",
            "depth": qos.depth,
            "reliability": "reliable" if qos.reliable else "best_effort",
            "durability": "transient_local" if qos.latched else "volatile",
            "deadline": dict(FOREVER),
            "lifespan": dict(FOREVER),
            "liveliness": "automatic",
            "liveliness_lease_duration": dict(FOREVER),
            "avoid_ros_namespace_conventions": False,
        }
    ]
