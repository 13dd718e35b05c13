"""A double integrator under a linear policy: the return and its gradient are known in closed form.

s' = A s + B a, r = -(s'^T Q s' + R a^2), a = K s. With P of the return -s^T P s of such a policy,

    P = R K^T K + (A + B K)^T (Q + gamma P) (A + B K),

and Sigma = sum_t gamma^t E[s_t s_t^T], the gradient of E[return] by K is

    -2 ((R + B^T M B) K + B^T M A) Sigma,  M = Q + gamma P    (Fazel et al. 2018, lemma 1).

MAAC's objective has the same gradient with the sum up to t = H only, since its critic is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec
from ros_mbmrl.robots.task import Task

PERIOD, FORCE = 0.1, 100.0  # [s], largest force [N]: no policy here comes near it
STATE = (Quantity("x", "m"), Quantity("v", "m/s"))
SPEC = RobotSpec(
    name="double_integrator",
    period=PERIOD,
    measurement=STATE,
    channels=("joint_states.position.0", "joint_states.velocity.0"),
    state=STATE,
    action=(Limit("force", "N", -FORCE, FORCE, 2 * FORCE / PERIOD),),
    features=("x", "v"),
    changes=STATE,
    change_weights=(1.0, 1.0),
    envelope=Envelope(0.25, 0.25, 25.0),
)
A = torch.tensor([[1.0, PERIOD], [0.0, 1.0]], dtype=torch.float64)
B = torch.tensor([[PERIOD**2 / 2], [PERIOD]], dtype=torch.float64)  # of a mass of 1 kg
Q, R = torch.tensor([1.0, 0.1], dtype=torch.float64).diag(), 0.01


class Rest:
    """A `Task`: rest at the origin, with little force."""

    batched = stationary = True

    def reference(self, state: Array) -> Tensor:
        """Return an empty reference (0,)."""
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K). See `Task.cost`."""
        weights = Q.diagonal().to(states)
        return (weights * states[..., 1:, :].square()).sum((-2, -1)) + R * actions.square().sum(
            (-2, -1)
        )


class DoubleIntegrator(Robot):
    """A mass on a line, pushed by a force."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`: it is measured as it is."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """See `Robot.features`."""
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """See `Robot.difference`."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Robot.advance`."""
        return state + change

    def tasks(self) -> Sequence[str]:
        """See `Robot.tasks`."""
        return ("rest",)

    def make_task(self, name: str, start: Array) -> Task:
        """See `Robot.make_task`."""
        return Rest()


@dataclass(frozen=True)
class LinearReturn:
    """The return of a = K s from starts, in closed form; all in float64.

    Args:
        gain: K (1, 2) [N/m, N s/m].
        discount: gamma.
    """

    gain: Tensor
    discount: float

    def __post_init__(self) -> None:
        growth = torch.linalg.eigvals(self.loop).abs().max() * self.discount**0.5
        if not growth < 1:
            raise ValueError(f"gain: expected a finite return, got growth {float(growth):.3f}")

    @property
    def loop(self) -> Tensor:
        """Return A + B K."""
        return A + B @ self.gain

    @cached_property
    def ahead(self) -> Tensor:
        """Return M = Q + gamma P (2, 2), the cost of a state from its arrival on."""
        loop, here = self.loop, R * self.gain.T @ self.gain
        constant = loop.T @ Q @ loop + here
        return Q + self.discount * _lyapunov(self.discount**0.5 * loop.T, constant)

    def gradient(self, starts: Tensor, steps: int | None = None) -> Tensor:
        """Return the gradient (1, 2) of the mean return from starts (N, 2) by K.

        steps: H, for that of MAAC's objective with true dynamics and the true critic; None: of
        the return.
        """
        visited, loop = starts.T @ starts / len(starts), self.discount**0.5 * self.loop
        if steps is None:
            visited = _lyapunov(loop, visited)
        else:
            first = visited
            for _ in range(steps):
                visited = first + loop @ visited @ loop.T
        m = self.ahead
        return -2 * ((R + B.T @ m @ B) @ self.gain + B.T @ m @ A) @ visited

    def critic(self, states: Tensor, forces: Tensor) -> Tensor:
        """Return Q(s, a) (N,) of states (N, 2) and forces (N, 1) [N]."""
        after = states @ A.T + forces @ B.T
        return -(torch.einsum("ni,ij,nj->n", after, self.ahead, after) + R * forces[:, 0] ** 2)


def _lyapunov(matrix: Tensor, constant: Tensor) -> Tensor:
    """Return X = matrix X matrix^T + constant."""
    n = len(constant)
    system = torch.eye(n * n, dtype=constant.dtype) - torch.kron(matrix, matrix)
    found: Tensor = torch.linalg.solve(system, constant.reshape(-1))
    return found.view(n, n)
