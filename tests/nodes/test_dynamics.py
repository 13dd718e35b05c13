"""The dynamics node by itself: what it learns of the commands that the plant was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter

from ros_mbmrl.nodes.dynamics import DynamicsNode
from ros_mbmrl.nodes.messages import command_message, diagnostics, status
from ros_mbmrl.robots.hexapod import SPEC

MODEL = Path(__file__).resolve().parents[2] / "models/hexapod/mb"


def test_a_command_that_the_driver_limited_is_not_known_to_have_acted(context: Any) -> None:
    override = Parameter("model", value=str(MODEL))
    node = DynamicsNode(context=context, parameter_overrides=[override])
    sent, known = np.array([20.0, 10.0]), {}
    for stamp, owner, limited in ((1, SPEC.name, 0), (2, SPEC.name, 1), (3, "neighbour", 1)):
        node._on_command(command_message(SPEC, sent, stamp))
        values = {"delay_s": 0.02, "limited": limited}
        node._on_diagnostics(diagnostics(stamp, status("driver", "timing", owner, values)))
        command = node.commands.wait(stamp, 0.0)
        known[stamp] = None if command is None else command.tolist()
    node.destroy_node()
    assert known == {1: [20.0, 10.0], 2: None, 3: [20.0, 10.0]}
