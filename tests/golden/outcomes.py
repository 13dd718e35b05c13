"""What the commands give at fixed seeds, as numbers: a change of structure must not change them.

`python tests/golden/outcomes.py` compares with `outcomes.json` beside this file, `--record` writes
it anew (only for a change of behaviour that the commit explains). Names after the options choose.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ros_mbmrl import cli
from ros_mbmrl.data.step_reader import read_run

FILE = Path(__file__).with_name("outcomes.json")
REPOSITORY = Path(__file__).parents[2]
MODELS = REPOSITORY / "models" / "hexapod"
SHIPPED = ("mb", "mb_de", "grbal", "rebal")
FAMILIES = (*SHIPPED, "residual", "last_layer", "context_de", "bayes_context", "leaky_context")
TIMES = re.compile(r"(^|_)(ms|seconds|rate|speed)(_|$)|period|wall|missed")
RECIPE = """
hidden: [12, 12]
activation: tanh
adapt_windows: [6, 8]
predict_window: 5
supervised_steps: 10
meta_steps: 6
batch: 8
validate_every: 5
horizon: 3
"""
# A training on the twin at a size that a test can wait for.
SMALL_TWIN = """
hidden: [16]
activation: silu
adapt_windows: [4, 8]
predict_window: 4
supervised_steps: 20
meta_steps: 10
batch: 8
validate_every: 10
horizon: 3
"""

Outcome = Any  # lists and mappings of numbers


def numbers(value: Any) -> Outcome:
    """What of a report can be compared: its numbers, without those that time decides."""
    if isinstance(value, Mapping):
        kept = {k: numbers(v) for k, v in value.items() if not TIMES.search(str(k))}
        return {k: v for k, v in kept.items() if v is not None}
    if isinstance(value, (list, tuple)):
        return [numbers(each) for each in value]
    return value if isinstance(value, (int, float)) else None


def command(folder: Path, *words: Any) -> Outcome:
    """Runs a command and returns the numbers of its results."""
    report = folder / "report.json"
    cli.main([str(word) for word in (*words, "--json", report)])
    return numbers(json.loads(report.read_text())["results"])


def recording_in(folder: Path) -> Path:
    """A recording of 20 s of the hexapod's twin, made once a folder."""
    found = sorted((folder / "recordings").glob("*.mcap"))
    if not found:
        words = ("--duration", 20, "--episode-seconds", 4, "--seed", 7, "--terrain", "turf")
        command(folder, "collect", "hexapod", "--out", folder / "recordings", *words)
        found = sorted((folder / "recordings").glob("*.mcap"))
    return found[0]


def study(folder: Path) -> Outcome:
    """A study of every method, from training to judging, at the scale `smoke`."""
    words = ("--scale", "smoke", "--workers", 1, "--out", folder / "study")
    return command(folder, "evaluate", "cheetah-disabled", *words)


def study_of_goals(folder: Path) -> Outcome:
    """The same where robots have goals, and forces vary."""
    words = ("--scale", "smoke", "--workers", 1, "--out", folder / "goals")
    methods = ("--methods", "mb", "grbal", "true_model", "trpo", "maml_rl", "random")
    return command(folder, "evaluate", "arm-force", *words, *methods)


def quiet(folder: Path) -> Outcome:
    """Four shipped models in closed loop."""
    words = ("--seeds", 1, "--duration", 2, "--workers", 1, "--out", folder / "quiet")
    return command(folder, "evaluate", "hexapod-ood-quiet", "--methods", *SHIPPED, *words)


def score(folder: Path) -> Outcome:
    """The same open loop."""
    models = [MODELS / name for name in SHIPPED]
    return command(folder, "score", *models, "--data", recording_in(folder))


def replay(folder: Path) -> Outcome:
    """What two models would have commanded."""
    words = ("replay", recording_in(folder), "--task", "left", "--model")
    return {name: command(folder, *words, MODELS / name) for name in ("grbal", "rebal")}


def train(folder: Path) -> Outcome:
    """A few steps of every family."""
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    words = ("hexapod", "--recipe", recipe, "--data", recording_in(folder), "--out")
    return {
        method: {
            **command(folder, "train", method, *words, folder / "models" / method),
            "weights": digest(folder / "models" / method / "model.safetensors"),
        }
        for method in FAMILIES
    }


