"""The checkpoint that policies are trained with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.policies.trained import CurvePoint

CHECKPOINT = "checkpoint.safetensors"


def save_checkpoint(
    folder: Path | None,
    identity: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    curve: list[CurvePoint],
) -> None:
    """Writes what the next iteration needs; nothing without a folder."""
    if folder is not None:
        state = {"run": _plain(identity), "curve": [asdict(point) for point in curve]}
        tensor_file.save(folder / CHECKPOINT, tensors, state)


def load_checkpoint(
    folder: Path | None, identity: Mapping[str, Any]
) -> tuple[dict[str, Tensor], list[CurvePoint]]:
    """Tensors and curve of a run to go on with; empty if there is none.

    identity: what must be the same. Raises UserError if the checkpoint is of another run.
    """
    if folder is None or not (path := folder / CHECKPOINT).exists():
        return {}, []
    tensors, state = tensor_file.load(path)
    run = state.get("run") or {}
    for name, expected in _plain(identity).items():
        if run.get(name) != expected:
            raise UserError(
                f"{path}: of another run: {name} is {run.get(name)!r}, expected {expected!r}"
            )
    return tensors, [CurvePoint(**point) for point in state["curve"]]


def _plain(identity: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(identity))
    return plain
