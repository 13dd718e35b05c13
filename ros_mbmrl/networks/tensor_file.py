"""Tensors and a JSON-able state in one safetensors file: nothing is ever unpickled."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.untrusted import refuse_pointer

LIMIT = 1 << 30  # largest file to load [bytes]


def save(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-able state; a crash leaves the old or the new file, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    plain = {name: value.detach().contiguous().clone() for name, value in tensors.items()}
    # Not save_file, which makes a file that only its owner may read.
    partial.write_bytes(safetensors.torch.save(plain, metadata={"state": json.dumps(state)}))
    os.replace(partial, path)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load tensors and state. Raises UserError if the file is truncated or not one of ours."""
    refuse_pointer(path)
    try:
        if path.stat().st_size > LIMIT:
            raise ValueError(f"expected up to {LIMIT} bytes")
        with safetensors.safe_open(str(path), framework="pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            if not isinstance(state, dict):
                raise ValueError("its state is no mapping")
            return {name: file.get_tensor(name) for name in file.keys()}, state  # noqa: SIM118
    except Exception as error:  # any error that parsing may raise
        raise UserError(f"{path}: not a readable tensor file ({error})") from None


def flatten(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors with a prefix to every name."""
    return {f"{prefix}/{name}": value for name, value in tensors.items()}


def unflatten(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the entries under a prefix, without it."""
    start = f"{prefix}/"
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
