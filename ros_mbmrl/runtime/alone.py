"""A lock that allows one graph of a robot in a ROS domain, on this machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ros_mbmrl.errors import RunError


@contextmanager
def alone(name: str, domain: int | str) -> Iterator[None]:
    """Hold the lock of `name` (a graph's namespace, a node) in a ROS domain.

    Two of them would hear and command each other. The lock ends with this process, however that
    ends. Raises RunError if another process holds it.
    """
    folder = Path(tempfile.gettempdir())
    path = folder / f"ros_mbmrl-{os.getuid()}-{domain}{name.replace('/', '-')}.lock"
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RunError(
                f"{name} already runs in ROS domain {domain}: "
                "end it, or set ROS_DOMAIN_ID to another number from 0 to 101"
            ) from None
        yield
