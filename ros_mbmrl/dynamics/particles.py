"""Roll-outs of particles under an ensemble (Chua et al. 2018, section 5.1, Propagation).

TS-infinity keeps the member of a particle, TS1 gives it another one in every step, `mean` moves all
by the members' mean. Members change by fixed permutations and the noise is the same for all
candidates (Ng and Jordan 2000), so that a plan does not depend on how the candidates are cut into
blocks, and a recording replays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
from ros_mbmrl.networks.ensemble import Ensemble, stacked
from ros_mbmrl.networks.gaussian import heads_of, log_variances
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

# noise(step, means (E, R, dc)) -> standard normal numbers that broadcast to the means
Noise = Callable[[int, Tensor], Tensor]


class ParticleRollout(Rollout):
    """A roll-out of particles: states (E, R, ds), actions (E, R, H, da) -> states (E, R, H+1, ds).

    `mean` maps states (R, ds), actions (R, H, da) to states (R, H+1, ds).

    Args:
        parameters: of the members, Gaussian heads included if there is noise.
        particles: `ts_inf`, `ts1` or `mean`.
        noise: of each step, in deviations of the predicted variance; None: means alone.
    """

    def __init__(
        self,
        robot: Robot,
        mlp: Ensemble,
        normalizer: Normalizer,
        parameters: Parameters,
        dtype: torch.dtype,
        buffers: Buffers,
        particles: str = "ts_inf",
        noise: Noise | None = None,
    ) -> None:
        own = stacked(parameters, mlp.used)
        super().__init__(robot, mlp.member, normalizer, own, dtype, buffers)
        self._particles, self._noise, self._members = particles, noise, len(mlp.used)
        self._heads = heads_of(parameters, mlp.used) if noise else Parameters()

    def _change(self, inputs: Tensor, step: int) -> Tensor:
        """Return the changes of particles (E, R, dc), of all together (R, dc) for `mean`."""
        normalizer = self._normalizer
        if self._particles == "mean":
            each = self._network(inputs.expand(self._members, *inputs.shape))
            return each.mean(dim=0) + normalizer.change_mean
        order, back = orders(self._members, step if self._particles == "ts1" else None)
        changes = self._network(inputs[order])
        deviations = None
        if self._noise is not None:
            hidden = self._network.hidden.view(*changes.shape[:-1], -1).float()
            deviations = (0.5 * log_variances(self._heads, hidden)).exp() * normalizer.change_std
        moved = changes[back] + normalizer.change_mean
        if self._noise is not None and deviations is not None:
            moved += deviations[back] * self._noise(step, moved)
        return moved


@lru_cache(maxsize=256)
def orders(members: int, step: int | None) -> tuple[list[int], list[int]]:
    """Return which group of particles each member moves in a step, and the inverse of that.

    step: None: each member moves its own, in every step.
    """
    if step is None:
        return list(range(members)), list(range(members))
    drawn = torch.randperm(members, generator=Generator().manual_seed(step))
    return drawn.tolist(), drawn.argsort().tolist()


class CommonNoise:
    """Noise that is the same for all particles: only the steps differ.

    Args:
        generator: of which one number is drawn; the roll-outs' own numbers follow from it.
    """

    def __init__(self, generator: Generator) -> None:
        device = generator.device
        seed = int(torch.randint(2**62, (1,), generator=generator, device=device))
        self._generator, self._drawn = Generator(device).manual_seed(seed), list[Tensor]()

    def __call__(self, step: int, means: Tensor) -> Tensor:
        """Return noise (dc,); see `Noise`."""
        while len(self._drawn) <= step:
            drawn = torch.randn(means.shape[-1], generator=self._generator, device=means.device)
            self._drawn.append(drawn)
        return self._drawn[step]


class OwnNoise:
    """Noise of each particle alone.

    Args:
        generator: of the numbers.
    """

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def __call__(self, step: int, means: Tensor) -> Tensor:
        """Return noise (E, R, dc); see `Noise`."""
        return torch.randn(means.shape, generator=self._generator, device=means.device)
