"""Estimate: the state of a described robot from two measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ros_mbmrl.robots.angles import yaw_of
from ros_mbmrl.robots.described.description import PLANAR, Description
from ros_mbmrl.robots.described.maps import Map
from ros_mbmrl.robots.spec import Array


class Estimate:
    """Map from measurements to a state; rates that are not measured are differences.

    Args:
        description: of the robot.
        pose: its pose's part of the state.
    """

    def __init__(self, description: Description, pose: Map) -> None:
        self._names, self._pose = description.measured, pose
        self._pose_names, self._planar = description.pose, description.kind == PLANAR
        self._scalars = description.scalars
        self._wraps = {each.name for each in description.scalars if each.wraps}
        self._moves = any(each.derived and not each.of for each in description.scalars)

    def __call__(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return states (..., ds) of measurements (..., dm). See `Robot.estimate`."""
        now = self._named(measurement)
        before = now if previous is None else self._named(previous)
        place = self._place(now)
        columns = list(place)
        rates = self._rates(place, self._place(before), dt) if self._moves else {}
        for each in self._scalars:
            if not each.derived:
                columns.append(now[each.name])
            elif each.of:
                change = now[each.of] - before[each.of]
                if each.of in self._wraps:
                    change = change - 2 * math.pi * np.round(change / (2 * math.pi))
                columns.append(change / dt)
            else:
                columns.append(rates[each.name])
        return np.stack(columns, axis=-1)

    def _named(self, measurement: Array) -> dict[str, Array]:
        values = np.asarray(measurement, dtype=np.float64)
        return {name: values[..., k] for k, name in enumerate(self._names)}

    def _place(self, values: Mapping[str, Array]) -> list[Array]:
        """Return the pose's part of the state, a column each."""
        names = self._pose_names
        if not names:
            return []
        if self._planar:
            yaw = values["yaw"] if "yaw" in names else yaw_of(*(values[n] for n in names[2:]))
            return [values["x"], values["y"], np.cos(yaw), np.sin(yaw)]
        turn = np.stack([values[n] for n in names[3:]])
        length = np.sqrt((turn**2).sum(axis=0))
        return [*(values[n] for n in "xyz"), *(turn / np.where(length > 0, length, 1.0))]

    def _rates(self, place: list[Array], older: list[Array], dt: float) -> dict[str, Array]:
        """Return the velocities of the pose, in the body's frame."""
        import torch

        now, before = (torch.as_tensor(np.stack(each, axis=-1)) for each in (place, older))
        change = (self._pose.difference(before, now) / dt).numpy()
        names: tuple[str, ...] = ("speed", "lateral_speed", "yaw_rate")
        if not self._planar:
            names = (*(f"velocity_{a}" for a in "xyz"), *(f"rate_{a}" for a in "xyz"))
        return {name: change[..., k] for k, name in enumerate(names)}
