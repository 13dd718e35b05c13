"""The fit to the real robot's logs: one file in sim/, read when a world is made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.moments import moments
from ros_mbmrl.simulation.motor import Motor
from ros_mbmrl.simulation.terrain import NAMES, PLAIN, Terrain
from ros_mbmrl.untrusted import dump_yaml, read_yaml

FILE = "hexapod.yaml"
CHANGING, LONGEST = "changing", 3600.0  # name of grounds that change, and for how long they do [s]


@dataclass(frozen=True)
class Frame:
    """leg_radius: of the half-circle legs [m]. roll_damping, pitch_damping: [N m s/rad].

    hull_height: of the hull's centre above the hips [m].
    """

    leg_radius: float = 0.008
    roll_damping: float = 0.0011
    pitch_damping: float = 0.0011
    hull_height: float = 0.006

    def __post_init__(self) -> None:
        if not (self.leg_radius > 0 and self.roll_damping >= 0 and self.pitch_damping >= 0):
            raise ValueError("leg_radius: expected above 0; dampings: 0 or more")


@dataclass(frozen=True)
class Telemetry:
    """back_emf_left, back_emf_right: [V s/rad]. back_emf_noise: standard deviation [V].

    jitter: standard deviation of the instant that a packet's angles are true at [s]. battery: [V].
    marker_height: of the point that motion capture tracks, above the body's origin [m].
    """

    back_emf_left: float = 0.018
    back_emf_right: float = 0.018
    back_emf_noise: float = 0.02
    jitter: float = 0.0
    marker_height: float = 0.0
    battery: float = 3.95

    def __post_init__(self) -> None:
        for name in ("back_emf_left", "back_emf_right", "battery"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected above 0, got {getattr(self, name)}")
        if not (self.jitter >= 0 and self.back_emf_noise >= 0):
            raise ValueError("jitter, back_emf_noise: expected 0 or more")


@dataclass(frozen=True)
class Calibration:
    """The robot, and the grounds it was measured on. provenance: command, data, runs."""

    frame: Frame = field(default_factory=Frame)
    motor: Motor = field(default_factory=Motor)
    telemetry: Telemetry = field(default_factory=Telemetry)
    terrains: Mapping[str, Terrain] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


@cache
def calibrated() -> Calibration:
    """The calibration that ships in sim/. Raises UserError."""
    return load_calibration(sim_path(FILE))


def make_terrain(name: str) -> Terrain:
    """The terrain called `name`. Raises UserError for an unknown name."""
    choose("terrain", name, NAMES)
    return PLAIN if name == PLAIN.name else calibrated().terrains[name]


def make_grounds(name: str, seed: int) -> list[tuple[float, Terrain]]:
    """Return the terrains of a run, each with the second that it begins at, the first at 0.

    Args:
        name: of a terrain; `changing`: the real ones in turn, each for about 15 s, for an hour.
        seed: of their order and of how long each lasts.

    Raises:
        UserError: an unknown name.
    """
    if name != CHANGING:
        choose("terrain", name, (*NAMES, CHANGING))
        return [(0.0, make_terrain(name))]
    rng = np.random.default_rng(seed)
    begins = [0.0, *moments(rng, LONGEST)]
    real = [each for each in NAMES if each != PLAIN.name]
    order = [int(rng.integers(len(real)))]
    for _ in begins[1:]:  # never the same one twice
        order.append((order[-1] + int(rng.integers(1, len(real)))) % len(real))
    return [(begin, make_terrain(real[k])) for begin, k in zip(begins, order, strict=True)]


def load_calibration(path: Path) -> Calibration:
    """Reads a calibration file. Raises UserError for a file that is not one."""
    stored = read_yaml(path)
    try:
        unknown = set(stored) - {f.name for f in fields(Calibration)}
        if unknown:
            raise ValueError(f"unknown part '{sorted(unknown)[0]}'")
        missing = set(NAMES) - {PLAIN.name} - set(stored["terrains"])
        if missing:
            raise ValueError(f"no terrain '{sorted(missing)[0]}'")
        return Calibration(
            Frame(**stored["frame"]),
            Motor(**stored["motor"]),
            Telemetry(**stored["telemetry"]),
            {name: Terrain(name, **own) for name, own in stored["terrains"].items()},
            stored.get("provenance", {}),
        )
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"calibration {path}: not as expected ({error})") from None


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Writes the file, whole or not at all. Raises UserError where it cannot be written."""
    plain = {
        "provenance": dict(calibration.provenance),
        "frame": _rounded(calibration.frame),
        "motor": _rounded(calibration.motor),
        "telemetry": _rounded(calibration.telemetry),
        "terrains": {name: _rounded(own) for name, own in calibration.terrains.items()},
    }
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(dump_yaml(plain, width=100))
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"calibration {path}: cannot be written ({error.strerror})") from None


def _rounded(part: Any) -> dict[str, float]:
    return {k: float(f"{v:.4g}") for k, v in asdict(part).items() if k != "name"}
