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
from ros_mbmrl.runtime.garbage import Garbage
from ros_mbmrl.runtime.priority import Work

if TYPE_CHECKING:
    from ros_mbmrl.agents.live import Answer, LiveAgent
    from ros_mbmrl.learning.asynchronous.live_versions import LiveVersions
    from ros_mbmrl.nodes.controller import ControllerNode
    from ros_mbmrl.nodes.dynamics import DynamicsNode, StateSeen
    from ros_mbmrl.nodes.links import Links
    from ros_mbmrl.planning.base import Deadline
    from ros_mbmrl.robots.spec import Array

LATEST = 0.7  # of the period, after which an answer comes too late to be checked and sent
ADAPTING = 0.1  # of the period, kept for what comes before planning


def left_for(period: float) -> float:
    """Return what a plan may take of a control period [s]."""
    return (LATEST - ADAPTING) * period


class AdaptiveWorker:
    """Algorithm 10 between topics: drives the agent as `ControlLoop` does, state by state.

    Args:
        dynamics: has the states and the commands that were sent, tells how adaptation went.
        controller: says what to plan for, proposes and tells about plans.
        agent: adapts and plans.
        clock: returns seconds, of the same kind as the states' arrival.
        learned: newer models and policies, of a run that is followed.
    """

    def __init__(
        self,
        dynamics: DynamicsNode,
        controller: ControllerNode,
        agent: LiveAgent,
        clock: Callable[[], float] = time.monotonic,
        learned: LiveVersions | None = None,
    ) -> None:
        self._dynamics, self._node, self._agent = dynamics, controller, agent
        self._learned = learned
        self._clock = clock
        self._lockstep = controller.settings.lockstep
        self._period = period = dynamics.robot.spec.period
        self._patience = 10.0 if self._lockstep else 0.2 * period  # for the last command/safe
        self._latest = LATEST * period
        self._asked: int | None = None  # stamp of the proposal whose fate is not known yet
        self._repeat: Callable[[], None] | None = None
        self._newest: StateSeen | None = None
        self._prepared = False
        self._dropped = self._skipped = 0

    def run(self, stop: threading.Event) -> None:
        """Answer states until `stop`; collect garbage only between them."""
        with Garbage() as garbage:
            while not stop.is_set():
                self.turn(self._dynamics.states.take(0.1))
                garbage.collect()

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
            self._agent.observe(seen.state[None], seconds(seen.stamp))
            self._newest, self._repeat = seen, None
        if self._newest is not None and not self._prepared:
            self._prepare(self._newest.state)
            if not self._lockstep:
                self._newest = None  # too old by now
        if self._newest is not None:
            self._exchange()
            self._agent.plan_with(self._node.retune(self._newest.stamp, self._agent.planner))
        if self._newest is not None and self._can_plan(self._newest.state):
            newest, self._newest = self._newest, None
            self._answer(newest, waited)
        elif self._repeat is not None and states:
            self._repeat()

    def _prepare(self, state: Array) -> None:
        """Before the first command, in the thread that plans: does it fit, and how precisely."""
        agent = self._agent
        if not self._dynamics.blank:
            left = left_for(self._period)
            agent.model, agent.planner = self._node.prepare(agent.model, agent.adapt(), state, left)
        if self._learned is not None:
            self._node.await_listeners()
            self._learned.look()  # what is there already acts from the first command on
        self._prepared = True

    def _exchange(self) -> None:
        """Act with what was learned since the last plan, if it is to act by now."""
        if self._learned is None:
            return
        now = self._agent.acting
        then = self._learned.next(now)
        if then is not now:
            self._agent.exchange(then)
            self._node.tell_versions(self._learned.numbers)

    def _can_plan(self, state: Array) -> bool:
        """Return whether there is a task; a new one is followed from here on."""
        task = self._node.task(state)
        if task is not None and task is not self._agent.task:
            self._agent.follow(task)
        return task is not None

    def _settle(self) -> None:
        """Learn what the plant was told in answer to the last proposal.

        If that does not become known in time, or was another command than the driver gave the
        plant, the transition is dropped, not guessed.
        """
        if self._asked is None:
            return
        sent = self._dynamics.commands.wait(self._asked, self._patience)
        if sent is None:
            self._dropped += 1
        else:
            self._agent.acted(sent[None])
        self._asked = None

    def _answer(self, seen: StateSeen, waited: float) -> None:
        self._asked = seen.stamp
        if self._node.stopped:  # the window goes on; planning would be for nothing
            rest = self._dynamics.robot.spec.rest
            self._node.propose(seen.stamp, rest)
            return
        delay = self._dynamics.delay
        answer = self._agent.answer(self._deadline(seen), delay)
        proposed = answer.proposed

        def publish() -> None:
            self._node.propose(seen.stamp, proposed)
            self._dynamics.publish(seen.stamp, answer.adapted, 1e3 * answer.adapt_seconds)

        publish()
        self._repeat = publish if self._lockstep else None
        self._tell(seen, answer, waited, delay)

    def _deadline(self, seen: StateSeen) -> Deadline | None:
        """None in lockstep: there, nothing may depend on how fast the machine is."""
        if self._lockstep:
            return None
        latest = seen.arrival + self._latest
        return lambda: latest - self._clock()

    def _tell(self, seen: StateSeen, answer: Answer, waited: float, delay: float) -> None:
        values: dict[str, object] = {
            "adapt_ms": 1e3 * answer.adapt_seconds,
            "plan_ms": 1e3 * answer.plan_seconds,
            "wait_ms": 1e3 * waited,
            "dropped": self._dropped,
            "skipped": self._skipped,
            "delay_s": delay,
            **({} if self._learned is None else self._learned.numbers),
        }
        plan, model = answer.plan, self._agent.model
        if plan is not None:
            for name in ("cost_min", "cost_mean", "finite", "samples"):
                values[name] = getattr(plan, name)
            self._node.publish_plan(seen.stamp, model, answer.adapted, seen.state, plan)
        self._node.publish(seen.stamp, plan.mode if plan else Mode.NONE, values)
        if plan is not None:  # last, for nobody but people waits for it
            self._node.publish_candidates(seen.stamp, model, answer.adapted, seen.state, plan)


