"""`mbmrl faults`: the fault campaign, its table and its picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ros_mbmrl.dynamics.card import read_card
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.faults.catalogue import BOUND, Fault, all_faults
from ros_mbmrl.faults.robot_faults import GRAPH as TOPICS
from ros_mbmrl.faults.robot_faults import Played, played_robot, robot_faults
from ros_mbmrl.faults.rows import summary
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.ros_environment import free_domain

if TYPE_CHECKING:
    from ros_mbmrl.arguments.faults import Faults

COLUMNS = (
    "graph",
    "fault",
    "expected",
    "detected_by",
    "detect_s",
    "stop_s",
    "unsafe_commands",
    "distance_m",
    "energy_mj",
    "lost_record_s",
    "recovered",
)


def run(arguments: Faults) -> dict[str, Any]:
    """Run the campaign; return the results for `--json`. Raises UserError."""
    chosen, played = _chosen(arguments)
    count = sum(map(len, chosen.values()))
    if not count:
        raise UserError(f"no fault's name holds '{arguments.only}': see --list")
    if arguments.list:
        for graph, faults in chosen.items():
            for fault in faults:
                print(f"{graph}: {fault.name} ({fault.expected})")
        return {"faults": [fault.name for faults in chosen.values() for fault in faults]}
    if find_spec("rclpy") is None:
        raise UserError("faults: no rclpy here: install the package's extra 'ros'")
    from ros_mbmrl.nodes.fault_campaign import Campaign

    arguments.out.mkdir(parents=True, exist_ok=True)
    free_domain()
    done: list[Any] = []

    def tell(made: Mapping[str, Any]) -> None:
        done.append(made)
        found = {"rows": done, "summary": summary(done)}  # kept in case the rest fails
        (arguments.out / "faults.json").write_text(json.dumps(found, indent=1))
        mark = "ok  " if made["passed"] else "FAIL"
        stop = "-" if made["stop_s"] is None else f"{made['stop_s']:.3f} s"
        print(
            f"{len(done):3d}/{count} {mark} {made['graph']}: {made['fault']}: "
            f"{made['detected_by'] or 'not detected'}; stop {stop}; recovered {made['recovered']}",
            flush=True,
        )

    campaign = Campaign(arguments.out, tell, arguments.noise, arguments.seed, played)
    rows = campaign.run(chosen)
    results: dict[str, Any] = {"rows": rows, "summary": summary(rows)}
    (arguments.out / "faults.md").write_text(markdown(rows))
    draw(arguments.out / "faults.png", rows)
    show(results["summary"])
    return results


def _chosen(arguments: Faults) -> tuple[dict[str, list[Fault]], Played | None]:
    """Return the faults by graph, and the robot that is played. Raises UserError."""
    choose("plant", arguments.plant, ("twin", TOPICS))
    played, known, graphs = None, all_faults(make_robot("hexapod").spec), arguments.graphs
    if arguments.plant == TOPICS:
        from ros_mbmrl.commands.check import checked_robot
        from ros_mbmrl.faults.kinematics import Kinematics

        name = robot_name(arguments.robot)
        if name not in described():
            raise UserError(f"plant topics: expected the file of a robot, got '{arguments.robot}'")
        robot = checked_robot(described()[name].file)
        played = _played(arguments, robot.description)
        timeout = arguments.robot_timeout
        Kinematics(robot.description, timeout, np.random.default_rng(0))  # refuses what it cannot
        known = {TOPICS: robot_faults(robot.description, played.proposer)}
        graphs = (TOPICS,) if graphs == type(arguments).graphs else graphs
    else:
        if arguments.robot != "hexapod":
            raise UserError(f"{arguments.robot}: expected --plant topics with it, or hexapod")
        if arguments.model is not None:
            raise UserError("model: expected --plant topics with it")
    for graph in graphs:
        choose("graph", graph, known)
    return {g: [f for f in known[g] if arguments.only in f.name] for g in graphs}, played


def _played(arguments: Faults, description: Description) -> Played:
    """Return how the robot of a file is driven. Raises UserError."""
    timeout = arguments.robot_timeout or math.inf
    if arguments.model is None:
        return played_robot(description, "", "", timeout)
    card = read_card(arguments.model)
    return played_robot(description, str(arguments.model), str(card.get("method")), timeout)


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table as Markdown."""
    lines = [f"| {' | '.join(name.replace('_', ' ') for name in COLUMNS)} |"]
    lines.append("|---" * len(COLUMNS) + "|")
    for each in rows:
        lines.append(f"| {' | '.join(_text(each[name]) for name in COLUMNS)} |")
    return "\n".join(lines) + "\n"


def draw(png: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw detection and stop of every fault on one time axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 2 + 0.17 * len(rows)))
    for k, each in enumerate(rows):
        if each["detect_s"] is not None:
            axis.plot(max(each["detect_s"], 1e-3), k, "C0o", markersize=3.5)
        if each["stop_s"] is not None:
            late = "C1" if each["passed"] else "C3"  # late, as expected for this fault
            colour = "C2" if each["stop_s"] <= each["bound_s"] else late
            axis.barh(k, max(each["stop_s"], 1e-3), color=colour, height=0.55, alpha=0.6)
        if not each["passed"]:
            axis.text(1e-3, k, " x", color="C3", va="center", fontsize=7)
    axis.axvline(BOUND, color="k", linewidth=0.8, linestyle="--")
    axis.set_yticks(range(len(rows)), [f"{r['graph']}: {r['fault']}" for r in rows], fontsize=6)
    axis.set_ylim(len(rows), -1)
    axis.set_xscale("log")
    axis.set_xlim(1e-3, 20)
    axis.set_xlabel("seconds after the fault: bar, at rest; dot, noticed; dashed, the bound")
    figure.tight_layout()
    figure.savefig(png, dpi=110)
    plt.close(figure)


def show(facts: Mapping[str, Any]) -> None:
    """Print the summary in the terminal."""
    table = Table("", "", title="faults")
    for name, value in facts.items():
        text = "; ".join(value) if isinstance(value, list) else _text(value)
        table.add_row(name.replace("_", " "), escape(text))
    Console().print(table)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
