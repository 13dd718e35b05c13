"""Timers on the steady clock: what must act when others fall silent cannot hang on ROS time."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.timer import Timer


def every(node: Node, period: float, callback: Callable[[], None]) -> Timer:
    """Call `callback` each `period` [s] of steady time.

    A timer made without this runs on ROS time, which stands still when `use_sim_time` is set and
    nobody publishes `/clock`.
    """
    return node.create_timer(period, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
