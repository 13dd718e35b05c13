"""Film of the runs of a graph side by side, drawn from their recordings, not while they run.

The robot is put into every n-th recorded state. Path and way lie on the floor; from the fault on,
what is broken is red, or grey and transparent if it is lost, and the picture has a red frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

import numpy as np

from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.errors import RunError
from ros_mbmrl.evaluation.film_frame import Panel, side_by_side
from ros_mbmrl.evaluation.recorded_run import RecordedRun
from ros_mbmrl.evaluation.sentence import happened
from ros_mbmrl.plants.simulated import parse_terrain
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.floor import Line, draw_lines, mark
from ros_mbmrl.simulation.gif import write_gif
from ros_mbmrl.simulation.parts import colour_broken
from ros_mbmrl.simulation.posture import Posture, make_posture
from ros_mbmrl.simulation.render import Draw, Picture, drawing
from ros_mbmrl.simulation.situations import POSSIBLE, Situation

WIDTH, HEIGHT = 320, 220  # of a robot's picture [pixels]
PANELS = 3  # runs, at most, that are shown
PICTURES = 150  # at most: each costs some 0.03 s a run
COLOURS = 64
BEFORE = 5.0  # of the run, shown before the fault [s]
FAST = 2.0  # how much faster the film is than the run
NEAR = 0.6  # how far from the robot path and way are drawn [m]
STEP = 3  # every so many points of the path, which are 1 cm apart
AWAY = 4.5  # the eye, in radii of the robot
PATH, WAY, AFTER = (0.9, 0.9, 0.9, 1.0), (0.3, 0.5, 0.9, 1.0), (0.9, 0.3, 0.2, 1.0)


@dataclass(frozen=True)
class Scene:
    """A run as it is to be drawn.

    Args:
        title: over its pictures.
        times: of the states, from the first command that moves the robot on (T,) [s].
        states: (T, ds).
        way: where the robot was (T, 2) [m]; (0, 2) of one that stays in place.
        path: that it followed (n, 2) [m]; (0, 2) without one.
        run: how far from the path the robot was.
    """

    title: str
    times: Array
    states: Array
    way: Array
    path: Array
    run: RecordedRun

    def at(self, now: float) -> int:
        """Return which state it is in `now` [s]; the last one when the run is over."""
        return max(int(np.searchsorted(self.times, now + 1e-6)) - 1, 0)

    def text(self, now: float) -> str:
        """Return how far from the path the robot is, if it follows one."""
        far = self.run.cross_track
        if not len(far):
            return ""
        k = min(int(np.searchsorted(self.run.times, now + 1e-6)), len(far)) - 1
        return f"{100 * abs(far[max(k, 0)]):.1f} cm from the path"


@dataclass(frozen=True)
class Breaking:
    """A fault: its name, empty for none, and when it begins [s]."""

    name: str
    begin: float

    @staticmethod
    def parse(fault: str) -> Breaking:
        """Return the fault that NAME@SECONDS describes; empty: none."""
        name, _, second = fault.partition("@")
        return Breaking(name, float(second) if second else float("inf"))


def film_runs(
    folder: FilePath, runs: Mapping[str, RecordedRun], scenario: Mapping[str, str]
) -> FilePath:
    """Draw the runs whose recordings are in a folder, and return the film, a GIF in there.

    Args:
        folder: of the recordings.
        runs: by the recordings' names; the first PANELS are drawn.
        scenario: the runs' robot, terrain and fault (NAME@SECONDS, or empty).

    Raises:
        RunError: no picture can be drawn on this machine.
        UserError: the robot has no MuJoCo model, or a recording is not as expected.
    """
    path = folder / "adapt.gif"
    path.unlink(missing_ok=True)  # of other runs
    robot, fault = scenario.get("robot", ""), Breaking.parse(scenario.get("fault", ""))
    scenes = [
        _scene(folder / f"{name}.mcap", robot, run) for name, run in list(runs.items())[:PANELS]
    ]
    posture = make_posture(robot, _situation(robot, scenario.get("terrain", "")))
    moments, seconds = moments_of(scenes, fault, make_robot(robot).spec.period)
    with drawing(posture.model, WIDTH, HEIGHT, shadows=False) as draw:
        film = _Film(draw, posture, fault)
        pictures = [film.picture(scenes, float(now)) for now in moments]
    write_gif(path, pictures, seconds, COLOURS)
    return path


class _Film:
    """Pictures of one robot, whose model is changed while it is broken."""

    def __init__(self, draw: Draw, posture: Posture, fault: Breaking) -> None:
        self._draw, self._posture, self._fault = draw, posture, fault
        self._well = posture.model.geom_rgba.copy()
        self._eyes: dict[int, tuple[mujoco.MjvCamera, Array]] = {}

    def picture(self, scenes: Sequence[Scene], now: float) -> Picture:
        """Return the picture of all runs at `now` [s]."""
        broken = now >= self._fault.begin
        panels = []
        for number, scene in enumerate(scenes):
            k = scene.at(now)
            seen, way = self._robot(number, scene, k, broken), scene.way[: k + 1]
            split = scene.at(self._fault.begin)
            panels.append(Panel(seen, scene.title, scene.text(now), scene.path, way, split))
        said = happened(self._fault.name) if broken else ""
        return side_by_side(panels, now, said)

    def _robot(self, number: int, scene: Scene, k: int, broken: bool) -> Picture:
        model = self._posture.model
        model.geom_rgba[:] = self._well
        lost = colour_broken(model, self._fault.name) if broken else []
        data = self._posture.put(scene.states[k].astype(float))
        if number not in self._eyes:
            eye = _eye(model, data, bool(len(scene.path)))
            self._eyes[number] = eye, eye.lookat[:2] - data.xpos[1, :2]
        eye, beside = self._eyes[number]
        eye.lookat[:2] = data.xpos[1, :2] + beside  # at one height: it shall not bob up and down
        lines = [Line(scene.path, PATH, 0.002)]
        if len(scene.way):
            split = scene.at(self._fault.begin)
            lines.append(Line(scene.way[: min(k, split) + 1], WAY, 0.004))
            lines.append(Line(scene.way[split : k + 1], AFTER, 0.004))

        def add(shapes: mujoco.MjvScene) -> None:
            draw_lines(shapes, lines, data.xpos[1, :2], NEAR)
            mark(shapes, data.geom_xpos[lost])

        return self._draw(data, eye, add)


def _eye(model: mujoco.MjModel, data: mujoco.MjData, from_above: bool) -> mujoco.MjvCamera:
    """Return a camera so far away that it sees all of the robot."""
    own = np.flatnonzero(model.geom_bodyid > 0)
    places = data.geom_xpos[own]
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    reach = np.linalg.norm(places - middle, axis=1) + model.geom_rbound[own]
    eye = mujoco.MjvCamera()
    eye.type = mujoco.mjtCamera.mjCAMERA_FREE
    eye.lookat[:], eye.distance = middle, AWAY * float(reach.max())
    eye.elevation, eye.azimuth = (-40.0 if from_above else -15.0), 90.0
    return eye


def _scene(recording: FilePath, robot_name: str, run: RecordedRun) -> Scene:
    recorded, robot = read_run(recording, robot_name or None), make_robot(robot_name)
    rollouts = rollouts_of(recorded)
    states = np.concatenate([rollout.states for rollout in rollouts])
    times = np.concatenate([rollout.times for rollout in rollouts]) - recorded.begin
    finite = np.isfinite(states).all(axis=1)
    if not finite.any():
        raise RunError(f"{recording}: no state to draw")
    states, times = states[finite], times[finite]
    poses = [robot.pose(state.astype(float)) for state in states]
    way = np.array([pose[:2] for pose in poses if pose is not None]).reshape(-1, 2)
    path = run.reference
    if len(path) > 1:
        path = Path.from_points(path).points[::STEP]
    title = f"with {recording.stem}" if run.adapts else "without adaptation"
    return Scene(title, times, states, way, path, run)


def moments_of(scenes: Sequence[Scene], fault: Breaking, period: float) -> tuple[Array, float]:
    """Return when the pictures are (n,) [s], and how long each is shown [s]."""
    end = max(float(scene.times[-1]) for scene in scenes)
    begin = max(fault.begin - BEFORE, 0.0) if fault.begin < end else 0.0
    every = period * max(1, int(np.ceil((end - begin) / period / PICTURES)))
    return np.arange(begin, end + 1e-6, every), every / FAST


def _situation(robot: str, terrain: str) -> Situation | None:
    if robot not in POSSIBLE or not terrain:
        return None
    return Situation(parse_terrain(terrain, POSSIBLE[robot].terrains))
