import numpy as np
import pytest

from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.identification.gait import FIGURES, gait_figures
from ros_mbmrl.simulation.motor import TURN

STRIDE, PER_HZ, BIAS = 0.05, 0.2, 0.3


def walks(count: int = 6, steps: int = 50) -> list[Rollout]:
    """Runs of an ideal robot: 0.7 of the newest set-point and 0.2 of the one before."""
    rng = np.random.default_rng(0)
    rollouts = []
    for k in range(count):
        hz = rng.uniform(2, 8, (steps, 2))
        achieved = 0.7 * hz + 0.2 * np.vstack([hz[:1], hz[:-1]])
        yaw = np.concatenate([[0], np.cumsum(0.1 * (PER_HZ * np.diff(achieved)[:, 0] + BIAS))])
        walked = 0.1 * STRIDE * achieved.mean(axis=1)
        states = np.zeros((steps + 1, 24))
        states[1:, 0] = np.cumsum(walked * np.cos(yaw[:-1]))
        states[1:, 1] = np.cumsum(walked * np.sin(yaw[:-1]))
        states[:, 6] = states[:, 8] = 1.0
        states[:, 10], states[:, 11] = np.cos(yaw), np.sin(yaw)
        states[1:, 19:21] = achieved * TURN
        states[1:, 21:23] = 0.14 * achieved
        states[:, 23] = 3.9
        rollouts.append(
            Rollout(
                "hexapod",
                states,
                hz * TURN,
                0.1 * np.arange(steps + 1),
                np.zeros(steps, np.uint8),
                {"session": str(k % 2), "terrain": "carpet"},
            )
        )
    return rollouts


def test_an_ideal_walk_is_read_off_exactly() -> None:
    figures = gait_figures(walks())
    assert list(figures) == list(FIGURES)
    assert figures["stride"] == pytest.approx(STRIDE, rel=0.02)  # the arc is longer than its chord
    assert figures["yaw_per_hz"] == pytest.approx(PER_HZ, rel=1e-3)
    assert figures["yaw_bias"] == pytest.approx(BIAS, rel=1e-3)
    assert figures["yaw_noise"] == pytest.approx(0.0, abs=1e-3)
    assert figures["sway_roll"] == figures["sway_pitch"] == 0.0  # it never tilts
    assert figures["hz_gain"] == pytest.approx(0.9, rel=1e-4)
    assert figures["hz_newest"] == pytest.approx(0.7 / 0.9, rel=1e-4)
    assert figures["hz_at_6"] == pytest.approx(5.4, rel=1e-4)
    assert figures["back_emf_left"] == pytest.approx(0.14, rel=1e-3)
    assert figures["battery_p50"] == pytest.approx(3.9)
    assert figures["step_p50"] == pytest.approx(0.1)


def test_marked_steps_do_not_count() -> None:
    clean, wild = walks(), walks()
    for rollout in wild:
        rollout.states[20, 12:15] = 1000.0
        rollout.marks[19] = Mark.WILD
    assert gait_figures(wild)["gyro_x"] == pytest.approx(gait_figures(clean)["gyro_x"], abs=1e-6)


def test_too_little_is_refused() -> None:
    with pytest.raises(UserError, match="expected 20 unmarked stretches"):
        gait_figures(walks(count=1))


def test_sway_is_the_height_of_the_tracked_point() -> None:
    rng, rollouts = np.random.default_rng(1), walks()
    for rollout in rollouts:
        states = rollout.states
        roll, pitch = 0.1 * rng.standard_normal((2, len(states)))
        states[:, 6], states[:, 7] = np.cos(roll), np.sin(roll)
        states[:, 8], states[:, 9] = np.cos(pitch), np.sin(pitch)
        # The velocity over a step, in the frame of the yaw before it.
        hz = states[1:, 19:21].mean(axis=1) / TURN
        forward = STRIDE * hz + 0.04 * np.diff(pitch) / 0.1
        side = -0.03 * np.diff(roll) / 0.1
        cos, sin = states[:-1, 10], states[:-1, 11]
        states[1:, 3], states[1:, 4] = cos * forward - sin * side, sin * forward + cos * side
    figures = gait_figures(rollouts)
    assert figures["sway_roll"] == pytest.approx(0.03, rel=1e-3)
    assert figures["sway_pitch"] == pytest.approx(0.04, rel=1e-3)
    assert figures["roll"] == pytest.approx(0.1, rel=0.2)
    assert figures["pitch"] == pytest.approx(0.1, rel=0.2)


def test_how_the_markers_lie_is_not_the_gait() -> None:
    plain, tilted = walks(), walks()
    for rollout in tilted:
        lies = 0.1 if rollout.tags["session"] == "1" else -0.2
        rollout.states[:, 6], rollout.states[:, 7] = np.cos(lies), np.sin(lies)
    assert gait_figures(tilted)["roll"] == pytest.approx(gait_figures(plain)["roll"], abs=1e-6)
