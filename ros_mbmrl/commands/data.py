"""`mbmrl data`: content of recordings and data sets, and their problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import track

from ros_mbmrl.data import dataset
from ros_mbmrl.data.bag_report import BagReport, report
from ros_mbmrl.data.check import Check, check_dataset, check_run, check_together
from ros_mbmrl.data.dataset import DataSet
from ros_mbmrl.data.files import data_in, is_dataset
from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.lerobot_export import export
from ros_mbmrl.data.numeric_fields import read_series
from ros_mbmrl.data.recording import RecordingInfo
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run, robot_of
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation.html import Table, write_page
from ros_mbmrl.evaluation.tables import printed, wide_console
from ros_mbmrl.robots import make_robot

if TYPE_CHECKING:
    from ros_mbmrl.arguments.data import Data

MB = 1e6


def run(arguments: Data) -> dict[str, Any]:
    """Report on each path. Raises UserError, after all the others, for one that is unusable."""
    if arguments.what == "export":
        return _export(arguments)
    if not arguments.paths:
        raise UserError("expected at least one recording, folder of recordings or data set")
    files = list(dict.fromkeys(f for path in arguments.paths for f in data_in(path)))
    console = wide_console()
    results = _WHAT[arguments.what](files, arguments, console)
    if results["unusable"]:
        path, reason = next(iter(results["unusable"].items()))
        raise UserError(reason if reason.startswith(path) else f"{path}: {reason}")
    return results


def _each(
    files: Sequence[Path], look: Callable[[Path], dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the rows of `look` for each file, and the errors of the files without one."""
    rows, unusable = [], {}
    for file in files:
        try:
            rows.append({"path": str(file), **look(file)})
        except UserError as error:
            unusable[str(file)] = str(error)
    return rows, unusable


def _list(files: Sequence[Path], arguments: Data, console: Console) -> dict[str, Any]:
    def look(path: Path) -> dict[str, Any]:
        if is_dataset(path):
            return _of_rollouts(dataset.read_dataset(path))
        return _of_run(read_run(path, arguments.robot))

    rows, unusable = _each(files, look)
    columns = ("path", "robot", "seconds", "steps", "size [MB]", "complete", "tags")
    cells = [
        (
            row["path"],
            row["robot"],
            f"{row['seconds']:.1f}",
            str(row["steps"]),
            f"{row['bytes'] / MB:.2f}",
            "yes" if row["complete"] else "no",
            ", ".join(row["tags"]),
        )
        for row in rows
    ]
    if rows:
        console.print(printed(Table(columns, cells)))
    return {"rows": rows, "unusable": unusable}


def _of_run(run: Run) -> dict[str, Any]:
    episodes = [each for each in run.episodes or () if not each.discarded]
    tags = {f"{key} {value}" for each in episodes for key, value in each.tags.items()}
    counted = [] if run.episodes is None else [f"{len(episodes)} episodes"]
    return {
        "robot": run.robot,
        "seconds": run.info.seconds,
        "steps": len(run.steps),
        "bytes": run.info.bytes,
        "complete": run.info.complete,
        "tags": [*counted, *sorted(tags)],
    }


def _of_rollouts(data: DataSet) -> dict[str, Any]:
    terrains = sorted({r.tags["terrain"] for r in data.rollouts if "terrain" in r.tags})
    return {
        "robot": data.robot,
        "seconds": data.seconds,
        "steps": sum(len(r) for r in data.rollouts),
        "bytes": sum(file.stat().st_size for file in data.path.iterdir() if file.is_file()),
        "complete": True,
        "tags": [
            f"{len(data.rollouts)} rollouts",
            *(f"terrain {name}" for name in sorted(terrains)),
        ],
    }


def _info(files: Sequence[Path], arguments: Data, console: Console) -> dict[str, Any]:
    def look(path: Path) -> dict[str, Any]:
        if is_dataset(path):
            data = dataset.read_dataset(path)
            tags = [dict(rollout.tags) for rollout in data.rollouts]
            return {**_of_rollouts(data), "rollouts": tags}
        found = report(path)
        info = found.info
        return {
            "robot": _robot(path, info, arguments.robot),
            "seconds": info.seconds,
            "bytes": info.bytes,
            "complete": info.complete,
            "topics": _topics(found),
            "notes": list(found.notes),
        }

    rows, unusable = _each(files, look)
    for row in rows:
        state = "complete" if row["complete"] else "not closed by its recorder"
        size = f"{row['bytes'] / MB:.2f} MB"
        whose = row["robot"] or "no topic of a known robot"
        head = f"{row['path']}: {whose}, {row['seconds']:.1f} s, {size}, {state}"
        console.print(head, soft_wrap=True, highlight=False, markup=False)
        console.print(printed(_contents(row)))
        for note in row.get("notes", ()):
            console.print(f"  {note}", soft_wrap=True, highlight=False, markup=False)
    return {"rows": rows, "unusable": unusable}


def _robot(path: Path, info: RecordingInfo, told: str | None) -> str:
    """Return a recording's robot; empty for a bag of another one."""
    try:
        return told or robot_of(path, info)
    except UserError:
        return ""


def _topics(found: BagReport) -> dict[str, Any]:
    return {
        name: {
            "type_name": topic.type_name,
            "encoding": topic.encoding or "cdr",
            "messages": topic.messages,
            "rate_hz": topic.rate,
            **asdict(found.timings[name]),
        }
        for name, topic in found.info.topics.items()
    }


