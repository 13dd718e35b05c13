"""`mbmrl`: one sub-command for each job; --json FILE writes its results.

Options may also be written as name:=value. `mbmrl --version` prints the version.
"""

from __future__ import annotations

import json
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import tyro

from ros_mbmrl import __version__
from ros_mbmrl.arguments.bench import Bench
from ros_mbmrl.arguments.bounds import Bounds
from ros_mbmrl.arguments.calibrate import Calibrate
from ros_mbmrl.arguments.check import Check
from ros_mbmrl.arguments.collect import Collect
from ros_mbmrl.arguments.data import Data
from ros_mbmrl.arguments.doctor import Doctor
from ros_mbmrl.arguments.emulate import Emulate
from ros_mbmrl.arguments.evaluate import Evaluate
from ros_mbmrl.arguments.faults import Faults
from ros_mbmrl.arguments.import_logs import Import
from ros_mbmrl.arguments.launch import Launch
from ros_mbmrl.arguments.new import New
from ros_mbmrl.arguments.param import Param
from ros_mbmrl.arguments.ranges import check_numbers
from ros_mbmrl.arguments.replay import Replay
from ros_mbmrl.arguments.score import Score
from ros_mbmrl.arguments.spelling import as_options
from ros_mbmrl.arguments.train import Train
from ros_mbmrl.arguments.tune import Tune
from ros_mbmrl.arguments.view import View
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.home import with_homes
from ros_mbmrl.runtime.streams import make_streams_last
from ros_mbmrl.share import with_shipped

COMMANDS: Mapping[str, type] = {
    "launch": Launch,
    "collect": Collect,
    "import": Import,
    "calibrate": Calibrate,
    "train": Train,
    "score": Score,
    "evaluate": Evaluate,
    "bounds": Bounds,
    "emulate": Emulate,
    "tune": Tune,
    "data": Data,
    "replay": Replay,
    "view": View,
    "param": Param,
    "bench": Bench,
    "faults": Faults,
    "new": New,
    "check": Check,
    "doctor": Doctor,
}


def main(arguments: list[str] | None = None) -> None:
    """Run a sub-command. Exit status: 0, 2 for bad input, 1 for a failed run, 130 for Ctrl-C."""
    make_streams_last()
    words = sys.argv[1:] if arguments is None else arguments
    if list(words) == ["--version"]:
        print(f"mbmrl {__version__}")
        return
    name = next(iter(words), "")
    try:
        parsed = tyro.extras.subcommand_cli_from_dict(
            dict(COMMANDS),
            prog="mbmrl",
            description=__doc__,
            args=spelled(words),
            config=(tyro.conf.DisallowNone,),
        )
        check_numbers(parsed)
        parsed = with_robot(with_shipped(with_homes(parsed)))
        _check_file(parsed.json)
        results = run(parsed)
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


def with_robot(arguments: Any) -> Any:
    """Return a command's arguments with a robot's name in place of its file, which is known then.

    Raises:
        UserError: the file does not describe a robot.
    """
    robot = getattr(arguments, "robot", None)
    if not isinstance(robot, str) or not robot.endswith((".yaml", ".yml")):
        return arguments
    from ros_mbmrl.robots import robot_name  # only here: other commands need no robot

    return replace(arguments, robot=robot_name(robot))


def spelled(words: Sequence[str]) -> list[str]:
    """Return a command line in the spelling of its command: options, or words of a launch.

    Raises:
        UserError: an argument that the command does not have, or completion for another shell.
    """
    name, rest = next(iter(words), ""), list(words[1:])
    if name.startswith("--tyro-") and rest[:1] not in (["bash"], ["zsh"]):
        raise UserError("expected bash or zsh, the shells that completion is written for")
    if name not in COMMANDS:
        return list(words)
    if COMMANDS[name] is not Launch:
        return [name, *as_options(rest, COMMANDS[name])]
    from ros_mbmrl.launch_arguments import ARGUMENTS, as_words  # robots and plants

    at = next((k for k, word in enumerate(rest) if word in ARGUMENTS), None)
    if at is None:
        return list(words)
    own = ["help", *(field.name for field in fields(Launch))]
    return [name, *rest[: at + 1], *as_words(rest[at], rest[at + 1 :], own)]


def run(arguments: Any) -> dict[str, Any]:
    """Run a command's job; its module has the name of the arguments' module and is imported now.

    Args:
        arguments: of a class of `COMMANDS`.

    Returns:
        The results, as `--json` has them.
    """
    name = type(arguments).__module__.rpartition(".")[2]
    results: dict[str, Any] = import_module(f"ros_mbmrl.commands.{name}").run(arguments)
    return results


def _check_file(path: Path | None) -> None:
    """Refuse a path that cannot be a file before the job is done, not after."""
    if path is not None and (not path.name or path.is_dir()):
        raise UserError(f"--json {path}: expected a file, got a folder")


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
    """Return the value with null for numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


if __name__ == "__main__":
    main()
