"""Pictures of calibration are PNG files."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.evaluation import coverage_plots

FACTS = {"model": "mb", "tag": "all"}
PNG = b"\x89PNG"


def test_coverage_and_curves_are_drawn(tmp_path: Path) -> None:
    shares = {"coverage_50": 0.4, "coverage_90": 0.8, "coverage_99": 0.97}
    coverage_plots.coverage([{**FACTS, "horizon": h, **shares} for h in (1, 8)], tmp_path / "c.png")
    curve = [(0.0, 0.0), (0.2, 0.7), (1.0, 1.0)]
    row = {**FACTS, "detector": "error", "area": 0.8, "curve": curve}
    coverage_plots.curves([row], tmp_path / "d.png")
    assert all((tmp_path / name).read_bytes()[:4] == PNG for name in ("c.png", "d.png"))
