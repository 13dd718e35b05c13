"""`mbmrl`: one sub-command a job; --json FILE writes what it found."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tyro
from tyro.conf import Positional

from ros_mbmrl import __version__
from ros_mbmrl.errors import RunError, UserError


@dataclass(frozen=True)
class Launch:
    """Start a graph of nodes as processes: what `ros2 launch ros_mbmrl NAME.launch.py` does."""

    graph: Positional[str]
    """adapt, collect or twin."""
    arguments: Positional[tuple[str, ...]] = ()
    """name:=value, the arguments of the launch file."""
    show_args: bool = False
    """List the arguments and start nothing."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Runs until the graph ends."""
        from ros_mbmrl.commands import launch

        if self.show_args:
            launch.show_arguments(self.graph)
            return {}
        return launch.run(self.graph, self.arguments)


@dataclass(frozen=True)
class Import:
    """Turn foreign logs into a data set: units converted, doubtful rows marked, none dropped."""

    kind: Positional[str]
    """velociroach."""
    file: Positional[Path]
    """The log file (.npz)."""
    out: Positional[Path]
    """Folder to write the data set to."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Imports, and prints what was marked and why."""
        from ros_mbmrl.commands import import_logs

        return import_logs.run(self.kind, self.file, self.out)


@dataclass(frozen=True)
class Calibrate:
    """Fit the twin to the real robot's logs, and lay both side by side, terrain by terrain."""

    robot: Positional[str]
    """hexapod."""
    data: tuple[Path, ...]
    """Data sets (folders) of the real robot, with runs on every terrain."""
    out: Path = Path("runs/calibration/hexapod.yaml")
    """The calibration file to write; the one that is used is sim/hexapod.yaml."""
    start: Path | None = None
    """Calibration file to search from; the shipped one by default."""
    iterations: int = 14
    """Points that the search may try; 0 only compares the start with the robot."""
    runs: int = 30
    """Runs a terrain that are replayed in the search; the comparison replays all."""
    untouched: float = 0.2
    """Share of the sessions left alone altogether: the same as in `mbmrl train`."""
    pictures: Path | None = Path("runs/calibration")
    """Folder for the pictures."""
    seed: int = 0
    """Seed of everything random."""
    workers: int = 2
    """Processes that simulate."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Fits, writes the file, prints the comparison."""
        from ros_mbmrl.commands import calibrate

        return calibrate.run(self)


@dataclass(frozen=True)
class Train:
    """Train a dynamics model: supervised, then meta-trained where the method asks for it."""

    method: Positional[str]
    """mb, mb_de, residual, grbal, rebal, context, bayes_context, leaky_context;
    with gradient steps on top: context_de, bayes_context_de, leaky_context_de."""
    robot: Positional[str]
    """hexapod."""
    data: tuple[Path, ...]
    """Data sets (folders); or `twin` to collect on the twin, with on-policy rounds."""
    out: Path
    """Folder of the model; training resumes from the checkpoint in it."""
    terrains: tuple[str, ...] = ()
    """Terrains to train on; all of the data's if none is named."""
    held_out: float = 0.2
    """Share of the sessions that is held out for validation."""
    untouched: float = 0.0
    """Share of the sessions left alone altogether, the same for every seed: for `mbmrl score`."""
    recipe: Path | None = None
    """YAML file of training settings; a shipped one lies under config/training."""
    rounds: int = 1
    """With `--data twin`: how often on-policy data is added (Algorithm 9)."""
    tune_on: tuple[Path, ...] = ()
    """Data sets to tune test-time rules on (mb_de's steps, residual's gain, context_de's steps):
    faults that are neither trained on nor tested. Without any, the held-out sessions serve."""
    seed: int = 0
    """Seed of everything random."""
    fresh: bool = False
    """Start anew even if there is a checkpoint."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Trains and writes the model folder."""
        from ros_mbmrl.commands import train

        return train.run(self)


@dataclass(frozen=True)
class Score:
    """Open-loop prediction error on recorded data: prior and adapted, per tag, per horizon."""

    models: Positional[tuple[Path, ...]]
    """Model folders, named by method and told apart by training seed; all are judged on the
    same windows."""
    data: tuple[Path, ...]
    """Data sets (folders)."""
    horizons: tuple[int, ...] = (1, 8)
    """Steps ahead."""
    tag: str = "terrain"
    """What the rows are grouped by."""
    sessions: str = "unseen"
    """`unseen` leaves out sessions that a model was trained or chosen on; `all` does not."""
    marked: bool = False
    """Only windows that adapt on a row which the import marked: gaps, jumps, wild telemetry."""
    guard: bool = True
    """Whether the guard may refuse an update."""
    out: Path | None = None
    """Folder of a report with pictures; none is written without it."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Scores and prints the table."""
        from ros_mbmrl.commands import score

        return score.run(self)


