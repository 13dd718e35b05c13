"""Gait figures: what a set of the hexapod's runs looks like in a few numbers, robot or twin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.motor import TURN

STRETCH = 5  # steps over which walking is averaged: about two strides
NEAR_STRAIGHT = 1.0  # largest difference of the sides' leg frequencies [Hz]
WALKING = 2.0  # slowest leg frequency that counts as a stride [Hz]
LINEAR = 1.5, 9.0  # set-points at which neither the knee nor the top speed shows [Hz]

# name -> unit, in the order of every table.
FIGURES: dict[str, str] = {
    "speed_p5": "m/s",
    "speed_p50": "m/s",
    "speed_p95": "m/s",
    "stride": "m",
    "yaw_per_hz": "rad/s/Hz",
    "yaw_bias": "rad/s",
    "yaw_noise": "rad/s",
    "side_noise": "m/s",
    "sway_roll": "m/rad",
    "sway_pitch": "m/rad",
    "hz_gain": "Hz/Hz",
    "hz_newest": "1",
    "hz_at_6": "Hz",
    "hz_noise": "Hz",
    "gyro_x": "rad/s",
    "gyro_y": "rad/s",
    "gyro_z": "rad/s",
    "roll": "rad",
    "pitch": "rad",
    "back_emf_left": "V/Hz",
    "back_emf_right": "V/Hz",
    "back_emf_noise": "V",
    "battery_p5": "V",
    "battery_p50": "V",
    "battery_p95": "V",
    "step_p1": "s",
    "step_p50": "s",
    "step_p99": "s",
}


def gait_figures(rollouts: Sequence[Rollout]) -> dict[str, float]:
    """Return figures of a terrain's runs, by the names of FIGURES. Raises UserError for too few.

    speed: percentiles over stretches of five steps. stride: metres a turn of the legs, near
    straight. yaw_per_hz, yaw_bias: yaw rate over the difference of the sides, least squares over
    stretches; yaw_noise: what it leaves of a single step. side_noise: of the sideways speed.
    sway_roll, sway_pitch: how far the tracked point swings sideways and forward with a tilt: its
    height above what it turns about. hz_gain, hz_newest: achieved frequency over the newest and
    the previous set-point: sum of both shares, and the newest's part of it; hz_at_6: for both at
    6 Hz; hz_noise: what is left. gyro, roll, pitch: robust deviations, within a session.
    back_emf: median ratio to the frequency, within a session.
    """
    steps = [_steps(rollout) for rollout in rollouts]
    stretches = [_stretches(rollout) for rollout in rollouts]
    sessions = [rollout.tags.get("session", "") for rollout in rollouts]
    if not rollouts or sum(map(len, stretches)) < 20:
        raise UserError("too little to tell a gait from: expected 20 unmarked stretches of 5 steps")
    figures = {
        **_walking(np.concatenate(stretches)),
        **_turning(np.concatenate(stretches), np.concatenate(steps)),
        **_legs(np.concatenate(steps)),
        **_body(steps, sessions),
        **_electric(steps, sessions),
        **_percentiles("step", np.concatenate(steps)[:, 0], (1, 50, 99)),
    }
    return {name: float(figures[name]) for name in FIGURES}


def steps_and_stretches(rollouts: Sequence[Rollout]) -> tuple[Array, Array]:
    """Return the rows behind the figures, of all runs: see `_steps` and `_stretches`."""
    steps = [_steps(rollout) for rollout in rollouts]
    return np.concatenate(steps), np.concatenate([_stretches(rollout) for rollout in rollouts])


def _steps(rollout: Rollout) -> Array:
    """Return rows that have no mark and follow none: step time, yaw rate, hz (2), newest and
    previous set-points [Hz] (4), gyro (3), roll, pitch, back-EMF (2), battery, speed sideways and
    forward, roll and pitch rate."""
    s, hz = rollout.states.astype(float), rollout.actions.astype(float) / TURN
    dt = np.diff(rollout.times)
    turn = np.diff(np.unwrap(np.arctan2(s[:, 11], s[:, 10]))) / dt
    after = s[1:]
    tilt = np.arctan2(after[:, [7, 9]], after[:, [6, 8]])
    side = s[:-1, 10] * after[:, 4] - s[:-1, 11] * after[:, 3]
    forward = s[:-1, 10] * after[:, 3] + s[:-1, 11] * after[:, 4]
    swing = np.diff(np.arctan2(s[:, [7, 9]], s[:, [6, 8]]), axis=0) / dt[:, None]
    rows = np.column_stack(
        [dt, turn, after[:, 19:21] / TURN, hz, np.roll(hz, 1, axis=0), after[:, 12:15], tilt]
        + [after[:, 21:24], side, forward, swing]
    )
    fine = rollout.marks == 0
    fine[1:] &= fine[:-1]
    fine[:1] = False  # there is no set-point before the first
    return np.asarray(rows[fine])


def _stretches(rollout: Rollout) -> Array:
    """Return a row for each stretch without marks: speed, yaw rate, achieved hz (2)."""
    s, rows = rollout.states.astype(float), []
    yaw = np.unwrap(np.arctan2(s[:, 11], s[:, 10]))
    dt = np.diff(rollout.times)
    for k in range(STRETCH, len(dt) - STRETCH + 1, STRETCH):
        span = slice(k, k + STRETCH)
        if rollout.marks[span].any():
            continue
        lasted = dt[span].sum()
        far = np.hypot(*(s[k + STRETCH, :2] - s[k, :2]))
        turns = (s[k + 1 : k + STRETCH + 1, 19:21] * dt[span, None]).sum(axis=0) / TURN
        rows.append([far / lasted, (yaw[k + STRETCH] - yaw[k]) / lasted, *(turns / lasted)])
    return np.array(rows).reshape(-1, 4)


def _walking(stretches: Array) -> dict[str, float]:
    speed, hz = stretches[:, 0], stretches[:, 2:4]
    straight = (abs(hz[:, 1] - hz[:, 0]) < NEAR_STRAIGHT) & (hz.mean(axis=1) > WALKING)
    stride = np.median((speed / hz.mean(axis=1))[straight]) if straight.any() else np.nan
    return {**_percentiles("speed", speed, (5, 50, 95)), "stride": float(stride)}


def _turning(stretches: Array, steps: Array) -> dict[str, float]:
    per_hz, bias = np.polyfit(stretches[:, 3] - stretches[:, 2], stretches[:, 1], 1)
    left = steps[:, 1] - per_hz * (steps[:, 3] - steps[:, 2]) - bias
    return {
        "yaw_per_hz": per_hz,
        "yaw_bias": bias,
        "yaw_noise": _spread(left),
        "side_noise": _spread(steps[:, 16]),
        "sway_roll": -_slope(steps[:, 16], steps[:, 18]),
        "sway_pitch": _slope(steps[:, 17], steps[:, 19], steps[:, 2:4].mean(axis=1)),
    }


def _slope(values: Array, cause: Array, *others: Array) -> float:
    """Return the slope of values over a cause, beside others; 0 where the cause is always 0."""
    inputs = np.column_stack([cause, *others, np.ones_like(cause)])
    return float(np.linalg.lstsq(inputs, values, rcond=None)[0][0])


def _legs(steps: Array) -> dict[str, float]:
    achieved = steps[:, 2:4].ravel()
    newest, previous = steps[:, 4:6].ravel(), steps[:, 6:8].ravel()
    fine = np.all([(v > LINEAR[0]) & (v < LINEAR[1]) for v in (newest, previous)], axis=0)
    inputs = np.column_stack([newest, previous, np.ones_like(newest)])[fine]
    (new, old, rest), *_ = np.linalg.lstsq(inputs, achieved[fine], rcond=None)
    return {
        "hz_gain": new + old,
        "hz_newest": new / (new + old),
        "hz_at_6": 6 * (new + old) + rest,
        "hz_noise": _spread(achieved[fine] - inputs @ (new, old, rest)),
    }


def _body(steps: Sequence[Array], sessions: Sequence[str]) -> dict[str, float]:
    rows = np.concatenate(_centred([s[:, 8:13] for s in steps], sessions))
    names = ("gyro_x", "gyro_y", "gyro_z", "roll", "pitch")
    return {name: _spread(column) for name, column in zip(names, rows.T, strict=True)}


def _electric(steps: Sequence[Array], sessions: Sequence[str]) -> dict[str, float]:
    """Return back-EMF over leg frequency; both less their session's median."""
    figures, noise = {}, []
    rows = np.concatenate(_centred([s[:, [2, 3, 13, 14]] for s in steps], sessions))
    for k, side in enumerate(("left", "right")):
        hz, volts = rows[:, k], rows[:, 2 + k]
        turning = abs(hz) > 1.0
        slope = float(np.median(volts[turning] / hz[turning]))
        figures[f"back_emf_{side}"] = slope
        noise.append(_spread(volts - slope * hz))
    battery = np.concatenate(steps)[:, 15]
    return {
        **figures,
        "back_emf_noise": float(np.mean(noise)),
        **_percentiles("battery", battery, (5, 50, 95)),
    }


def _centred(parts: Sequence[Array], sessions: Sequence[str]) -> list[Array]:
    """Subtract the median of its session from each part: how the markers lay is not the gait."""
    medians = {
        session: np.median(
            np.concatenate([p for p, s in zip(parts, sessions, strict=True) if s == session]),
            axis=0,
        )
        for session in set(sessions)
    }
    return [part - medians[s] for part, s in zip(parts, sessions, strict=True)]


def _percentiles(name: str, values: Array, at: Sequence[int]) -> dict[str, float]:
    return {f"{name}_p{p}": float(np.percentile(values, p)) for p in at}


def _spread(values: Array) -> float:
    """Return the standard deviation by the quartiles: blind to the wildest quarter on each side."""
    low, high = np.percentile(values, [25, 75])
    return float((high - low) / 1.349)
