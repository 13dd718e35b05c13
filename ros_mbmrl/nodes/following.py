"""Sets up the adaptive process to follow an asynchronous run: newer models and policies."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray

from ros_mbmrl.adaptation.guard import Guard
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.home import expand_home
from ros_mbmrl.learning.asynchronous.live_run import check_live_run
from ros_mbmrl.learning.asynchronous.live_versions import Following, LiveVersions
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.nodes.controller import POLICY, ControllerNode
from ros_mbmrl.nodes.dynamics import DynamicsNode
from ros_mbmrl.nodes.messages import owner_of
from ros_mbmrl.nodes.qos import listen
from ros_mbmrl.planning.base import Planner

LOOK = 0.2  # [s] between looks for newer versions


def follow_run(
    dynamics: DynamicsNode, controller: ControllerNode, left: float
) -> LiveVersions | None:
    """Return the versions of the run that the nodes follow; None if they follow none.

    Args:
        dynamics: whose states plans are tried from.
        controller: tries them.
        left: what a plan may take [s].

    Raises:
        UserError: no such run, or one of another robot.
    """
    settings = controller.settings
    if not settings.learning:
        return None
    folder = Path(expand_home(settings.learning, "learning"))
    check_live_run(folder, settings.robot)
    servers, own = Servers(folder), dynamics.settings

    def prepare(model: DynamicsModel, guard: Guard) -> tuple[DynamicsModel, Planner | None]:
        """Try planning, if that was not done before the first command."""
        state = dynamics.state
        if not dynamics.blank or state is None:
            return replace(model, precision=controller.precision), None
        return controller.prepare(model, guard.prior(), state, left)

    found = LiveVersions(
        dynamics.robot,
        servers.models,
        servers.policies,
        Following(settings.switch, own.method, own.guard, settings.controller == POLICY),
        prepare,
        controller.get_logger().error,
    )

    def on_episode(message: DiagnosticArray) -> None:
        for line in message.status:
            if line.hardware_id == owner_of(controller, dynamics.robot.spec):
                found.episode({pair.key: pair.value for pair in line.values}.get("event", ""))

    listen(controller, "episode", on_episode)
    return found


def loading(
    learned: LiveVersions, dynamics: DynamicsNode, ended: threading.Event
) -> Callable[[], None]:
    """Return the work of the thread that loads newer versions until the process ends."""

    def load() -> None:
        while not ended.wait(LOOK):
            if dynamics.state is not None:  # the first model is tried from there
                learned.look()

    return load
