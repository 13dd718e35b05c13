"""Names of the activations that a network can have; known without torch."""

from __future__ import annotations

ACTIVATIONS = ("tanh", "silu", "relu")
HEADS = ("mse", "gaussian")
