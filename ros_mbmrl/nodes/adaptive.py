"""adaptive: the dynamics and the controller node in one process, sharing the adapted model.

A worker adapts and plans in a thread of its own; the executor only moves messages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rclpy.node import Node

from ros_mbmrl.nodes.messages import seconds
from ros_mbmrl.nodes.process import Ending, guarded, run
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots.delay import Delay

if TYPE_CHECKING:
    from ros_mbmrl.adaptation.base import Adapted
    from ros_mbmrl.control import Controller
    from ros_mbmrl.nodes.controller import ControllerNode
    from ros_mbmrl.nodes.dynamics import DynamicsNode, StateSeen
    from ros_mbmrl.planning.base import Deadline, Plan
    from ros_mbmrl.robots.spec import Array

LATEST = 0.7  # of the period, after which an answer comes too late to be checked and sent
ADAPTING = 0.1  # of the period, kept for what comes before planning


class AdaptiveWorker:
    """Algorithm 10 between topics: the same calls in the same order as `ControlLoop`."""

    def __init__(
        self,
        dynamics: DynamicsNode,
        controller: ControllerNode,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dynamics, self._node, self._clock = dynamics, controller, clock
        self._lockstep = controller.settings.lockstep
        self._period = period = dynamics.robot.spec.period
        self._patience = 10.0 if self._lockstep else 0.2 * period  # for the last command/safe
        self._latest = LATEST * period
        self._asked: int | None = None  # stamp of the proposal whose fate is not known yet
        self._delay = 0.0  # that it was made for [s]
        self._repeat: Callable[[], None] | None = None
        self._newest: StateSeen | None = None
        self._controller: Controller | None = None
        self._prepared = False
        self._dropped = self._skipped = 0

    def run(self, stop: threading.Event) -> None:
        """Until `stop`."""
        while not stop.is_set():
            self.turn(self._dynamics.states.take(0.1))

    def turn(self, states: Sequence[StateSeen]) -> None:
        """Take in states, oldest first; answer the newest, unless it has been."""
        waited = 0.0
        for seen in states:
            if seen.again:
                continue
            if self._newest is not None:
                self._skipped += 1
            began = self._clock()
            self._settle()
            waited += self._clock() - began
            self._dynamics.online.observe(seen.state, seconds(seen.stamp))
            self._newest, self._repeat = seen, None
        if self._newest is not None and not self._prepared:
            self._prepare(self._newest.state)
            if not self._lockstep:
                self._newest = None  # too old by now
        if self._newest is not None:
            self._controller = self._node.controller(self._newest.state)
        if self._newest is not None and self._controller is not None:
            newest, self._newest = self._newest, None
            self._answer(newest, self._controller, waited)
        elif self._repeat is not None and states:
            self._repeat()

    def _prepare(self, state: Array) -> None:
        """Before the first command, in the thread that plans: does it fit, and how precisely."""
        online, period = self._dynamics.online, self._dynamics.robot.spec.period
        left = self._latest - ADAPTING * period
        online.model = self._node.prepare(online.model, online.adapt(), state, left)
        self._prepared = True

    def _settle(self) -> None:
        """Learn what the plant was told in answer to the last proposal.

        If that does not become known in time, the transition is dropped, not guessed.
        """
        if self._asked is None:
            return
        sent = self._dynamics.commands.wait(self._asked, self._patience)
        if sent is None:
            self._dropped += 1
        else:
            delay = Delay.of(self._delay, self._period)
            self._dynamics.online.commanded(sent, seconds(self._asked), delay)
            if self._controller is not None:
                self._controller.commanded(sent)
        self._asked = None

    def _answer(self, seen: StateSeen, controller: Controller, waited: float) -> None:
        from ros_mbmrl.planning.base import NoFinitePlan

        if self._node.stopped:  # the window goes on; planning would be for nothing
            rest = self._dynamics.robot.spec.rest
            self._node.propose(seen.stamp, rest)
            self._asked = seen.stamp
            return
        began = self._clock()
        self._delay = self._dynamics.delay
        adapted = self._dynamics.online.adapt()
        planned = self._clock()
        plan: Plan | None
        try:
            model = self._dynamics.online.model
            delay = Delay.of(self._delay, self._period)
            plan = controller.plan(model, adapted, seen.state, self._deadline(seen), delay)
            proposed = plan.action.numpy().astype(float)
        except NoFinitePlan:
            plan, proposed = None, None
        ended = self._clock()

        def publish() -> None:
            self._node.propose(seen.stamp, proposed)
            self._dynamics.publish(seen.stamp, adapted, 1e3 * (planned - began))

        publish()
        self._asked, self._repeat = seen.stamp, publish if self._lockstep else None
        self._tell(seen, adapted, plan, (planned - began, ended - planned, waited))

    def _deadline(self, seen: StateSeen) -> Deadline | None:
        """None in lockstep: there, nothing may depend on how fast the machine is."""
        if self._lockstep:
            return None
        latest = seen.arrival + self._latest
        return lambda: latest - self._clock()

    def _tell(
        self,
        seen: StateSeen,
        adapted: Adapted,
        plan: Plan | None,
        durations: tuple[float, float, float],
    ) -> None:
        adapt, planning, waited = durations
        values: dict[str, object] = {
            "adapt_ms": 1e3 * adapt,
            "plan_ms": 1e3 * planning,
            "wait_ms": 1e3 * waited,
            "dropped": self._dropped,
            "skipped": self._skipped,
            "delay_s": self._delay,
        }
        if plan is not None:
            for name in ("cost_min", "cost_mean", "finite", "samples"):
                values[name] = getattr(plan, name)
            model = self._dynamics.online.model
            self._node.publish_plan(seen.stamp, model, adapted, seen.state, plan)
        self._node.publish(seen.stamp, plan.mode if plan else Mode.NONE, values)


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process, and its worker. Torch is imported here, after the signals."""
    import torch

    from ros_mbmrl.nodes.controller import ControllerNode, ControllerParameters
    from ros_mbmrl.nodes.dynamics import DynamicsNode, DynamicsParameters

    controller = ControllerNode(DynamicsParameters)
    dynamics = DynamicsNode(ControllerParameters)
    worker = AdaptiveWorker(dynamics, controller)

    def work() -> None:
        torch.set_num_threads(controller.settings.threads)
        worker.run(ending.event)

    threading.Thread(target=guarded(ending, work), daemon=True).start()
    return [dynamics, controller]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
