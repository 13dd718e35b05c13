"""Runners that are rows of `robots/bodies.py` and nothing else: one class each, made of its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.bodies import BODIES, Body, spec_of
from ros_mbmrl.robots.floating import Floating
from ros_mbmrl.robots.planar import Planar
from ros_mbmrl.robots.running import BACKWARD, FORWARD, RunCourse
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task


class Runner(Robot):
    """A robot with the tasks of its row. The maps are those of `Planar` or `Floating`."""

    body: ClassVar[Body]

    def tasks(self) -> Sequence[str]:
        """Return the row's tasks, and running backward; the first is the usual one."""
        return (*self.body.tasks, "run_backward")

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task called `name`. Raises UserError."""
        choose("task", name, self.tasks())
        backward = name == "run_backward"
        terms = self.body.tasks["run" if backward else name]
        return RunCourse(self.body.score(**terms), BACKWARD if backward else FORWARD)


class _PlanarRunner(Runner, Planar):
    """Runner in a plane."""


class _FloatingRunner(Runner, Floating):
    """Runner in space."""


def _of(name: str) -> type[Runner]:
    """Return the class of the robot called `name`."""
    body = BODIES[name]
    kind = _FloatingRunner if body.places.rotation is not None else _PlanarRunner
    facts = {"__module__": __name__, "__doc__": f"The {name}.", "body": body, "spec": spec_of(body)}
    return type(name.capitalize(), (kind,), facts)


Swimmer, Snake, Hopper, Walker2d, Humanoid = map(
    _of, ("swimmer", "snake", "hopper", "walker2d", "humanoid")
)
