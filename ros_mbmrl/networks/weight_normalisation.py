"""Weight normalisation (Salimans and Kingma 2016): w = gain v / |v| for each unit of a layer.

The optimiser has v under the weight's own name, and the gain under `gain.` and that name. A network
is always used, kept and carried over with the weights themselves.
"""

from __future__ import annotations

from ros_mbmrl.networks.mlp import Parameters

GAIN = "gain."


def with_gains(parameters: Parameters) -> Parameters:
    """Return parameters with a gain (..., 1, outputs) for each weight (..., inputs, outputs).

    Each v is the weight itself, so that the network is the same as before.
    """
    weights = {name: value for name, value in parameters.items() if name[0] == "w"}
    gains = {GAIN + k: v.norm(dim=-2, keepdim=True) for k, v in weights.items()}
    return parameters | gains


def weights_of(parameters: Parameters) -> Parameters:
    """Return parameters with w = gain v / |v| (eq. 2) in place of v, and without the gains.

    Those without a gain stay as they are.
    """
    found = {name: value for name, value in parameters.items() if not name.startswith(GAIN)}
    for name, value in found.items():
        if (gain := parameters.get(GAIN + name)) is not None:
            length = value.norm(dim=-2, keepdim=True).clamp_min(1e-12)
            found[name] = gain * value / length
    return found
