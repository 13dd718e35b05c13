"""The learner of an ensemble that is trained through a rule: a learner for each member.

A member's steps are those of a single network, gradient limit and left-out batches included. It
draws from segments of its own, a bootstrap of all of them, so that the members stay different.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.run import LEARNED
from ros_mbmrl.learning.segments import SegmentSampler
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.ensemble import members_of, unstacked
from ros_mbmrl.networks.mlp import Parameters

if TYPE_CHECKING:
    from ros_mbmrl.learning.models.learner import MakeLearner


class MemberLearners:
    """Train the members one after the other, an update each; see `Learner`.

    Args:
        make: makes the learner of one network.
        rule: that is trained, of one network.
        model: whose network is an ensemble, on the device that is computed on.
        parameters: to begin with, the rule's own for each member among them.
        config: batch, rates and limits, the same for each member.
    """

    def __init__(
        self,
        make: MakeLearner,
        rule: UpdateRule,
        model: DynamicsModel,
        parameters: Parameters,
        config: TrainConfig,
    ) -> None:
        self.rate, self._seed = 1.0, config.seed
        each = members_of(parameters)
        self._learners = [make(rule, model.member, own, config) for own in each]
        self._stores: list[SegmentSampler] = []

    def update(self, store: SegmentSampler, generator: Generator) -> dict[str, float]:
        """Let each member take one step; return the means of what their learners return."""
        if not self._stores:  # the same after a checkpoint
            drawing = Generator().manual_seed(self._seed)
            self._stores = [store.bootstrapped(drawing) for _ in self._learners]
        total: dict[str, float] = {}
        for learner, own in zip(self._learners, self._stores, strict=True):
            learner.rate = self.rate
            for name, value in learner.update(own, generator).items():
                total[name] = total.get(name, 0.0) + value / len(self._learners)
        return total

    def snapshot(self) -> dict[str, Tensor]:
        """Return the snapshots of all members, and the parameters as those of an ensemble."""
        found = [learner.snapshot() for learner in self._learners]
        learned = unstacked([tensor_file.unflatten(LEARNED, own) for own in found])
        tensors = tensor_file.flatten(LEARNED, learned)
        for k, own in enumerate(found):
            rest = {name: v for name, v in own.items() if not name.startswith(f"{LEARNED}/")}
            tensors |= tensor_file.flatten(f"member.{k}", rest)
        return tensors

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        learned = members_of(tensor_file.unflatten(LEARNED, tensors))
        for k, (learner, own) in enumerate(zip(self._learners, learned, strict=True)):
            rest = tensor_file.unflatten(f"member.{k}", tensors)
            learner.restore(tensor_file.flatten(LEARNED, own) | rest)