def build(
    ending: Ending, links: Links | None = None, others: tuple[type, ...] = ()
) -> Sequence[Node]:
    """Return the nodes of this process, and start its worker. Torch is imported after the signals.

    Args:
        ending: of the process.
        links: topics within this process, which may have more nodes.
        others: dataclasses of those nodes' parameters.
    """
    import torch

    from ros_mbmrl.agents.live import LiveAgent
    from ros_mbmrl.nodes.controller import ControllerNode, ControllerParameters
    from ros_mbmrl.nodes.dynamics import DynamicsNode, DynamicsParameters
    from ros_mbmrl.nodes.following import follow_run, loading

    controller = ControllerNode(DynamicsParameters, *others, links=links)
    dynamics = DynamicsNode(ControllerParameters, *others, links=links)
    parts = dynamics.model, dynamics.guard, controller.planner, controller.generator
    agent = LiveAgent(*parts, clock=time.monotonic, value=dynamics.value)
    learned = follow_run(dynamics, controller, left_for(dynamics.robot.spec.period))
    if dynamics.blank:
        agent.planner = controller.chance()
    worker = AdaptiveWorker(dynamics, controller, agent, learned=learned)

    def work() -> None:
        torch.set_num_threads(controller.settings.threads)
        worker.run(ending.event)

    works = [work] if learned is None else [work, loading(learned, dynamics, ending.event)]
    for each in works:
        threading.Thread(target=guarded(ending, each), daemon=True).start()
    return [dynamics, controller]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build, work=Work.LONG))


if __name__ == "__main__":
    main()
