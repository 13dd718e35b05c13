"""Starts that must be refused: wrong models, parameters for nobody."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from ros_mbmrl.share import find

# What a parameter file must not say, by the fault.
PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "parameters for a node that is not there": "/hexapod/safty: "
        "{ros__parameters: {limits: {left_legs: [0.0, 10.0]}}}",
        "parameter that the launch sets, too": "/hexapod/driver: {ros__parameters: {noise: 0.1}}",
    }
)


def refused_start(kind: str) -> str:
    """Return how `mbmrl launch adapt` refuses that kind of start; empty if it does not."""
    with TemporaryDirectory(prefix="mbmrl-faults-") as folder:
        if kind in PARAMETERS:
            path = Path(folder) / "params.yaml"
            path.write_text(PARAMETERS[kind])
            own = f"params:={path}"
        else:
            own = f"model:={wrong_model(kind, Path(folder))}"
        words = [sys.executable, "-m", "ros_mbmrl.cli", "launch", "adapt", own]
        words += ["method:=mb", "record:=false", "duration:=1", "noise:=0"]
        made = subprocess.run(words, capture_output=True, text=True, timeout=90, check=False)
    if made.returncode != 2:
        return ""
    said = [line for line in made.stdout.splitlines() if line.startswith("[adaptive]")]
    return f"start: {(said or made.stderr.splitlines())[0].replace(folder, '')[:90]}"


def wrong_model(kind: str, folder: Path) -> Path:
    """A model folder that is broken in that way."""
    models = find("models")
    assert models is not None
    model = folder / "model"
    shutil.copytree(models / "hexapod" / "mb", model)
    weights = model / "model.safetensors"
    if kind == "model of another robot":
        shutil.rmtree(model)
        shutil.copytree(models / "pr2_arm" / "mb", model)
    elif kind == "weights of another model":
        shutil.copyfile(models / "hexapod" / "last_layer" / weights.name, weights)
        data = bytearray(weights.read_bytes())
        data[-4:] = bytes(4)
        weights.write_bytes(data)
    else:
        weights.write_bytes(weights.read_bytes()[:1000])
    return model
