"""Conditions, pairs, keys and rows of an experiment on a described robot's twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import twin_experiment
from ros_mbmrl.evaluation.campaign import Entrant
from ros_mbmrl.evaluation.entrants import enter_methods
from ros_mbmrl.evaluation.statistics import CROSS_TRACK
from ros_mbmrl.evaluation.twin_experiment import (
    COST,
    TwinExperiment,
    conditions_of,
    faults_of,
)
from ros_mbmrl.robots import robot_name

OWN = ("load", "servo_weak", "encoder_off", "late")


def made(robot: str, **named: Any) -> TwinExperiment:
    usual: dict[str, Any] = {
        **{"goal": "bend", "faults": ("none", "load"), "at": 1.0, "duration": 2.0},
        "seeds": (5, 6),
    }
    return TwinExperiment(robot, **{**usual, **named})


def entrant(method: str, robot: str = "planar_arm") -> Entrant:
    return Entrant(method, Path(method), robot, method * 8, 0)


def test_conditions_are_none_and_what_the_file_names(planar_arm: str) -> None:
    assert conditions_of(planar_arm) == ("none", *OWN)
    assert {"elbow_weak", "shoulder_disabled"} <= set(faults_of(planar_arm))


def test_without_names_they_are_those_of_every_command(arm_file: Path) -> None:
    text = arm_file.read_text()
    begin, end = text.index("  faults:"), text.index("  randomise:")
    arm_file.write_text(text[:begin] + text[end:])
    every = {f"{j}_{how}" for j in ("shoulder", "elbow") for how in ("weak", "disabled")}
    assert set(conditions_of(robot_name(str(arm_file)))) == {"none", *every}


def test_every_method_meets_the_same_robots_and_no_two_cells_do(planar_arm: str) -> None:
    jobs = made(planar_arm).jobs([entrant("mb"), entrant("grbal")])
    assert [(j.seed, j.scenario.fault, j.entrant.method) for j in jobs] == [
        (seed, fault, method)
        for seed in (5, 6)
        for fault in ("none", "load")
        for method in ("mb", "grbal")
    ]
    assert [a.scenario for a in jobs[::2]] == [b.scenario for b in jobs[1::2]]
    assert len({job.scenario.seed for job in jobs}) == 4
    assert len({job.key for job in jobs}) == 8


def test_what_decides_an_episode_changes_its_key(arm_file: Path) -> None:
    robot = robot_name(str(arm_file))
    (job, *_) = made(robot).jobs([entrant("mb")])
    (again, *_) = made(robot).jobs([entrant("mb")])
    assert again.key == job.key
    assert replace(job, controller="cem").key != job.key
    xml = arm_file.parent / "arm.xml"
    xml.write_text(xml.read_text().replace('mass="0.5"', 'mass="0.6"'))
    (heavier, *_) = made(robot).jobs([entrant("mb")])
    assert heavier.key != job.key


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"faults": ("rain",)}, "fault 'rain'"),
        ({"goal": "fly"}, "task 'fly'"),
        ({"at": 2.0}, "at: expected 0.05 s to 1.95 s"),
        ({"at": 0.0}, "at: expected"),
        ({"seeds": ()}, "expected seeds >= 1"),
        ({"seeds": (-1, 0)}, "expected seeds >= 1"),
    ],
)
def test_what_cannot_be_run_is_refused(planar_arm: str, wrong: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        made(planar_arm, **wrong)


def test_a_base_is_judged_by_its_path_and_others_by_cost(rover_twin: Path, planar_arm: str) -> None:
    robot_name(str(rover_twin))
    on_path = made("rover_twin", goal="straight", faults=("none",))
    assert (on_path.figure, on_path.before) == (CROSS_TRACK, "cross_track_before_fault_m")
    assert (made(planar_arm).figure, made(planar_arm).before) == (COST, "cost_before_fault")
    with pytest.raises(UserError, match="the path, got 25"):  # 5 m at 0.25 m/s
        made("rover_twin", goal="straight", faults=("none",), at=25.0, duration=60.0)


def test_a_file_without_a_twin_is_refused(arm_file: Path) -> None:
    text = arm_file.read_text()
    arm_file.write_text(text[: text.index("twin:")])
    with pytest.raises(UserError, match="expected a section `twin`"):
        conditions_of(robot_name(str(arm_file)))


def test_rows_tell_what_was_run_and_finished_ones_are_not_run_again(
    planar_arm: str, untrained: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = enter_methods(planar_arm, ("mb",), (), [untrained(planar_arm, tmp_path)])
    short = made(planar_arm, at=0.2, duration=0.4)
    jobs = short.jobs(field)
    rows = twin_experiment.run(jobs[:3], tmp_path / "out", workers=1)
    assert [(r["condition"], r["seed"]) for r in rows] == [("none", 5), ("load", 5), ("none", 6)]
    assert all(r["task"] == "bend" and not r["path"] and r["lasted_s"] == 0.4 for r in rows)
    assert short.before in short.means(rows) and "cross_track_max_m" not in short.means(rows)
    ran = []
    run_job = twin_experiment.run_job
    monkeypatch.setattr(twin_experiment, "run_job", lambda job: ran.append(job) or run_job(job))
    assert twin_experiment.run(jobs, tmp_path / "out", workers=1)[:3] == rows
    assert ran == [jobs[3]]
