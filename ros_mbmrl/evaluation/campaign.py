"""Runner of an experiment's episodes in worker processes; finished ones are not run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ros_mbmrl import __version__
from ros_mbmrl.dynamics.card import CARD, WEIGHTS
from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.hexapod import Episode, pin_threads, run_episode, settings
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.experiments import Cell
from ros_mbmrl.planning import PLANNERS
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.workers import outcomes
from ros_mbmrl.simulation.calibration import make_terrain

ROWS = "rows.jsonl"
Row = dict[str, Any]


@dataclass(frozen=True)
class Entrant:
    """A model folder that takes part under a name.

    Args:
        method: name under which it takes part.
        folder: of the model.
        robot: its name.
        digest: SHA-256 of its card and weights.
        train_seed: from the card, or None.
    """

    method: str
    folder: Path
    robot: str
    digest: str
    train_seed: int | None


@dataclass(frozen=True)
class Job:
    """One episode of one entrant.

    Args:
        entrant: who takes part.
        cell: the episode.
        controller: name of the planner; empty: the robot's own.
    """

    entrant: Entrant
    cell: Cell
    controller: str = ""

    @property
    def key(self) -> str:
        """Return a hash of everything that decides the outcome.

        The code's version, the model, the scenario with the content of its names, the defaults of
        cost, planner, guard and safety, and the twin's calibration.
        """
        scenario = self.cell.scenario
        named = asdict(scenario.fault.effect), asdict(make_terrain(scenario.terrain))
        facts = [__version__, self.entrant.digest, asdict(self.cell), named, settings()]
        if self.controller:
            facts += [self.controller, str(PLANNERS.entry(self.controller))]
        text = json.dumps(facts, sort_keys=True, default=sorted)  # sets have no order
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def enter(method: str, folder: Path, robot: str) -> Entrant:
    """Enter a model folder, checked against the robot. Raises UserError."""
    seed = load_model(folder, make_robot(robot)).card.get("seed")
    if not (seed is None or isinstance(seed, int)):
        raise UserError(f"{folder}: seed {seed!r} in the card: expected a whole number")
    digest = hashlib.sha256()
    for name in (CARD, WEIGHTS):
        digest.update((folder / name).read_bytes())
    return Entrant(method, folder, robot, digest.hexdigest(), seed)


def run(jobs: Sequence[Job], out: Path, workers: int = 2, cluster: str = "") -> list[Row]:
    """Return the rows of all jobs, in their order; each is in `out/rows.jsonl` once it is known.

    workers, cluster: see `workers.outcomes`. Raises RunError if a process dies.
    """
    known = finish(jobs, run_job, out, workers, cluster)
    # The method's name is this run's, whatever it was when the episode was run.
    return [{**known[job.key], "method": job.entrant.method} for job in jobs]


class Keyed(Protocol):
    """A job for a process, identified by a hash of everything that decides its outcome."""

    @property
    def key(self) -> str:
        """Return the hash."""


K = TypeVar("K", bound=Keyed)


def finish(
    jobs: Sequence[K],
    work: Callable[[K], tuple[str, Row]],
    out: Path,
    workers: int,
    cluster: str = "",
    called: str = "episodes",
) -> dict[str, Row]:
    """Return the rows of all jobs by key, and of others in `out/rows.jsonl`. See `run`.

    Args:
        jobs: to run.
        work: returns a job's key and row; a function at the top of a module.
        out: folder of the rows.
        workers, cluster: see `workers.outcomes`.
        called: name of the jobs in the progress bar.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        known = read(out / ROWS)
    except OSError as error:
        raise UserError(f"out: {error}") from None
    missing = [job for job in jobs if job.key not in known]
    done = len(jobs) - len(missing)
    with _progress(called, len(jobs), done) as advance, _appending(out / ROWS) as file:
        for _, (key, row) in outcomes(work, missing, workers, cluster, pin_threads):
            file.write(json.dumps({"key": key, **row}) + "\n")
            file.flush()
            known[key] = row
            advance()
    return known


def read(path: Path) -> dict[str, Row]:
    """Read the finished rows by key; an incomplete line of a killed run is skipped."""
    rows: dict[str, Row] = {}
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
            rows[row.pop("key")] = row
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
            continue
    return rows


def run_job(job: Job) -> tuple[str, Row]:
    """Run one episode; return its key and its row."""
    robot = make_robot(job.entrant.robot)
    scenario, loaded = job.cell.scenario, load_model(job.entrant.folder, robot)
    episode = run_episode(robot, loaded, scenario, controller=job.controller)
    row = {
        "method": job.entrant.method,
        "train_seed": job.entrant.train_seed,
        "condition": job.cell.condition,
        "path": scenario.path,
        "seed": scenario.seed,
        "counted_from_s": job.cell.after,
        **episode.summary(job.cell.after),
        "progress_m": episode.progress,
        "trace": _trace(episode),
    }
    return job.key, row


def _trace(episode: Episode) -> dict[str, list[float]]:
    """Return the rounded data for plots: position and errors over time."""
    reports = [step.adapted.report for step in episode.steps]
    columns: dict[str, Iterable[float]] = {
        "time": episode.times,
        "x": episode.poses[:, 0],
        "y": episode.poses[:, 1],
        "cross_track": episode.cross_track,
        "error_prior": [report.error_before for report in reports],
        "error_adapted": [report.error_after for report in reports],
    }
    return {name: [round(float(v), 4) for v in values] for name, values in columns.items()}


@contextmanager
def _appending(path: Path) -> Iterator[Any]:
    """Open the file to append whole lines, even after an incomplete last one."""
    torn = path.exists() and path.stat().st_size > 0 and path.read_bytes()[-1:] != b"\n"
    with path.open("a") as file:
        file.write("\n" if torn else "")
        yield file


@contextmanager
def _progress(called: str, total: int, completed: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task(called, total=total, completed=completed)
        yield lambda: bar.advance(task)
