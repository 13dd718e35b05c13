"""Going on from an earlier model (Algorithm 9), though the statistics of the data have moved on.

Normalisation is always over all of the data. What a network has learned is in the units of its
own: under new ones it would be another function, if its outer layers were not told.
"""

from __future__ import annotations

import torch

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters


def carried(parameters: Parameters, before: DynamicsModel, now: DynamicsModel) -> Parameters:
    """Parameters that predict with `now`'s statistics what they predict with `before`'s.

    With a context or a memory, adapted predictions as well; what gradient steps make of a window
    hangs on units. Exact where nothing is clipped.
    """
    old, new, last = before.normalizer, now.normalizer, now.mlp.layers - 1
    # x, y and errors of y in the old units are scale * the same in new ones + shift.
    x_scale = new.input_std / old.input_std
    x_shift = (new.input_mean - old.input_mean) / old.input_std
    y_scale = new.change_std / old.change_std
    y_shift = (new.change_mean - old.change_mean) / old.change_std
    seen_scale = torch.cat([x_scale, y_scale, y_scale])
    seen_shift = torch.cat([x_shift, y_shift, torch.zeros_like(y_shift)])

    moved = dict(parameters)
    for prefix in ("", "frozen."):
        if f"{prefix}w0" in moved:
            _first_layer(moved, f"{prefix}w0", f"{prefix}b0", x_scale, x_shift)
            w, b = f"{prefix}w{last}", f"{prefix}b{last}"
            moved[w], moved[b] = moved[w] / y_scale, (moved[b] - y_shift) / y_scale
    if "encoder.w0" in moved:
        _first_layer(moved, "encoder.w0", "encoder.b0", seen_scale, seen_shift)
    if "gru.wi" in moved:
        moved["gru.wi"] = moved["gru.wi"].mT
        _first_layer(moved, "gru.wi", "gru.bi", seen_scale, seen_shift)
        moved["gru.wi"] = moved["gru.wi"].mT.contiguous()
    if f"condition.b{last}" in moved:
        moved[f"condition.b{last}"] = moved[f"condition.b{last}"] / y_scale
    return moved


def _first_layer(
    parameters: Parameters, w: str, b: str, scale: torch.Tensor, shift: torch.Tensor
) -> None:
    parameters[b] = parameters[b] + shift @ parameters[w]
    parameters[w] = parameters[w] * scale[:, None]
