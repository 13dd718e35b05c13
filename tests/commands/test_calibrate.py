from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.cli import Calibrate
from ros_mbmrl.commands import calibrate
from ros_mbmrl.commands.calibrate import by_terrain, telemetry
from ros_mbmrl.data import dataset, selection
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.identification import fit
from ros_mbmrl.learning.identification.replay import Drive, replay
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import calibrated, load_calibration
from ros_mbmrl.simulation.motor import TURN

TERRAINS = ("carpet", "styrofoam", "turf", "gravel")


@pytest.fixture(scope="module")
def logs() -> dict[str, list[Rollout]]:
    """Logs of a robot that is the twin itself."""
    rng = np.random.default_rng(1)
    times = 0.1 * np.arange(111)
    sent = [Drive(times, TURN * rng.uniform(2, 8, (110, 2)), 3.9) for _ in range(2)]
    robot = make_robot("hexapod")
    return {t: replay(robot, sent, t, calibrated(), 7) for t in TERRAINS}


def command(tmp_path: Path, **more: object) -> Calibrate:
    given = {"robot": "hexapod", "data": (tmp_path / "logs",), "untouched": 0.0, "iterations": 0}
    own = {"out": tmp_path / "fitted.yaml", "pictures": tmp_path / "pictures"}
    return Calibrate(**{**given, **own, **more})  # type: ignore[arg-type]


def test_a_robot_like_the_twin_meets_its_own_figures(
    tmp_path: Path, logs: dict[str, list[Rollout]]
) -> None:
    dataset.save(tmp_path / "logs", [r for several in logs.values() for r in several])
    results = calibrate.run(command(tmp_path))
    rows = {(row["terrain"], row["figure"]): row["ratio"] for row in results["rows"]}
    assert results["met"] > 0.6 * len(rows)  # two runs a terrain are few
    assert rows["carpet", "stride"] == pytest.approx(1.0, abs=0.15)
    assert (tmp_path / "pictures" / "figures.png").stat().st_size > 10_000
    assert (tmp_path / "pictures" / "gait.png").stat().st_size > 10_000
    assert not (tmp_path / "fitted.yaml").exists()  # nothing was fitted


def test_a_fit_writes_its_file_with_its_provenance(
    tmp_path: Path, logs: dict[str, list[Rollout]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lag = ("motor", "lag")  # alone is searched: faster
    monkeypatch.setattr(fit, "GROUND", {})
    monkeypatch.setattr(fit, "SHARED", {lag: fit.SHARED[lag]})
    digest = dataset.save(tmp_path / "logs", [r for several in logs.values() for r in several])
    calibrate.run(command(tmp_path, iterations=1, runs=1, pictures=None))
    fitted = load_calibration(tmp_path / "fitted.yaml")
    assert fitted.provenance["runs"] == dict.fromkeys(TERRAINS, 2)
    assert fitted.provenance["data"] == [{"name": "logs", "sha256": digest}]
    assert fitted.telemetry.battery == pytest.approx(3.9, abs=0.02)  # of the logs, not searched
    assert set(fitted.terrains) == set(TERRAINS)


def test_untouched_sessions_stay_out(logs: dict[str, list[Rollout]]) -> None:
    several = [
        replace(rollout, tags={**rollout.tags, "session": f"{terrain} {k}"})
        for terrain, runs in logs.items()
        for k, rollout in enumerate(runs)
    ]
    used = by_terrain(several, 0.5)
    assert {terrain: len(runs) for terrain, runs in used.items()} == dict.fromkeys(TERRAINS, 1)
    _, held_out = selection.split(several, by="session", held_out=0.5, seed=0)
    sessions = {r.tags["session"] for runs in used.values() for r in runs}
    assert not sessions & {r.tags["session"] for r in held_out}


def test_what_needs_no_search_is_the_mean_of_the_robots_figures() -> None:
    figures = {"back_emf_left": 0.1, "back_emf_right": 0.2, "back_emf_noise": 0.3}
    goal = {t: {**figures, "battery_p50": 3.8 + k / 10} for k, t in enumerate(("turf", "gravel"))}
    found = telemetry(calibrated().telemetry, goal)
    assert found.back_emf_left * TURN == pytest.approx(0.1)
    assert found.back_emf_noise == pytest.approx(0.3)
    assert found.battery == pytest.approx(3.85)
    assert found.jitter == calibrated().telemetry.jitter


def test_bad_input_is_refused_in_one_line(tmp_path: Path, logs: dict[str, list[Rollout]]) -> None:
    dataset.save(tmp_path / "logs", logs["carpet"])
    with pytest.raises(UserError, match="no logs on styrofoam: expected some of each of carpet"):
        calibrate.run(command(tmp_path))
    with pytest.raises(UserError, match="unknown robot with a twin 'pr2_arm'"):
        calibrate.run(command(tmp_path, robot="pr2_arm"))
    for wrong in ({"runs": 0}, {"workers": 0}, {"iterations": -1}):
        with pytest.raises(UserError, match="expected at least 1; iterations: 0 or more"):
            calibrate.run(command(tmp_path, **wrong))


def test_logs_of_another_robot_are_refused(
    tmp_path: Path, registered: object, rollouts: list[Rollout]
) -> None:
    dataset.save(tmp_path / "logs", rollouts)
    with pytest.raises(UserError, match="logs of 'toy': expected those of a hexapod"):
        calibrate.run(command(tmp_path))


def test_logs_without_a_walk_are_refused(tmp_path: Path, logs: dict[str, list[Rollout]]) -> None:
    """A figure that is 0 has no ratio."""
    still = []
    for rollout in (r for several in logs.values() for r in several):
        states = rollout.states.copy()
        states[:, 12] = 0.0
        still.append(replace(rollout, states=states))
    dataset.save(tmp_path / "logs", still)
    with pytest.raises(UserError, match="logs on carpet: expected a walk, but gyro_x is 0"):
        calibrate.run(command(tmp_path))
