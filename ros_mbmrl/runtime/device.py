"""Device for tensors: the processor or a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ros_mbmrl.errors import UserError, choose

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")


def choose_device(name: str) -> torch.device:
    """Return the device called `name`; `auto` is the GPU if there is one.

    Raises UserError for an unknown name, and for a missing GPU.
    """
    choose("device", name, DEVICES)
    import torch

    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise UserError("device 'cuda': this machine has no GPU that torch can use; expected cpu")
    return torch.device("cuda" if there and name != "cpu" else "cpu")
