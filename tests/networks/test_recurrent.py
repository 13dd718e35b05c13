"""The recurrent model: the GRU by hand, what a memory changes, and what imagination must not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import (
    LIMIT,
    advance,
    condition,
    imagine,
    init,
    observe,
    predict_segment,
)

SIZE = 5
Prior = tuple[DynamicsModel, Parameters]


def recurrent(mlp: MLP, parameters: Parameters, seed: int = 0) -> Parameters:
    """The network with a GRU whose map to the biases is not zero any more."""
    g = torch.Generator().manual_seed(seed)
    own = init(mlp, SIZE, g)
    for name, value in own.items():
        if name.startswith("condition."):
            own[name] = 0.5 * torch.randn(value.shape, generator=g)
    return {**parameters, **own}


@pytest.fixture
def model(prior: Prior) -> DynamicsModel:
    """The toy's: 3 inputs, 4 outputs."""
    return prior[0]


@pytest.fixture
def parameters(prior: Prior) -> Parameters:
    """Its network and a GRU."""
    return recurrent(prior[0].mlp, prior[1])


def draw(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_step_by_hand(parameters: Parameters) -> None:
    hidden, x, y, surprise = draw(2, SIZE), draw(2, 3), draw(2, 4), draw(2, 4, seed=2)
    seen = torch.cat([x, y, surprise], dim=1)
    i = seen @ parameters["gru.wi"].T + parameters["gru.bi"]
    h = hidden @ parameters["gru.wh"].T + parameters["gru.bh"]
    reset = torch.sigmoid(i[:, :SIZE] + h[:, :SIZE])
    keep = torch.sigmoid(i[:, SIZE:-SIZE] + h[:, SIZE:-SIZE])
    new = torch.tanh(i[:, -SIZE:] + reset * h[:, -SIZE:])
    expected = keep * hidden + (1 - keep) * new
    torch.testing.assert_close(advance(parameters, hidden, x, y, surprise), expected)


def test_a_step_is_that_of_torchs_gru_cell(parameters: Parameters) -> None:
    cell = torch.nn.GRUCell(3 + 4 + 4, SIZE)
    names = {"weight_ih": "wi", "weight_hh": "wh", "bias_ih": "bi", "bias_hh": "bh"}
    cell.load_state_dict({torchs: parameters[f"gru.{ours}"] for torchs, ours in names.items()})
    hidden, x, y = draw(2, SIZE), draw(2, 3), draw(2, 4)
    surprise = torch.zeros(2, 4)  # of an imagined transition
    expected = cell(torch.cat([x, y, surprise], dim=1), hidden)
    torch.testing.assert_close(advance(parameters, hidden, x, y), expected.detach())


def test_wild_inputs_count_as_the_limit(parameters: Parameters) -> None:
    hidden, x, y = draw(1, SIZE), torch.full((1, 3), 1e30), torch.full((1, 4), -torch.inf)
    at_limit = advance(parameters, hidden, torch.full((1, 3), LIMIT), torch.full((1, 4), -LIMIT))
    assert torch.equal(advance(parameters, hidden, x, y), at_limit)


def test_an_observed_transition_surprises_by_what_was_predicted_wrongly(
    model: DynamicsModel, parameters: Parameters
) -> None:
    hidden, x, y = draw(1, SIZE), draw(1, 3), draw(1, 4)
    adapted = model.mlp.materialise(parameters, condition(parameters, hidden))
    surprise = y - model.mlp.forward(adapted, x)
    expected = advance(parameters, hidden, x, y, surprise)
    torch.testing.assert_close(observe(model.mlp, parameters, hidden, x, y), expected)


def test_no_memory_is_the_prior_bit_for_bit(model: DynamicsModel, parameters: Parameters) -> None:
    x = draw(3, 6, 3)
    nothing = condition(parameters, torch.zeros(3, SIZE))
    forward, no_update = model.mlp.forward_updated, model.mlp.no_update
    rows = [forward(parameters, no_update, x[:, t : t + 1])[0] for t in range(6)]
    assert torch.equal(predict_segment(model.mlp, parameters, nothing, x), torch.cat(rows, dim=1))


def test_an_untrained_model_is_the_network_that_it_was_built_on(prior: Prior) -> None:
    model, parameters = prior
    own = init(model.mlp, SIZE, torch.Generator().manual_seed(0))
    update = condition({**parameters, **own}, draw(3, SIZE))
    x = draw(3, 6, 3)
    torch.testing.assert_close(
        predict_segment(model.mlp, {**parameters, **own}, update, x),
        model.mlp.forward(parameters, x),
    )


def test_imagination_goes_on_with_its_own_predictions(
    model: DynamicsModel, parameters: Parameters
) -> None:
    hidden, x = draw(1, SIZE), draw(1, 4, 3)
    together = predict_segment(model.mlp, parameters, condition(parameters, hidden), x)
    for t in range(4):
        adapted = model.mlp.materialise(parameters, condition(parameters, hidden))
        y = model.mlp.forward(adapted, x[:, t])
        torch.testing.assert_close(together[:, t], y)
        hidden = advance(parameters, hidden, x[:, t], y)


def hand_rollout(
    model: DynamicsModel, parameters: Parameters, hidden: Tensor, state: Tensor, actions: Tensor
) -> Tensor:
    """One candidate (H, da) from `state` (ds,), step by step."""
    states = [state]
    for action in actions:
        adapted = model.mlp.materialise(parameters, condition(parameters, hidden))
        x = model.normalizer.inputs(model.robot.features(states[-1]), action)[None]
        y = model.mlp.forward(adapted, x)
        states.append(model.robot.advance(states[-1], model.normalizer.denormalise(y[0])))
        hidden = advance(parameters, hidden, x, y)
    return torch.stack(states)


def test_every_candidate_is_a_roll_out_from_the_same_memory(
    model: DynamicsModel, parameters: Parameters
) -> None:
    hidden, state = draw(1, SIZE), draw(4)
    actions = torch.cat([draw(3, 5, 2), draw(3, 5, 2)])
    before = hidden.clone()
    now = model.mlp.materialise(parameters, condition(parameters, hidden))
    predict = model.predictor(now, hidden)
    states = predict(state.expand(6, -1), actions)
    torch.testing.assert_close(states[:3], states[3:])
    for k in range(3):
        alone = hand_rollout(model, parameters, hidden, state, actions[k])
        torch.testing.assert_close(states[k], alone, rtol=1e-4, atol=1e-5)
    assert torch.equal(predict(state.expand(6, -1), actions), states)
    assert torch.equal(hidden, before)
    frozen = model.predictor(now)
    assert not torch.allclose(frozen(state.expand(6, -1), actions)[:, 2:], states[:, 2:])


def test_a_refused_task_rolls_out_as_the_prior_bit_for_bit(
    model: DynamicsModel, parameters: Parameters
) -> None:
    hidden, state, actions = draw(3, SIZE), draw(3, 4), draw(3, 6, 2)
    hidden[1] = torch.nan
    accepted = torch.tensor([True, False, True])
    update = condition(parameters, hidden).where(accepted)
    states = model.rollout_updated(parameters, update, state, actions)
    prior = model.rollout_updated(parameters, model.mlp.no_update, state, actions)
    assert torch.equal(states[1], prior[1])
    for n in (0, 2):
        alone = hand_rollout(model, parameters, hidden[n : n + 1], state[n], actions[n])
        torch.testing.assert_close(states[n], alone)


def test_a_candidate_that_explodes_takes_no_other_along(
    model: DynamicsModel, parameters: Parameters
) -> None:
    update = condition(parameters, draw(2, SIZE))
    x, y = draw(2, 3), draw(2, 4)
    y[1] = torch.nan
    after = imagine(parameters, update, x, y).hidden
    assert after is not None
    assert after[0].isfinite().all()
    assert after[1].isnan().all()


def test_candidates_of_many_tasks_each_go_on_with_a_copy_of_its_memory(
    model: DynamicsModel, parameters: Parameters
) -> None:
    hidden, state, actions = draw(3, SIZE), draw(3, 4), draw(3, 5, 6, 2)
    update = condition(parameters, hidden).where(torch.tensor([True, False, True]))
    states = model.predictor_each(parameters, update)(state, actions)
    assert states.shape == (3, 5, 7, 4)
    for n in (0, 2):
        for k in range(5):
            alone = hand_rollout(model, parameters, hidden[n : n + 1], state[n], actions[n, k])
            torch.testing.assert_close(states[n, k], alone, rtol=1e-4, atol=1e-5)
    prior = model.predictor(parameters)(state[1].expand(5, -1), actions[1])
    torch.testing.assert_close(states[1], prior, rtol=1e-4, atol=1e-5)
