"""Newer models and policies of a run, taken over by an agent that is acting.

They are loaded in a thread of their own. The thread that plans exchanges what it acts with between
two plans: between two episodes, or between any two control steps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ros_mbmrl.adaptation.guard import Guard, make_guard
from ros_mbmrl.agents.live import Acting
from ros_mbmrl.agents.policy_planner import make_policy
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.errors import choose
from ros_mbmrl.learning.asynchronous.follower import Follower, Versions
from ros_mbmrl.learning.asynchronous.live_episodes import MODEL, NONE, POLICY
from ros_mbmrl.planning.base import Planner
from ros_mbmrl.robots.spec import Robot

EPISODE, STEP = "episode", "step"
SWITCHES = (EPISODE, STEP)
# Tries planning with the first model: the model to plan with, and the planner; None:
# the one that plans already.
Prepare = Callable[[DynamicsModel, Guard], tuple[DynamicsModel, Planner | None]]


@dataclass(frozen=True)
class Following:
    """Settings of who follows a run.

    Args:
        switch: when newer versions act: from the next episode on, or from the next step on.
        method: how models are adapted; empty: as their cards say.
        guard: False accepts every finite update.
        policy: whether policies act; else a planner in the model.
    """

    switch: str = EPISODE
    method: str = ""
    guard: bool = True
    policy: bool = False

    def __post_init__(self) -> None:
        choose("switch", self.switch, SWITCHES)


@dataclass(frozen=True)
class _Model:
    model: DynamicsModel
    guard: Guard
    value: ValueFunction | None


class LiveVersions:
    """Gives an agent the newest model to act with, and the newest policy if policies act.

    Args:
        robot: that acts.
        models, policies: of the run.
        following: when and how they act.
        prepare: see `Prepare`; called once, by the thread that loads.
        tell: is given a line for each version that is refused.
    """

    def __init__(
        self,
        robot: Robot,
        models: Versions,
        policies: Versions,
        following: Following,
        prepare: Prepare,
        tell: Callable[[str], None],
    ) -> None:
        self._robot, self._following, self._prepare = robot, following, prepare
        self._models = Follower(models, self._load_model, lambda line: tell(f"model {line}"))
        self._policies: Follower[Planner] | None = None
        if following.policy:
            load = self._load_policy
            self._policies = Follower(policies, load, lambda line: tell(f"policy {line}"))
        self._prepared: tuple[DynamicsModel, Planner | None] | None = None
        self._planning = False  # whether the planner that `prepare` chose has been handed out
        self._looking = threading.Lock()
        self._between = True  # before the first episode, and after each
        self.numbers = {MODEL: NONE, POLICY: NONE}

    def look(self) -> None:
        """Load what is new. Called by the thread that loads; by another one before the start."""
        with self._looking:
            self._models.look()
            if self._policies is not None:
                self._policies.look()

    def episode(self, event: str) -> None:
        """Take in that an episode starts, stops or is discarded."""
        self._between = event != "start"

    def next(self, acting: Acting) -> Acting:
        """Return what acts from now on: `acting` itself if nothing is new, or not yet.

        Called by the thread that plans, between two plans; it never waits.
        """
        if self._following.switch == EPISODE and not self._between:
            return acting
        model = self._models.take()
        if model is not None:
            self.numbers = {**self.numbers, MODEL: model.number}
            new = model.content
            acting = replace(acting, model=new.model, guard=new.guard, value=new.value)
            chosen = None if self._prepared is None else self._prepared[1]
            if self._policies is None and not self._planning and chosen is not None:
                self._planning, acting = True, replace(acting, planner=chosen)
        policy = None if self._policies is None else self._policies.take()
        if policy is not None:
            self.numbers = {**self.numbers, POLICY: policy.number}
            acting = replace(acting, planner=policy.content)
        return acting

    def _load_model(self, folder: Path) -> _Model:
        loaded = load_model(folder, self._robot)
        guard = make_guard(loaded, self._following.method or None, self._following.guard)
        if self._prepared is None:
            self._prepared = self._prepare(loaded.model, guard)
        model = replace(loaded.model, precision=self._prepared[0].precision)
        return _Model(model, guard, loaded.value)

    def _load_policy(self, folder: Path) -> Any:
        return make_policy(self._robot.spec, str(folder))
