"""The nodes' environment: discovery, a middleware that is there, a folder for ROS's logs.

ROS itself ends the process without naming the variable that is wrong.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.share import find

MIDDLEWARE = "RMW_IMPLEMENTATION"
# Where a package says that it is a middleware, below a prefix.
INDEX = "share/ament_index/resource_index/rmw_typesupport"
SELECTOR = "rmw_implementation"  # loads one of the others
CAMPAIGN = 90, 102  # ROS domains of fault campaigns, the last one not among them
RANGE, PROFILE = "ROS_AUTOMATIC_DISCOVERY_RANGE", "FASTDDS_DEFAULT_PROFILES_FILE"


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return the nodes' environment: discovery stays on this machine unless asked otherwise.

    NumPy gets one thread per process: a second one only costs memory and punctuality. No shared
    memory: a process that is stopped or killed while it holds a port's lock hangs all the others.
    Raises UserError if there is no folder for ROS's logs.
    """
    ours = {
        RANGE: "LOCALHOST",
        "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    logs = log_folder(base)
    told = {**ours, **base} | ({} if logs is None else {"ROS_LOG_DIR": str(logs)})
    loopback = find("config/security/loopback.xml")
    fast_dds = base.get("RMW_IMPLEMENTATION", "rmw_fastrtps").startswith("rmw_fastrtps")
    special = base.get("ROS_STATIC_PEERS") or base.get(PROFILE)
    if told[RANGE] != "LOCALHOST" or loopback is None or not fast_dds or special:
        return told
    # This range would enable shared memory again, whatever the profile says.
    told |= {RANGE: "SYSTEM_DEFAULT", PROFILE: str(loopback)}
    if "ROS_LOCALHOST_ONLY" in told:  # takes precedence over the range
        told["ROS_LOCALHOST_ONLY"] = "0"
    return told


def middlewares(environment: Mapping[str, str]) -> set[str]:
    """Return the names of the middlewares that are installed; none if ROS is not."""
    prefixes = [*environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    folders = [Path(prefix) / INDEX for prefix in prefixes if prefix]
    names = {each.name for folder in folders if folder.is_dir() for each in folder.iterdir()}
    return names - {SELECTOR}


def check_middleware(environment: Mapping[str, str]) -> None:
    """Raise UserError if the environment asks for a middleware that is not installed."""
    name, installed = environment.get(MIDDLEWARE), middlewares(environment)
    if name and installed and name not in installed:
        raise UserError(
            f"{MIDDLEWARE}: '{name}' is not installed: expected {' or '.join(sorted(installed))}, "
            "or the variable unset"
        )


def why_not(error: ImportError) -> str:
    """Return why rclpy or what it needs could not be imported, in a line."""
    if isinstance(error, ModuleNotFoundError) and error.name == "rclpy":
        return "rclpy is not installed"
    said = " ".join(str(error).split())[:300]
    return f"rclpy is installed, but importing it fails ({said})"


def log_folder(environment: Mapping[str, str]) -> Path | None:
    """Return a folder for ROS's logs where its usual one cannot be written; None if it can.

    Raises UserError if there is none, or if the environment names one that cannot be written.
    """
    if named := environment.get("ROS_LOG_DIR"):
        if not _writable(Path(named)):
            raise UserError(f"ROS_LOG_DIR: '{named}' cannot be written: expected another folder")
        return None
    home = environment.get("HOME")
    usual = environment.get("ROS_HOME") or (f"{home}/.ros" if home else "")
    if usual and _writable(Path(usual) / "log"):
        return None
    instead = Path(tempfile.gettempdir()) / f"ros_mbmrl-{os.getuid()}-log"
    if instead.is_symlink() or not _writable(instead) or instead.stat().st_uid != os.getuid():
        raise UserError(
            f"HOME: '{home or ''}' cannot be written, nor {instead}: expected HOME or ROS_LOG_DIR "
            "to be a folder that can"
        )
    return instead


def _writable(folder: Path) -> bool:
    """Return whether this user can write there; makes the folder."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def free_domain() -> None:
    """A middleware domain of its own for this process and its children."""
    os.environ["ROS_DOMAIN_ID"] = str(random.SystemRandom().randrange(*CAMPAIGN))
    os.environ.update(environment(os.environ))
