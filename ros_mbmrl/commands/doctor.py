"""`mbmrl doctor`: what this machine has, what of it works, and advice for the rest.

Parts that may crash or take long to import (middleware, GL, torch) are tried in processes of their
own: a broken driver is a finding, not the end of the examination.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.ros_environment import MIDDLEWARE, check_middleware
from ros_mbmrl.runtime.priority import permitted

if TYPE_CHECKING:
    from ros_mbmrl.arguments.doctor import Doctor

PROBE_SECONDS = 60.0
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TRIED_PYTHON = ((3, 10), (3, 13))

# The extra that installs each; empty: the package itself does.
PACKAGES = {
    "numpy": "",
    "torch": "",
    "mujoco": "",
    "safetensors": "",
    "mcap": "",
    "mcap-ros2-support": "",
    "PyYAML": "",
    "tyro": "",
    "rich": "",
    "matplotlib": "",
    "psutil": "",
    "tensorboard": "train",
    "pyserial": "hardware",
    "foxglove-sdk": "view",
}

# Packages that MuJoCo's GL libraries need, by their names in Debian and Ubuntu.
GL_PACKAGES = {"egl": "libegl1 and a GL driver (mesa)", "osmesa": "libosmesa6"}

ROS_PROBE = """
import json, os
from ros_mbmrl.ros_environment import environment
os.environ.update(environment(os.environ))
import rclpy
rclpy.init()
node = rclpy.create_node("doctor")
found = {"middleware": rclpy.get_rmw_implementation_identifier(), "where": rclpy.__file__}
node.destroy_node()
rclpy.shutdown()
print(json.dumps(found))
"""

RENDER_PROBE = """
import json, mujoco
body = "<light pos='0 0 2'/><geom size='.1' rgba='1 0 0 1'/>"
model = mujoco.MjModel.from_xml_string(f"<mujoco><worldbody>{body}</worldbody></mujoco>")
data = mujoco.MjData(model)
mujoco.mj_forward(model, data)
with mujoco.Renderer(model, 32, 32) as renderer:
    renderer.update_scene(data)
    print(json.dumps({"brightest": int(renderer.render().max())}))
"""

TORCH_PROBE = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "threads": torch.get_num_threads(),
    "instructions": torch.backends.cpu.get_cpu_capability(),
    "gpu": torch.cuda.get_device_name(0) if cuda else None,
}))
"""


@dataclass(frozen=True)
class Finding:
    """Result of a check; ok: whether it works, found: what exists, advice: may be empty."""

    ok: bool
    found: str
    advice: str = ""


def examine() -> dict[str, dict[str, Any]]:
    """Run every check; return {"ok", "found", "advice"} by name. Takes seconds, never raises."""
    return {name: asdict(check()) for name, check in CHECKS.items()}


def run(arguments: Doctor) -> dict[str, Any]:
    """Examine, print a table, and return the findings."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    findings = examine()
    table = Table("", "ok", "found", "what to do")
    for name, finding in findings.items():
        mark = "[green]yes" if finding["ok"] else "[red]no"
        table.add_row(name, mark, escape(finding["found"]), escape(finding["advice"]))
    Console().print(table)
    return {"checks": findings}


def probe(code: str, environment: Mapping[str, str] | None = None) -> dict[str, Any] | str:
    """Return the JSON object that `code` prints last in a Python of its own, or the error."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PROBE_SECONDS:g} s"
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return lines[-1]
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def check_python() -> Finding:
    """Check version and location of the interpreter."""
    (oldest, newest), version = TRIED_PYTHON, sys.version_info[:2]
    found = f"{sys.version.split()[0]} in {sys.prefix}"
    ok = oldest <= version <= newest
    return Finding(ok, found, "" if ok else "use Python 3.10 to 3.13: make env PYTHON=...")


