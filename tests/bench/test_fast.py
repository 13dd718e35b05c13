"""The fast robot: known only while its folder is on the path."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ros_mbmrl import bringup
from ros_mbmrl.bench import graph
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot


def test_the_fast_robot_is_known_only_meanwhile(tmp_path: Path) -> None:
    config = graph.Config(fast=True, hidden=(8,))
    with graph._arguments(config, ["record:=false"], tmp_path) as arguments:
        robot = make_robot(arguments["robot"])
        assert robot.spec.period == 0.02
        assert load_model(Path(arguments["model"]), robot).model.mlp.sizes[1:-1] == (8,)
        names = [node.name for node in bringup.adapt(arguments)]
        assert names == ["reference", "composed"]  # from 30 control steps a second on
        names = [node.name for node in bringup.adapt({**arguments, "composed": "false"})]
        assert names == ["safety", "adaptive", "reference", "driver"]
        check = (
            "from ros_mbmrl.robots import make_robot; print(make_robot('fast_hexapod').spec.name)"
        )
        child = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
        assert child.stdout.strip() == "fast_hexapod"
    with pytest.raises(UserError, match="unknown robot 'fast_hexapod'"):
        make_robot("fast_hexapod")