def lockstep(folder: Path) -> Outcome:
    """Three seconds of the graph: what was measured, proposed and sent."""
    recording = folder / "graph.mcap"
    cli.main(
        ["launch", "adapt", "robot:=hexapod", "path:=figure8", "method:=grbal"]
        + ["lockstep:=true", "duration:=3", f"recording:={recording}"]
    )
    steps = read_run(recording).steps
    return {
        "measured": [[float(x) for x in step.measurement] for step in steps],
        "sent": [[float(x) for x in step.command] for step in steps],
    }


def train_on_twins(folder: Path) -> Outcome:
    """Algorithm 9 as `mbmrl train` runs it: one robot at a time, and many at once."""
    recipe = folder / "twin.yaml"
    recipe.write_text(SMALL_TWIN)
    return {
        robot: command(
            folder, "train", "grbal", robot, "--data", "twin", "--recipe", recipe, "--out",
            folder / robot,
        )
        for robot in ("hexapod", "half_cheetah")
    }  # fmt: skip


OUTCOMES: Mapping[str, Callable[[Path], Outcome]] = {
    each.__name__: each for each in (study, study_of_goals, quiet, score, replay, train, lockstep)
}
LONG: Mapping[str, Callable[[Path], Outcome]] = {"train_on_twins": train_on_twins}
# Far from the chaos of closed loops: these agree on every processor, but for rounding.
OPEN_LOOP = ("score",)


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def arithmetic() -> str:
    """How this machine rounds: where it is the same, outcomes are the same bit for bit."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    total = hashlib.sha256(f"{torch.__version__} {np.__version__}".encode())
    for rows, inner in ((1, 24), (64, 128), (500, 24), (2000, 512)):
        x = torch.randn(rows, inner, generator=generator)
        y = torch.nn.functional.silu(x @ torch.randn(inner, 128, generator=generator))
        total.update(torch.tanh(y).numpy().tobytes())
        total.update(np.sin(y.numpy().astype(float)).tobytes())
    return total.hexdigest()[:16]


def difference(known: Outcome, found: Outcome, tolerance: float = 0.0, where: str = "") -> str:
    """Where two outcomes differ first, and how; empty if nowhere."""
    if isinstance(known, Mapping) and isinstance(found, Mapping):
        if known.keys() != found.keys():
            return f"{where}: {sorted(known.keys() ^ found.keys())}"
        pairs = [(f"{where}.{key}", known[key], found[key]) for key in known]
    elif isinstance(known, list) and isinstance(found, list):
        if len(known) != len(found):
            return f"{where}: {len(known)} and now {len(found)}"
        pairs = [(f"{where}[{k}]", *pair) for k, pair in enumerate(zip(known, found, strict=True))]
    else:
        same = known == found
        if not same and tolerance and isinstance(known, float) and isinstance(found, float):
            same = abs(known - found) <= tolerance * max(1.0, abs(known))
        return "" if same else f"{where}: {known!r} and now {found!r}"
    said = (difference(a, b, tolerance, name) for name, a, b in pairs)
    return next((each for each in said if each), "")


def main(words: list[str]) -> int:
    """Records or compares."""
    recording = "--record" in words
    wanted = [word for word in words if not word.startswith("--")] or [*OUTCOMES, *LONG]
    known = json.loads(FILE.read_text()) if FILE.exists() else {"outcomes": {}}
    if known.get("arithmetic") != arithmetic():
        if not recording:
            print("recorded on a machine that rounds otherwise: expected one that rounds alike")
            return 2
        known = {"arithmetic": arithmetic(), "outcomes": {}}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            found = json.loads(json.dumps({**OUTCOMES, **LONG}[name](Path(folder))))
            if recording:
                known["outcomes"][name] = found
                FILE.write_text(json.dumps(known, separators=(",", ":")) + "\n")
                continue
            said = difference(known["outcomes"][name], found)
            print(f"\nGOLDEN {name}: {said or 'the same'}")
            failed += bool(said)
    return int(failed > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