def check_packages() -> Finding:
    """Check installed versions; only packages of an extra may be missing."""
    versions = {name: _version(name) for name in PACKAGES}
    found = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    missing = [name for name, version in versions.items() if not version]
    required = [name for name in missing if not PACKAGES[name]]
    if required:
        return Finding(False, found, f"missing {', '.join(required)}: pip install -e .")
    extras = sorted({PACKAGES[name] for name in missing})
    advice = f"for {', '.join(missing)}: pip install -e '.[{','.join(extras)}]'" if extras else ""
    return Finding(True, found, advice)


def check_ros() -> Finding:
    """Check whether a node starts, and on which middleware."""
    try:
        check_middleware(os.environ)
    except UserError as error:
        return Finding(False, str(error), f"unset {MIDDLEWARE}, or install that middleware")
    found = probe(ROS_PROBE)
    if isinstance(found, str) and (named := re.search(r"UserError: ((\w+): .*)", found)):
        return Finding(False, named[1], f"set {named[2]} to a folder that can be written")
    if isinstance(found, str):
        missing = "No module named 'rclpy'" in found
        advice = (
            "source a ROS 2 distribution's setup.bash, or pip install -e '.[ros]'"
            if missing
            else f"rclpy is there but fails: reinstall it for Python {_PYTHON}, unset {MIDDLEWARE}"
        )
        return Finding(False, found, advice)
    origin = os.environ.get("ROS_DISTRO") or "wheels"
    return Finding(True, f"rclpy ({origin}: {found['where']}) on {found['middleware']}")


def check_rendering() -> Finding:
    """Check whether MuJoCo draws without a screen: pictures need it, physics does not."""
    backend = os.environ.get("MUJOCO_GL", "").strip().lower() or "egl"
    found = probe(RENDER_PROBE, {"MUJOCO_GL": backend})
    if isinstance(found, str):
        needed = GL_PACKAGES.get(backend)
        steps = [f"install {needed}"] if needed else []
        if os.environ.get("MUJOCO_GL"):
            steps.append("unset MUJOCO_GL")
        elif backend == "egl":
            steps.append("use MUJOCO_GL=osmesa with libosmesa6")
        advice = f"{', or '.join(steps)}; only pictures need it"
        return Finding(False, f"MUJOCO_GL={backend}: {found}", advice)
    drawn = found["brightest"] > 0
    advice = "" if drawn else "the picture is black: try MUJOCO_GL=osmesa"
    return Finding(drawn, f"MUJOCO_GL={backend}, MuJoCo {_version('mujoco')}", advice)


def check_serial(devices: Path = Path("/dev")) -> Finding:
    """Check access to serial ports; only `plant:=serial` needs one."""
    ports = sorted(port for kind in ("ttyUSB*", "ttyACM*") for port in devices.glob(kind))
    if not ports:
        return Finding(True, "no port", "for a real robot: plug its radio in")
    closed = [str(port) for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    advice = f"no access to {', '.join(closed)}: add yourself to the group dialout"
    return Finding(not closed, ", ".join(map(str, ports)), advice if closed else "")


def check_torch() -> Finding:
    """Check cores for this process, torch's threads and instruction set, and the GPU."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        cores = os.cpu_count() or 1
    found = probe(TORCH_PROBE)
    if isinstance(found, str):
        return Finding(False, f"{cores} cores; {found}", "pip install -e .")
    text = f"{cores} cores, {found['threads']} threads, {found['instructions']}"
    busy = os.getloadavg()[0] > 0.5 * cores
    advice = "the machine is busy: expect missed deadlines" if busy else ""
    return Finding(True, f"{text}, GPU: {found['gpu'] or 'none, none is needed'}", advice)


def check_priority() -> Finding:
    """Check what a graph may ask for on a busy machine; without it everything works, too."""
    found = permitted()
    text = ", ".join(f"{name}: {'yes' if may else 'no'}" for name, may in found.items())
    advice = "for a busy machine: limits rtprio, nice and memlock in /etc/security/limits.conf"
    return Finding(True, text, "" if all(found.values()) else advice)


CHECKS: Mapping[str, Callable[[], Finding]] = {
    "python": check_python,
    "packages": check_packages,
    "ros": check_ros,
    "rendering": check_rendering,
    "serial": check_serial,
    "torch": check_torch,
    "priority": check_priority,
}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
