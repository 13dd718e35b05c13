"""Imagination: one step of N rows under an ensemble, by the schemes of the thesis's section A.4.1.

Rows are grouped by the member that moves them, so that a step is one batched product over the
members, and an ensemble costs little more than one network. It is differentiable, also through
samples of Gaussian heads (the pathwise derivative); without `heads` means alone are used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.ensemble import Ensemble, forward_stack, stacked
from ros_mbmrl.networks.gaussian import heads_of, log_variances
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

STEP_RAND, EPS_RAND, ONE_MODEL = "step_rand", "eps_rand", "one_model"
MEAN, MEDIAN, GAUSSIAN = "model_mean", "model_med", "model_mean_std"
OF_ALL = (GAUSSIAN, MEAN, MEDIAN)  # the schemes that ask all members
SCHEMES = (STEP_RAND, EPS_RAND, *OF_ALL, ONE_MODEL)


@dataclass(frozen=True)
class Imagination:
    """Moves rows of states by the members of an ensemble.

    Args:
        model: robot, network and normalisation.
        stack: parameters of the E members that are used, see `networks.ensemble.stacked`.
        scheme: who moves a row (section A.4.1):
            step_rand: a member drawn for each row in each step, all for as many rows;
            eps_rand: a member drawn for each row, for its whole episode;
            model_mean_std: a sample of the Gaussian that is fitted to all members' predictions;
            model_mean, model_med: the mean or the median of all members' predictions;
            one_model: the first member.
        heads: of the E members, see `networks.gaussian.heads_of`: a step samples the variance that
            the row's member predicts; none: means alone.
    """

    model: DynamicsModel
    stack: Parameters
    scheme: str = STEP_RAND
    heads: Parameters = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"scheme: expected one of {SCHEMES}, got {self.scheme!r}")
        if self.heads and self.scheme in OF_ALL:
            raise ValueError(f"scheme: expected one that samples a member, got {self.scheme!r}")

    @classmethod
    def of(
        cls,
        model: DynamicsModel,
        parameters: Parameters,
        scheme: str = STEP_RAND,
        sampled: bool = False,
    ) -> Imagination:
        """Return the imagination of a model: an ensemble, or a single network, which is E = 1.

        sampled: whether steps sample the variance that Gaussian heads predict.

        Raises:
            ValueError: the model has no such heads.
        """
        mlp = model.mlp
        used = mlp.used if isinstance(mlp, Ensemble) else (0,)
        named = parameters
        if not isinstance(mlp, Ensemble):
            named = {f"member.0.{name}": value for name, value in parameters.items()}
        used, heads = used[:1] if scheme == ONE_MODEL else used, Parameters()
        if sampled:
            if not isinstance(mlp, Ensemble) or not mlp.gaussian:
                raise ValueError("sampled: expected an ensemble with Gaussian heads")
            heads = heads_of(parameters, used)
        return cls(model, stacked(named, used), scheme, heads=heads)

    @property
    def robot(self) -> Robot:
        """Return the robot that is modelled."""
        return self.model.robot

    @property
    def count(self) -> int:
        """Return the number of members E."""
        return len(self.stack["w0"])

    def drawn(self, rows: int, generator: Generator) -> Tensor:
        """Draw a member for each row, (rows,); all members are equally likely."""
        return torch.randint(self.count, (rows,), generator=generator)

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """Return the next states (N, ds) under the scheme.

        Args:
            states: (N, ds).
            actions: commands (N, da) in the unit of the command.
            members: (N,), those drawn for the rows' episodes; `eps_rand` alone heeds them.
            generator: of what the scheme draws in each step.
        """
        if self.scheme in OF_ALL:
            return self._by_all(states, actions, generator)
        if self.scheme == ONE_MODEL:
            members = torch.zeros(len(states), dtype=torch.long)
        if self.scheme == STEP_RAND:
            order = torch.randperm(len(states), generator=generator)
            return self._by_slots(states, actions, *dealt(order, self.count), generator)
        return self.by_members(states, actions, members, generator)

    def by_members(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """Return the next states (N, ds), each row moved by its own of the `members` (N,).

        generator: of the predicted variance, if there are heads; None: means.
        """
        return self._by_slots(states, actions, *slots_of(members, self.count), generator)

    def _by_slots(
        self,
        states: Tensor,
        actions: Tensor,
        slots: Tensor,
        width: int,
        generator: Generator | None,
    ) -> Tensor:
        """Return the next states (N, ds); see `slots_of`."""
        x = self.model.normalizer.inputs(self.model.robot.features(states), actions)
        filled = x.new_zeros(self.count * width, x.shape[-1]).index_copy(0, slots, x)
        each, hidden = forward_stack(self.model.mlp, self.stack, filled.view(self.count, width, -1))
        outputs = each.flatten(0, 1).index_select(0, slots)
        if self.heads and generator is not None:
            spread = (0.5 * log_variances(self.heads, hidden)).exp().flatten(0, 1)
            noise = torch.randn(outputs.shape, generator=generator)
            outputs = torch.addcmul(outputs, spread.index_select(0, slots), noise)
        return self._advanced(states, outputs)

    def _by_all(self, states: Tensor, actions: Tensor, generator: Generator) -> Tensor:
        """Return the next states (N, ds) from a statistic of all members' predictions."""
        x = self.model.normalizer.inputs(self.model.robot.features(states), actions)
        each = self._outputs(x)  # (E, N, dc)
        if self.scheme == MEDIAN:
            ranked = each.sort(dim=0).values
            middle = (ranked[(self.count - 1) // 2] + ranked[self.count // 2]) / 2
            return self._advanced(states, middle)
        outputs = each.mean(dim=0)
        if self.scheme == GAUSSIAN:
            noise = torch.randn(outputs.shape, generator=generator)
            outputs = outputs + each.std(dim=0, correction=0) * noise
        return self._advanced(states, outputs)

    def _advanced(self, states: Tensor, outputs: Tensor) -> Tensor:
        """Return states (N, ds) after the network's outputs (N, dc)."""
        return self.model.robot.advance(states, self.model.normalizer.denormalise(outputs))

    def _outputs(self, x: Tensor) -> Tensor:
        """Return the outputs (E, R, dc) of inputs (E, R, inputs), or (R, inputs) for all."""
        return forward_stack(self.model.mlp, self.stack, x)[0]


def dealt(order: Tensor, count: int) -> tuple[Tensor, int]:
    """Return the slots of rows that are dealt to the members in turn; see `slots_of`.

    Each member moves as many rows, but for one: no slots are spare, and no row's member is likelier
    than another. order: a permutation of the rows, (N,), by chance.
    """
    width = -(-len(order) // count)
    return order % count * width + order // count, width


def slots_of(members: Tensor, count: int) -> tuple[Tensor, int]:
    """Return a slot for each row, (N,), and the slots W of each member.

    Member m has the slots m W to (m + 1) W - 1; its rows fill them in their order.

    Args:
        members: of the rows, (N,), from 0 to count - 1.
        count: number of members E.
    """
    rows = members[:, None]
    ranks = (rows == torch.arange(count)).cumsum(0)  # of each row among its member's, from 1
    width = int(ranks[-1].max())
    return torch.addcmul(ranks.gather(1, rows)[:, 0] - 1, members, torch.tensor(width)), width