def _contents(row: Mapping[str, Any]) -> Table:
    if "topics" in row:
        cells = [
            (
                name,
                each["type_name"] or each["encoding"],
                str(each["messages"]),
                f"{each['rate_hz']:.2f}",
                str(each["gaps"] or ""),
                f"{each['behind']:+.3f} s" if each["stamped"] else "",
            )
            for name, each in row["topics"].items()
        ]
        return Table(("topic", "type", "messages", "a second", "gaps", "received after"), cells)
    names = list(dict.fromkeys(key for tags in row["rollouts"] for key in tags))
    counts: dict[tuple[str, ...], int] = {}
    for tags in row["rollouts"]:
        which = tuple(tags.get(name, "") for name in names)
        counts[which] = counts.get(which, 0) + 1
    return Table((*names, "rollouts"), [(*tags, str(n)) for tags, n in counts.items()])


def _check(files: Sequence[Path], arguments: Data, console: Console) -> dict[str, Any]:
    checks: list[Check] = []

    def look(path: Path) -> dict[str, Any]:
        if is_dataset(path):
            check = check_dataset(path)
        else:
            check = check_run(read_run(path, arguments.robot))
        checks.append(check)
        return {**asdict(check), "path": str(path), "verdict": check.verdict}

    rows, unusable = _each(files, look)
    for check in checks:
        _tell(check, console)
        if check.unusable:
            unusable[str(check.path)] = check.unusable
    together = check_together(checks)
    for problem in together:
        console.print(problem.detail, soft_wrap=True, highlight=False, markup=False)
    return {"rows": rows, "together": [asdict(p) for p in together], "unusable": unusable}


def _tell(check: Check, console: Console) -> None:
    """Print the verdict in a line, and a line for each problem."""
    count = len(check.problems)
    findings = f", {count} finding{'s' * (count != 1)}" if count else ""
    lines = [
        f"{check.path}: {check.verdict}{findings}: {check.robot}, {check.seconds:.1f} s at "
        f"{check.rate:.3g} Hz, {check.transitions} transitions in {check.rollouts} rollouts, "
        f"{check.marked} marked"
    ]
    lines += [f"  {problem.kind}: {problem.detail}" for problem in check.problems]
    lines += [f"  note: {note}" for note in check.notes]
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _plot(files: Sequence[Path], arguments: Data, console: Console) -> dict[str, Any]:
    if arguments.topics:
        return _plot_topics(files, arguments, console)
    from ros_mbmrl.evaluation.recording_plots import draw

    rollouts: list[Rollout] = []
    for path in files:
        if is_dataset(path):
            rollouts += dataset.load([path])
        else:
            rollouts += rollouts_of(read_run(path, arguments.robot))
    robots = sorted({rollout.robot for rollout in rollouts})
    if len(robots) != 1:
        raise UserError(f"expected data of one robot, got {', '.join(robots)}")
    steps = sum(len(rollout) for rollout in rollouts)
    page = arguments.out / "data.html"
    try:
        pictures = draw(make_robot(robots[0]), rollouts, arguments.out)
        about = f"{robots[0]}, {len(rollouts)} rollouts, {steps} transitions"
        write_page(page, "What the recordings cover", [(about, pictures)])
    except OSError as error:
        raise UserError(f"{arguments.out}: cannot be written ({error.strerror})") from None
    console.print(f"page: {page}", soft_wrap=True, highlight=False)
    names = [str(picture.file) for picture in pictures]
    return {"page": str(page), "pictures": names, "transitions": steps, "unusable": {}}


def _plot_topics(files: Sequence[Path], arguments: Data, console: Console) -> dict[str, Any]:
    """Draw the numbers of topics of one bag, whoever's it is."""
    from ros_mbmrl.evaluation.bag_plots import draw_topics

    if len(files) != 1:
        raise UserError(f"expected one bag to draw topics of, got {len(files)}")
    series = read_series(files[0], arguments.topics)
    page = arguments.out / "data.html"
    try:
        pictures = draw_topics(series, arguments.out)
        write_page(page, f"Topics of {files[0].name}", [("Numbers over receive time", pictures)])
    except OSError as error:
        raise UserError(f"{arguments.out}: cannot be written ({error.strerror})") from None
    console.print(f"page: {page}", soft_wrap=True, highlight=False)
    drawn = {name: list(each.columns) for name, each in series.items()}
    names = [str(picture.file) for picture in pictures]
    return {"page": str(page), "pictures": names, "numbers": drawn, "unusable": {}}


def _export(arguments: Data) -> dict[str, Any]:
    """Write recordings in the format that the first path names."""
    form, paths = str(arguments.paths[0]) if arguments.paths else "", arguments.paths[1:]
    choose("format to export", form, EXPORTS)
    files = [file for path in paths for file in data_in(path)]
    sets = [str(file) for file in files if is_dataset(file)]
    if sets or not files:
        raise UserError(f"{sets[0] if sets else form}: expected recordings to export")
    runs = (read_run(file, arguments.robot) for file in track(files, "recordings"))
    counts = EXPORTS[form](runs, arguments.out)
    told = f"{arguments.out}: {counts['episodes']} episodes, {counts['frames']} frames"
    Console().print(told, soft_wrap=True, highlight=False, markup=False)
    return {"out": str(arguments.out), **counts}


EXPORTS: Mapping[str, Callable[[Iterable[Run], Path], dict[str, int]]] = {"lerobot": export}


_WHAT: Mapping[str, Callable[[Sequence[Path], Data, Console], dict[str, Any]]] = {
    "ls": _list,
    "info": _info,
    "check": _check,
    "plot": _plot,
}
