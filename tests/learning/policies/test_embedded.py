"""MEMB's losses beside their equations, on a system that is known: s' = s + a, r = -s^2 - a."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.true_dynamics import TrueDynamics
from ros_mbmrl.learning.policies.embedded import EmbeddedActorCritic, EmbeddedConfig
from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.imagined_world import ImaginedWorld
from ros_mbmrl.robots.point import PERIOD, PointRobot

GAMMA, ALPHA, ROWS = 0.9, 0.3, 7
ROBOT = PointRobot("point_centre", PERIOD)  # commands of -1 to 1 m/s, .1 s: a step of .1 a


def moved(states: Tensor, commands: Tensor) -> Tensor:
    return states + PERIOD * commands


def paid(states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
    return -states.square().sum(-1) - commands.sum(-1)


def ended(states: Tensor) -> Tensor:
    return states[:, 0] > 1.0


def made(ends: bool = False, **own: Any) -> EmbeddedActorCritic:
    soft = SoftConfig(hidden=(8,), discount=GAMMA, temperature=ALPHA, entropy=None, rows=ROWS)
    found = EmbeddedActorCritic(2, 2, soft, EmbeddedConfig(**own), Generator().manual_seed(0))
    world = ImaginedWorld(TrueDynamics(ROBOT, moved), paid, ended if ends else None)
    found.world = world
    return found


def batch(over: float = 0.0) -> Batch:
    generator = Generator().manual_seed(1)
    states, actions = torch.randn(ROWS, 2, generator=generator), torch.rand(ROWS, 2)
    after = moved(states, actions)
    return Batch(states, actions, paid(states, actions, after), after, torch.full((ROWS,), over))


def twice() -> tuple[Generator, Generator]:
    return Generator().manual_seed(3), Generator().manual_seed(3)


def test_q_follows_the_reward_and_the_target_value() -> None:
    """Equation 6."""
    own, rows = made(), batch()
    target = rows.rewards + GAMMA * own._valued(own._targets, rows.following)
    both = own.critics.both(own._learned["critics"], rows.observations, rows.actions)
    expected = 0.5 * (both - target).square().mean(dim=1).sum()
    assert torch.allclose(own._critic_loss(rows, Generator()), expected)
    over = batch(1.0)  # nothing comes after
    both = own.critics.both(own._learned["critics"], over.observations, over.actions)
    expected = 0.5 * (both - over.rewards).square().mean(dim=1).sum()
    assert torch.allclose(own._critic_loss(over, Generator()), expected)


def test_v_follows_the_smaller_q_and_the_entropy() -> None:
    """Equation 5: its gradient is that of half the square."""
    own, rows = made(), batch()
    first, second = twice()
    noise = own._noise(rows.observations, first)
    drawn = own.policy.sample(own.parameters, rows.observations, noise)
    least = own.critics.least(own._learned["critics"], rows.observations, drawn.actions)
    value = own._valued(own._learned["value"], rows.observations)
    loss = 0.5 * (value - (least - ALPHA * drawn.log_prob).detach()).square().mean()
    wanted = torch.autograd.grad(loss, own._learned["value"]["w0"])[0]
    own._learn_value(rows.observations, second)
    found = own._learned["value"]["w0"].grad
    assert found is not None and torch.allclose(found, wanted)


def test_the_policy_climbs_equation_9() -> None:
    """The gradient of V(s) beside the chain rule, term by term."""
    own, rows = made(), batch()
    first, second = twice()
    loss, likely = own._policy_loss(rows.observations, first)
    parameters = list(own._learned["policy"].values())
    found = torch.autograd.grad(loss, parameters)
    noise = own._noise(rows.observations, second)
    drawn = own.policy.sample(own._learned["policy"], rows.observations, noise)
    assert torch.equal(drawn.log_prob, likely)
    after = moved(rows.observations, drawn.actions.detach()).requires_grad_()
    value = {k: v.detach() for k, v in own._learned["value"].items()}
    (slope,) = torch.autograd.grad(own._valued(value, after).sum(), after)  # dV'/ds'
    by_action = -1.0 + GAMMA * PERIOD * slope  # dr/da + gamma dV'/ds' df/da
    surrogate = (by_action * drawn.actions).sum(-1) - ALPHA * drawn.log_prob
    wanted = torch.autograd.grad(-surrogate.mean(), parameters)
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_longer_rollout_takes_the_mean_over_imagined_states() -> None:
    own, rows = made(rollout=2), batch()
    first, second = twice()
    loss, _ = own._policy_loss(rows.observations, first)
    one, states, each = made(), rows.observations, []
    for _ in range(2):
        state = second.get_state()
        each.append(one._policy_loss(states, second)[0])
        second.set_state(state)
        noise = one._noise(states, second)
        drawn = one.policy.sample(one.parameters, states, noise)
        states = moved(states, drawn.actions).detach()
    assert torch.allclose(loss, (each[0] + each[1]) / 2)


def test_ends_that_are_known_end_the_value() -> None:
    rows = torch.full((ROWS, 2), 5.0)  # all terminate
    plain, told = made(True), made(True, known_ends=True)
    first, second = twice()
    with_value, without = plain._policy_loss(rows, first)[0], told._policy_loss(rows, second)[0]
    value = plain._valued(plain._learned["value"], rows).detach()  # about: a step is short
    assert (without - with_value).item() == pytest.approx(GAMMA * float(value.mean()), abs=0.05)


def test_value_expansion_by_hand() -> None:
    """H = 2: y_1 = r_1 + gamma V(s_2), and y_0 = r_0 + gamma (y_1 - alpha log pi(a_1 | s_1))."""
    own, rows = made(expansion=2), batch()
    first, second = twice()
    found = own._expanded(rows, first)
    noise = own._noise(rows.following, second)
    drawn = own.policy.sample(own.parameters, rows.following, noise)
    last = moved(rows.following, drawn.actions)
    value = own._valued(own._targets, last)
    later = paid(rows.following, drawn.actions, last) + GAMMA * value
    now = rows.rewards + GAMMA * (later - ALPHA * drawn.log_prob)
    assert torch.allclose(found.targets, torch.cat([now, later]))
    assert torch.equal(found.states, torch.cat([rows.observations, rows.following]))
    assert (found.going == 1).all()


def test_value_expansion_stops_where_a_transition_terminated() -> None:
    own, over = made(expansion=3), batch(1.0)
    found = own._expanded(over, Generator().manual_seed(0))
    assert torch.allclose(found.targets[:ROWS], over.rewards)
    assert found.going.tolist() == [1.0] * ROWS + [0.0] * 2 * ROWS
    plain = made()
    same = own._critic_loss(over, Generator()), plain._critic_loss(over, Generator())
    assert torch.allclose(*same)


def test_one_step_of_expansion_is_real_data_alone() -> None:
    own, rows = made(), batch()
    found = own._expanded(rows, Generator())
    target = rows.rewards + GAMMA * own._valued(own._targets, rows.following)
    assert torch.allclose(found.targets, target)


def test_the_target_value_follows_slowly() -> None:
    own, rows = made(), batch()
    before = own._targets["w0"].clone()
    own.update(rows, Generator().manual_seed(0))
    value = own._learned["value"]["w0"].detach()
    assert torch.allclose(own._targets["w0"], before.lerp(value, own.config.target_rate))
    assert math.isclose(float(own.temperature), ALPHA, rel_tol=1e-6)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="expansion: expected at least 1, got 0"):
        EmbeddedConfig(expansion=0)
    with pytest.raises(ValueError, match="value_rate: expected more than 0"):
        EmbeddedConfig(value_rate=0.0)
