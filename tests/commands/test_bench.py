"""`mbmrl bench`: every bench runs small, what works does not grow, and --json has its keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from ros_mbmrl import cli
from ros_mbmrl.arguments.bench import Bench
from ros_mbmrl.bench import BENCHES
from ros_mbmrl.bench.timing import Figure, Findings, Times
from ros_mbmrl.commands.bench import measured

KEYS = {
    "plan": ("float32_over_gemm", "bfloat16_over_float32", "over_pytorch_mppi", "ms"),
    "adapt": ("over_forward_backward",),
    "loop": ("step_over_plan", "less_plan_over_plan", "rest_over_plan", "rest_ms"),
    "train": ("over_vmap_grad", "gemm_fraction"),
    "twin": ("over_mj_step", "threads", "processes"),
    "graph": (
        *("latency_ms_p50", "latency_ms_p99", "period_mean", "period_p99", "missed"),
        *("composed_beyond_ms_p50", "composed_beyond_ms_p99", "composed_missed"),
    ),
    "soak": ("idle_core", "working_core"),
    "curvature": ("dice_over_lvc_std", "dice_over_lvc_credit"),
    "imagine": ("over_products", "steps_per_s", "floor_steps_per_s"),
    "pathwise": ("best_over_none", "best_over_longest"),
    "sac": ("over_sb3", "updates_per_s", "sb3_updates_per_s"),
}
NEEDS = {
    "graph": ("rclpy", "mujoco"),
    "loop": ("mujoco",),
    "twin": ("mujoco",),
    "curvature": ("mujoco",),
    "imagine": ("mujoco",),
    "sac": ("stable_baselines3",),
}
NEEDS["soak"] = NEEDS["graph"]
# Long enough that what grows is seen; one run of the graph for both.
SIZES = {"soak": ("--seconds", "12", "--idle", "3", "--interval", "0.5")}


def report_of(tmp_path: Path, *words: str) -> dict[str, Any]:
    path = tmp_path / "bench.json"
    cli.main(["bench", *words, "--json", str(path)])
    report: dict[str, Any] = json.loads(path.read_text())
    return report


@pytest.mark.parametrize("name", BENCHES)
def test_results_are_there_and_positive(
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for module in NEEDS.get(name, ()):
        pytest.importorskip(module)
    report = report_of(tmp_path, name, *SIZES.get(name, ("--quick",)))
    assert report["command"] == "bench"
    assert report["config"]["what"] == name
    results = report["results"]
    for key in KEYS[name]:
        value = results[key]
        if key == "over_pytorch_mppi" and value is None:
            assert any("pytorch_mppi is not installed" in note for note in results["notes"])
        elif key == "bfloat16_over_float32" and value is None:
            assert any("no bfloat16 here" in note for note in results["notes"])
        elif key.endswith("missed"):
            assert value >= 0
        else:
            assert value > 0, key
    printed = capsys.readouterr().out
    assert f"bench {name}" in printed and "median" in printed and KEYS[name][0] in printed
    if name == "graph":
        assert results["ping_pong_ms_p50"] > 0
        assert 10 < results["steps"] <= 20
    if name == "soak":
        nothing_grows(results)


def nothing_grows(results: dict[str, Any]) -> None:
    nodes = results["nodes"]
    assert set(nodes) == {"adaptive", "driver", "recorder", "reference", "robot_state", "safety"}
    for of in nodes.values():
        assert 0 <= of["idle_core"] < 2
        # What a leak of a message a step comes to is far more than the noise of ten seconds.
        assert of["memory_mb_per_hour"] * 12 / 3600 < 10
    assert abs(results["threads_per_hour"]) * 12 / 3600 < 1
    assert abs(results["files_per_hour"]) * 12 / 3600 < 1


def test_every_bench_can_be_named() -> None:
    what = get_type_hints(Bench, include_extras=False)["what"]
    assert get_args(what) == tuple(BENCHES) == tuple(KEYS)


def test_sizes_are_options(tmp_path: Path) -> None:
    words = ("--repeats", "1", "--samples", "32", "--horizon", "3", "--hidden", "16")
    results = report_of(tmp_path, "plan", "--quick", *words)["results"]
    assert results["gflop"] == pytest.approx(2 * 32 * 3 * (19 * 16 + 16 * 18) / 1e9)
    assert results["products"] == 6


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("adapt", "--horizon", "3"), "adapt has no --horizon: expected --activation"),
        (("graph", "--repeats", "3"), "graph has no --repeats: expected --fast"),
        (("plan", "--samples", "0"), "samples: expected an integer of at least 1, got 0"),
        (("plan", "--hidden", "0"), "sizes: expected"),
        (("plan", "--activation", "sine"), "activation: expected one of"),
        (("train", "--chunk", "0"), "chunk: expected an integer of at least 1, got 0"),
        (("twin", "--terrain", "lava"), "unknown terrain 'lava'"),
        (("graph", "--launch", "planet:=mars"), "unknown argument 'planet'"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["bench", *words])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("mbmrl bench: ") and complaint in error


class Repeated:
    """A bench whose interval gets narrower with the repeats."""

    @dataclass(frozen=True)
    class Config:
        repeats: int = 4

    def __init__(self) -> None:
        self.repeats: list[int] = []

    def run(self, config: Config) -> Findings:
        self.repeats.append(config.repeats)
        half = 1.6 / config.repeats
        figure = Figure("ratio", 2.0, "of this", interval=(2.0 - half, 2.0 + half))
        return Findings((figure,), Times({}), {}, ("a note",))


def test_repeats_go_on_until_the_interval_is_narrow() -> None:
    bench = Repeated()
    assert measured(bench.run, bench.Config(), within=None).notes == ("a note",)
    assert bench.repeats == [4]
    assert measured(bench.run, bench.Config(), within=0.06).notes == ("a note",)
    assert bench.repeats[1:] == [4, 8, 16]  # half widths of 0.4, 0.2, 0.1: 5 % of 2


def test_an_interval_that_stays_wide_is_told() -> None:
    bench = Repeated()
    notes = measured(bench.run, bench.Config(), within=0.01).notes
    assert bench.repeats == [4, 8, 16, 32]
    assert notes == ("a note", "wider than 1 % after 32 repeats: ratio 2.5 %")


def test_within_is_for_benches_with_repeats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["bench", "graph", "--within", "0.1"])
    assert ended.value.code == 2
    assert "graph has no --within" in capsys.readouterr().err
