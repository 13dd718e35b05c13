"""controller (lifecycle): what is planned for, and with which planner. Lives in `adaptive`."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from nav_msgs.msg import Path as PathMessage
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from ros_mbmrl.adaptation.base import Adapted
from ros_mbmrl.agents.chance_planner import ChancePlanner
from ros_mbmrl.agents.live_settings import live_settings
from ros_mbmrl.dry_run import AUTO, PRECISIONS, DryRun, check_precision
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.live_versions import EPISODE
from ros_mbmrl.nodes.links import Links
from ros_mbmrl.nodes.live_parameters import LiveParameters, told
from ros_mbmrl.nodes.messages import (
    ERROR,
    NANO,
    OK,
    WARN,
    candidates_message,
    command_message,
    diagnostics,
    from_stamp,
    owner_of,
    path_message,
    read_path,
    status,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.peers import PATIENCE, Echo, await_listeners
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import Plan, Planner
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.planning.search import SamplingPlanner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.path_following import PathFollowing
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.robots.tracked import tracked_point

POLICY = "policy"  # controller that does not search
CANDIDATES_EVERY = NANO // 10  # [ns] of stamps between two messages of candidates
PLAN_EVERY = NANO // 25  # the same of plans: nobody looks at those of a fast robot one by one


@dataclass(frozen=True)
class ControllerParameters:
    """planner: fields of the planner's configuration. speed: along the path [m/s].

    cost: weights of the task's cost. These three may change while the robot moves, as far as
    `LiveSettings` says.
    task: of a robot that follows no path; begun at the first state.
    precision: of the model's products in planning: float32, bfloat16, or auto, which measures both
    at the start (never in lockstep, where it is float32).
    threads: of the whole process, for linear algebra.
    await_nodes: names, joined by commas, of nodes that must hear the first proposal.
    candidates: roll-outs that are published for a view, at most ten times a second; 0: none.
    learning: folder of a run whose models, or policies, are followed; empty: none. switch: when
    newer ones act, see `Following`.
    """

    robot: str = "hexapod"
    controller: str = "mppi"
    planner: dict[str, Any] = field(default_factory=dict)
    speed: float = 0.25
    cost: dict[str, Any] = field(default_factory=dict)
    task: str = ""
    precision: str = "float32"
    seed: int = 0
    threads: int = 1
    lockstep: bool = False
    autostart: bool = True
    await_nodes: str = ""
    candidates: int = 0
    learning: str = ""
    switch: str = EPISODE

    def __post_init__(self) -> None:
        if self.candidates < 0:
            raise ValueError(f"candidates: expected at least 0, got {self.candidates}")
        if self.threads < 1:
            raise ValueError(f"threads: expected at least 1, got {self.threads}")
        check_precision(self.precision)
        if not self.speed > 0:
            raise ValueError(f"speed: expected above 0 m/s, got {self.speed}")


LIVE = ("speed", "planner", "cost")


class ControllerNode(LifecycleNode):
    """Holds the planner and what is followed; proposes commands only while active."""

    def __init__(
        self,
        *others: type,
        name: str = "controller",
        links: Links | None = None,
        **options: Any,
    ) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        self.settings = p = read_parameters(self, ControllerParameters, *others, live=LIVE)
        self._robot = make_robot(p.robot)
        self._spec = self._robot.spec
        self._owner = owner_of(self, self._spec)
        self.planner = self._make_planner()
        self.precision = torch.float32  # of the model's products, once planning was tried
        self.generator = torch.Generator().manual_seed(p.seed)
        self._lock = threading.Lock()
        self._task: Task | None = None
        # Settings as accepted, and as planned with: the worker takes them over between two plans.
        self._live = self._acting = live = live_settings(
            self._robot, p.controller, self.planner, p.speed, p.cost
        )
        self._prepared = False
        self._live_parameters = LiveParameters(
            self, LIVE, live.values, live.ranges, self._check, self._take, p.lockstep
        )
        self._active = threading.Event()
        self._proposed = advertise(self, "command/proposed", links)
        self._echo = Echo()
        self._plan = advertise(self, "plan")
        self._point = tracked_point(self._spec)
        self._candidates = None
        if p.candidates and self._point is not None:
            self._candidates = advertise(self, "plan/candidates")
        self._shown: int | None = None  # stamp of the last candidates
        self._drawn: int | None = None  # of the last plan
        self._diagnostics = advertise(self, "/diagnostics", links)
        listen(self, "reference", self._on_reference)
        self.stopped = False  # as safety says: until a reset there is nothing to plan
        if not p.lockstep:
            listen(self, "safety/state", self._on_stop_state, links=links)
            listen(self, "command/proposed/heard", self._on_heard, links=links)
        if p.autostart:
            self.trigger_configure()
            self.trigger_activate()

    def task(self, state: Array) -> Task | None:
        """Return what to plan for, once there is anything and while the node is active.

        state: (ds,), where a task begins.
        """
        with self._lock:
            if self._task is None and self.settings.task:
                self._task = self._robot.make_task(self.settings.task, state)
                self._acting.tune(self._task)
            return self._task if self._active.is_set() else None

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Commands are proposed from now on."""
        self._active.set()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """No command is proposed any more; safety holds, then the driver stops."""
        self._active.clear()
        return super().on_deactivate(state)

    def close(self) -> None:
        """Nothing is held."""
        self._active.clear()

    def propose(self, stamp: int, action: Array | None) -> None:
        """Publish the command that answers the state stamped `stamp` [ns]; None: no plan."""
        message = command_message(self._spec, action, stamp)
        self._echo.sent(message)
        self._proposed.publish(message)

    def prepare(
        self, model: DynamicsModel, adapted: Adapted, state: Array, left: float
    ) -> tuple[DynamicsModel, Planner]:
        """Try planning before the first command; return the model and the planner to plan with.

        In lockstep nothing may depend on how fast the machine is, and nothing is tried; nor with a
        planner that does not search.

        Args:
            left: what a plan may take [s]; if it takes longer, a smaller one is chosen.

        Raises:
            UserError: not even the smallest plan fits.
        """
        p = self.settings
        self.await_listeners()
        if p.lockstep or not isinstance(self.planner, SamplingPlanner):
            self._prepared = True
            self.precision = PRECISIONS["float32" if p.precision == AUTO else p.precision]
            return replace(model, precision=self.precision), self.planner
        task = self._robot.make_task(p.task or self._robot.tasks()[0], state)
        trial = DryRun(self._robot, self.planner, task, state, threads=p.threads)
        name, why = p.precision, "as told"
        if name == AUTO:
            name, why = trial.precision(model, adapted)
        self.precision = PRECISIONS[name]
        model = replace(model, precision=self.precision)
        fit = trial.fit(model, adapted, left)
        if fit.note:
            self.get_logger().warning(f"{fit.note}, the period leaves {1e3 * left:.3g} ms")
        self.get_logger().info(
            f"planning in {name}: {why}; takes {1e3 * fit.seconds:.1f} ms of {1e3 * left:.1f} ms"
        )
        self._allow(fit.planner, fit.most(left), fit.told(left))
        return model, fit.planner

    def retune(self, stamp: int, planner: Planner) -> Planner:
        """Take over what was set since the last plan; return the planner to plan with.

        Called by the thread that plans, between two plans. stamp: of the first state [ns] that is
        answered with it.
        """
        with self._lock:
            before, self._acting = self._acting, self._live
            if before == self._acting:
                return planner
            if self._task is not None:
                self._acting.tune(self._task)
        changes = self._acting.since(before)
        line = status("controller", "tuning", self._owner, changes, OK, "acts from this state on")
        self._diagnostics.publish(diagnostics(stamp, line))
        self.get_logger().info(told(changes))
        return self._acting.planning(planner)

    def tell_versions(self, numbers: Mapping[str, int]) -> None:
        """Say which versions act from now on; each step's timing tells it as well."""
        acting = [f"{name.removesuffix('_version')} {n}" for name, n in numbers.items() if n >= 0]
        self.get_logger().info(f"acting with {' and '.join(acting)}")

    def _check(self, changes: Mapping[str, Any]) -> None:
        """Raise ValueError with the reason why settings cannot be changed so."""
        if not self._prepared:
            raise ValueError("nothing is set before planning was tried: expected a state first")
        with self._lock:
            self._live.after(changes)

    def _take(self, changes: Mapping[str, Any]) -> None:
        with self._lock:
            self._live = self._live.after(changes)

    def _allow(self, planner: SamplingPlanner, most: int, timing: str) -> None:
        """Begin to take settings, within what planning was seen to take."""
        with self._lock:
            config = planner.config
            self._live = replace(self._live, planner=config, most=most, timing=timing)
            self._acting = self._live
            values, ranges = self._live.values, self._live.ranges
        count = f"planner.{self.settings.controller}.num_samples"
        self._live_parameters.limit(count, values[count], ranges[count])
        self._prepared = True

    def _make_planner(self) -> Planner:
        """Return the planner; chance for a policy that is still to be learned."""
        p = self.settings
        if p.learning and p.controller == POLICY and "policy.folder" not in p.planner:
            return self.chance()
        return make_planner(p.controller, self._spec, **p.planner)

    def chance(self) -> Planner:
        """Return what acts while nothing was learned yet."""
        return ChancePlanner(self._spec, np.random.default_rng(self.settings.seed))

    def await_listeners(self) -> None:
        """Wait for a recorder, which would miss the first proposals, but not for ever."""
        names = list(filter(None, self.settings.await_nodes.split(",")))
        never = threading.Event()
        try:
            await_listeners(self, [self._proposed], names, never, time.monotonic, PATIENCE)
        except RunError as error:
            self.get_logger().warning(str(error))

    def publish(self, stamp: int, mode: Mode, values: Mapping[str, object]) -> None:
        """Publish how long it took, see `messages.py`; a warning if there was not time for all."""
        level = WARN if mode.degraded else OK
        values = {**values, "mode": mode.label}
        line = status("controller", "timing", self._owner, values, level, mode.meaning)
        self._diagnostics.publish(diagnostics(stamp, line))

    @torch.inference_mode()
    def publish_plan(
        self, stamp: int, model: DynamicsModel, adapted: Adapted, state: Array, plan: Plan
    ) -> None:
        """Publish where the adapted model says that the plan leads, for people to look at."""
        if self._drawn is not None and abs(stamp - self._drawn) < PLAN_EVERY:
            return
        self._drawn = stamp
        now = torch.as_tensor(state, dtype=torch.float32)
        predict = model.predictor(adapted.parameters, adapted.hidden)
        states = predict(now[None], plan.actions[None])[0]
        poses = [self._robot.pose(each.numpy().astype(float)) for each in states]
        self._plan.publish(path_message([pose for pose in poses if pose is not None], stamp))

    @torch.inference_mode()
    def publish_candidates(
        self, stamp: int, model: DynamicsModel, adapted: Adapted, state: Array, plan: Plan
    ) -> None:
        """Publish where candidates of the plan's last iteration lead, if a view is there for it.

        They are imagined once more, since a planner keeps only their costs. Left out where there
        was not even time for the whole plan.
        """
        if self._candidates is None or self._point is None or plan.tried is None:
            return
        recent = self._shown is not None and abs(stamp - self._shown) < CANDIDATES_EVERY
        if recent or plan.mode.degraded:
            return
        self._shown, some = stamp, plan.tried.ranked(self.settings.candidates)
        now = torch.as_tensor(state, dtype=torch.float32)
        predict = model.predictor(adapted.parameters, adapted.hidden)
        states = predict(now.expand(len(some.costs), -1), some.actions).numpy()
        points = self._point.of(states)
        message = candidates_message(points, some.costs.numpy(), self._point.frame, stamp)
        self._candidates.publish(message)

    def _on_heard(self, message: JointState) -> None:
        """Tell it if safety heard a proposal that is not ours."""
        if self._echo.heard(message):
            values = {"foreign": self._echo.foreign}
            line = status("controller", "echo", self._owner, values, ERROR)
            self._diagnostics.publish(diagnostics(from_stamp(message.header.stamp), line))

    def _on_stop_state(self, message: Bool) -> None:
        self.stopped = message.data

    def _on_reference(self, message: PathMessage) -> None:
        try:
            path = Path.from_points(read_path(message))
        except UserError as error:
            self.get_logger().warning(f"reference: refused: {error}")
            return
        task = PathFollowing(self._robot, path)
        with self._lock:
            self._acting.tune(task)
            self._task = task