@dataclass(frozen=True)
class Evaluate:
    """Closed-loop experiment over methods, conditions and seeds: table, plots, report."""

    experiment: Positional[str]
    """hexapod-terrains, hexapod-ood, or hexapod-validation, which settings are chosen on."""
    methods: tuple[str, ...] = ()
    """Methods to compare; the experiment's own that every folder has if none is named."""
    models: tuple[Path, ...] = ()
    """Folders of model folders named by method, one a training seed; by default the shipped one."""
    versus: tuple[str, ...] = ("mb", "mb_de")
    """Opponents that the ratios are to, those of them that take part."""
    seeds: int = 3
    """Paired episodes a condition."""
    first_seed: int = 1000
    """The first of them."""
    duration: float = 20.0
    """Length of an episode [s]."""
    out: Path = Path("runs/evaluate")
    """Folder of the report; finished episodes in it are not run again."""
    workers: int = 2
    """Processes that run episodes, one thread each."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Runs the episodes and writes the report."""
        from ros_mbmrl.commands import evaluate

        return evaluate.run(self)


@dataclass(frozen=True)
class Tune:
    """Choose a method's test-time settings in closed loop, on faults kept for that.

    Step sizes, steps, gain, window and start; the record of every candidate ships in the card.
    """

    model: Positional[Path]
    """Model folder."""
    out: Path
    """Folder of the tuned model; what an interrupted run left in it is not run again."""
    method: str | None = None
    """Method to tune on the model, as mb_de or residual on mb; its own by default."""
    data: tuple[Path, ...] = ()
    """Data sets of validation faults, to leave out options that predict badly; without any, a
    coarse grid goes straight into closed loop."""
    experiment: str = "hexapod-validation"
    """What is driven; whatever is chosen on must not be reported on."""
    seeds: int = 2
    """Paired episodes a condition and path, for the best two; the rest get one."""
    first_seed: int = 500
    """The first of them."""
    duration: float = 15.0
    """Length of an episode [s]."""
    finalists: int = 6
    """How many go from the data into closed loop, beside the settings as they are."""
    workers: int = 2
    """Processes that run episodes, one thread each."""
    like: Path | None = None
    """Choose nothing: take over what was chosen for this model, of another training seed."""
    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Searches, and writes the tuned model folder."""
        from ros_mbmrl.commands import tune

        return tune.run(self)


@dataclass(frozen=True)
class Doctor:
    """What this machine has: rclpy and middleware, MuJoCo, rendering, ports, threads, GPU."""

    json: Path | None = None
    """Write the results to this file."""

    def run(self) -> dict[str, Any]:
        """Looks, and says what to do about what is missing."""
        from ros_mbmrl import doctor

        return doctor.run()


COMMANDS: Mapping[str, type] = {
    "launch": Launch,
    "import": Import,
    "calibrate": Calibrate,
    "train": Train,
    "score": Score,
    "evaluate": Evaluate,
    "tune": Tune,
    "doctor": Doctor,
}


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exit status: 0, 2 for bad input, 1 for a failed run, 130 for Ctrl-C."""
    parsed = tyro.extras.subcommand_cli_from_dict(
        dict(COMMANDS), prog="mbmrl", description=__doc__, args=arguments
    )
    name = next(name for name, cls in COMMANDS.items() if isinstance(parsed, cls))
    try:
        results = parsed.run()
        if parsed.json is not None:
            _write(parsed.json, name, asdict(parsed), results)
    except UserError as error:
        print(f"mbmrl {name}: {error}", file=sys.stderr)
        sys.exit(2)
    except RunError as error:
        print(f"mbmrl {name}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"mbmrl {name}: interrupted", file=sys.stderr)
        sys.exit(130)


def _write(path: Path, command: str, config: dict[str, Any], results: dict[str, Any]) -> None:
    machine = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    report = {
        "command": command,
        "version": __version__,
        "config": config,
        "machine": machine,
        "results": results,
    }
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(_plain(report), indent=2, default=str))
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"--json {path}: cannot be written ({error.strerror})") from None


def _plain(value: Any) -> Any:
    """The same without numbers that JSON does not have: they become null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
