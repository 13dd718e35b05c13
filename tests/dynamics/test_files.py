"""Model folders: what comes back is what was saved, and nothing else is accepted."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.spec import Robot
from tests.dynamics.test_value import ROBOT, a_value

Prior = tuple[DynamicsModel, Parameters]


@pytest.fixture
def folder(tmp_path: Path, prior: Prior) -> Path:
    """A saved model."""
    model, parameters = prior
    save_model(tmp_path / "m", model, parameters, {"method": "mb", "adapt_window": 16})
    return tmp_path / "m"


def edit(folder: Path, **changes: Any) -> None:
    card = yaml.safe_load((folder / "card.yaml").read_text())
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, **changes}))


def refused(folder: Path, robot: Robot, *words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_model(folder, robot)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_round_trip_is_bit_exact(folder: Path, prior: Prior, robot: Robot) -> None:
    model, parameters = prior
    loaded = load_model(folder, robot)
    assert loaded.method == "mb"
    assert loaded.card["adapt_window"] == 16
    assert loaded.parameters.keys() == parameters.keys()
    for name, value in parameters.items():
        assert torch.equal(loaded.parameters[name], value)
    assert torch.equal(loaded.model.normalizer.input_std, model.normalizer.input_std)
    assert loaded.model.mlp == model.mlp


def test_a_value_function_comes_back(tmp_path: Path) -> None:
    normalizer = Normalizer.fit(torch.randn(9, 24), torch.randn(9, 18))
    mlp = MLP((24, 4, 18), "silu")
    model, value = DynamicsModel(ROBOT, mlp, normalizer), a_value()
    facts = {"method": "mb", "adapt_window": 16}
    save_model(tmp_path / "m", model, mlp.init(torch.Generator().manual_seed(0)), facts, value)
    states, found = torch.randn(4, 18), load_model(tmp_path / "m", ROBOT).value
    assert found is not None and torch.equal(found(states), value(states))
    # A model with inputs for causes has them, too: a value is of the robot's own features.
    with_slope = ConditionedRobot(ROBOT)
    wider, statistics = replace(mlp, sizes=(25, *mlp.sizes[1:])), torch.ones(25)
    normalizer = replace(normalizer, input_mean=statistics, input_std=statistics)
    other = DynamicsModel(with_slope, wider, normalizer)
    weights = wider.init(torch.Generator().manual_seed(0))
    save_model(tmp_path / "c", other, weights, facts, value)
    loaded = load_model(tmp_path / "c", ROBOT)
    assert loaded.model.robot.spec.features == with_slope.spec.features
    assert loaded.value is not None and torch.equal(loaded.value(states), value(states))
    edit(tmp_path / "m", value={"sizes": [3, 1], "activation": "silu", "members": 3})
    refused(tmp_path / "m", ROBOT, "value")
    edit(tmp_path / "m", value={**value.facts, "horizon": 3})
    refused(tmp_path / "m", ROBOT, "unknown field 'horizon' in the card's value")


def test_a_parameter_of_no_group_is_refused_by_name(tmp_path: Path, prior: Prior) -> None:
    model, parameters = prior
    parameters = {**parameters, "colour.w0": torch.ones(2)}
    save_model(tmp_path / "m", model, parameters, {"method": "mb", "adapt_window": 16})
    refused(tmp_path / "m", model.robot, "'colour.w0' belongs to no group")


def test_the_card_names_the_robots_interface(folder: Path) -> None:
    card = yaml.safe_load((folder / "card.yaml").read_text())
    assert card["robot"] == "toy"
    assert card["period"] == 0.1
    assert card["state"] == ["x [m]", "y [m]", "yaw [rad]", "speed [m/s]"]
    assert card["action"] == ["drive [1]", "turn [1]"]


def test_a_missing_folder(tmp_path: Path, robot: Robot) -> None:
    refused(tmp_path / "none", robot, "no model folder", "none")


@pytest.mark.parametrize("name", ["card.yaml", "model.safetensors"])
def test_a_missing_file(folder: Path, robot: Robot, name: str) -> None:
    (folder / name).unlink()
    refused(folder, robot, f"no {name}")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file(folder: Path, robot: Robot, share: float) -> None:
    weights = folder / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    refused(folder, robot, "model.safetensors")


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("unpickled"),)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_a_pickle_in_place_of_the_weights_is_not_run(
    folder: Path, robot: Robot, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    weights = folder / "model.safetensors"
    if how == "pickle":
        weights.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save(Bomb(), weights)
    refused(folder, robot, "not a readable tensor file")
    assert not (folder / "unpickled").exists()


def test_a_yaml_bomb_in_the_card_is_not_run(folder: Path, robot: Robot) -> None:
    (folder / "card.yaml").write_text("!!python/object/apply:os.system ['touch unpickled']\n")
    refused(folder, robot, "not plain YAML")


@pytest.mark.parametrize("card", ["- a list", "{unclosed: [", "", "\x00"])
def test_a_card_that_is_no_card(folder: Path, robot: Robot, card: str) -> None:
    (folder / "card.yaml").write_text(card)
    refused(folder, robot, "card.yaml")


def test_a_card_of_bytes(folder: Path, robot: Robot) -> None:
    (folder / "card.yaml").write_bytes(b"\xff\xfe\xfa")
    refused(folder, robot, "card.yaml")


def test_another_robots_model_is_refused_by_name(folder: Path) -> None:
    refused(folder, make_robot("hexapod"), "made for another robot", "toy", "hexapod")


@pytest.mark.parametrize(
    ("state", "index", "have", "want"),
    [
        (["x [m]", "y [m]", "roll [rad]", "speed [m/s]"], 2, "roll [rad]", "yaw [rad]"),
        (["x [m]", "y [m]", "yaw [deg]", "speed [m/s]"], 2, "yaw [deg]", "yaw [rad]"),
        (["x [m]", "y [m]", "yaw [rad]"], 3, "nothing", "speed [m/s]"),
        (["x [m]", "y [m]", "yaw [rad]", "speed [m/s]", "z [m]"], 4, "z [m]", "nothing"),
    ],
)
def test_the_first_state_that_differs_is_named(
    folder: Path, robot: Robot, state: list[str], index: int, have: str, want: str
) -> None:
    edit(folder, state=state)
    refused(folder, robot, f"state {index} is '{have}', expected '{want}'")


def test_another_period_is_refused(folder: Path, robot: Robot) -> None:
    edit(folder, period=0.05)
    refused(folder, robot, "period 0.05, expected 0.1")


@pytest.mark.parametrize(
    "changes",
    [
        {"network": {"sizes": [3, 8, 16, 4], "activation": "tanh"}},
        {"network": {"sizes": [3, 16, 4], "activation": "sine"}},
        {"network": {"sizes": "many", "activation": "tanh"}},
        {"network": None},
        {"clip": "wide"},
        {"adapt_window": 0},
        {"adapt_window": 10**9},
        {"adapt_window": None},
        {"method": None},
    ],
)
def test_a_card_that_does_not_fit_its_weights(
    folder: Path, robot: Robot, changes: dict[str, Any]
) -> None:
    edit(folder, **changes)
    refused(folder, robot, "m")


def test_non_finite_weights_are_refused(tmp_path: Path, prior: Prior, robot: Robot) -> None:
    model, parameters = prior
    spoiled = {**parameters, "b0": torch.full_like(parameters["b0"], torch.nan)}
    save_model(tmp_path / "m", model, spoiled, {"method": "mb", "adapt_window": 16})
    refused(tmp_path / "m", robot, "non-finite")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"method": "grbal"}, "no 'psi."),
        ({"method": "context"}, "no 'encoder."),
        ({"method": "rebal"}, "no 'gru.wi"),
        ({"method": "magic"}, "unknown method 'magic'"),
        ({"method": "residual", "options": {"gain": 7}}, "gain: expected"),
        ({"method": "residual", "options": {"colour": 7}}, "colour"),
        ({"guard": {"colour": 7}}, "guard settings"),
        ({"guard": {"folds": 1}}, "folds: expected at least 2"),
    ],
)
def test_a_card_whose_method_the_weights_do_not_serve(
    folder: Path, robot: Robot, changes: dict[str, Any], words: str
) -> None:
    edit(folder, **changes)
    with pytest.raises(UserError, match=words):
        make_guard(load_model(folder, robot))


def test_another_method_on_a_loaded_model(folder: Path, robot: Robot) -> None:
    loaded = load_model(folder, robot)
    assert make_guard(loaded, "residual").rule == make_rule("residual")
    assert make_guard(loaded, "residual").window_size == 16
    with pytest.raises(UserError, match="grbal needs a model trained for it, not for mb"):
        make_guard(loaded, "grbal")


def test_weights_of_another_model_are_refused(
    folder: Path, prior: Prior, robot: Robot, tmp_path: Path
) -> None:
    model, parameters = prior
    others = {name: value + 1.0 for name, value in parameters.items()}
    save_model(tmp_path / "other", model, others, {"method": "mb", "adapt_window": 16})
    (tmp_path / "other/model.safetensors").replace(folder / "model.safetensors")
    refused(folder, robot, "model.safetensors is not what card.yaml was written for")
