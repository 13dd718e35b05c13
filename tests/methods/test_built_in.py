"""The methods of this package: what their entries name is there."""

from __future__ import annotations

import pytest

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.learning.tune import Grid
from ros_mbmrl.methods.built_in import BASELINE, BUILT_IN, COLLECTOR, ORACLE
from ros_mbmrl.methods.method import Learned, Role
from ros_mbmrl.plugins import imported

every_method = pytest.mark.parametrize("name", BUILT_IN)


@every_method
def test_what_it_names_is_there(name: str) -> None:
    method = BUILT_IN[name]
    assert method.name == name
    assert callable(imported(method.agent))
    assert not method.grid or isinstance(imported(method.grid), Grid)


@pytest.mark.parametrize(
    "name",
    [name for name, method in BUILT_IN.items() if method.learned is Learned.POLICY],
)
def test_a_policy_has_a_learner_with_a_configuration(name: str) -> None:
    learner = imported(BUILT_IN[name].learner)
    assert isinstance(learner, PolicyMethod)
    config = learner.configured(3, {"budget": 11, "horizon": 7})
    assert (config.budget, config.seed) == (11, 3)
    assert 7 in (getattr(config, "horizon", None), getattr(config, "inner", config).horizon)


@every_method
def test_the_model_that_it_runs_on_is_a_methods_own(name: str) -> None:
    base = BUILT_IN[BUILT_IN[name].trained_as]
    assert base.trained_as == base.name
    assert base.learned is not Learned.NOTHING or base.name == name


@pytest.mark.parametrize("name", [name for name, method in BUILT_IN.items() if method.grid])
def test_what_is_tuned_is_an_option_of_its_rule(name: str) -> None:
    for options in imported(BUILT_IN[name].grid).all_options():
        make_rule(name, options)


def test_every_look_is_another() -> None:
    looks = [method.look for method in BUILT_IN.values() if method.look is not None]
    assert len({(look.colour, look.line, look.marker) for look in looks}) == len(looks)
    assert len({(look.colour, look.hatch, look.hollow) for look in looks}) == len(looks)
    assert len({look.name for look in looks}) == len(looks)


def test_one_baseline_and_one_collector() -> None:
    roles = {name: method.role for name, method in BUILT_IN.items()}
    assert [n for n, role in roles.items() if role is Role.BASELINE] == [BASELINE]
    assert [n for n, role in roles.items() if role is Role.COLLECTOR] == [COLLECTOR]
    references = {n for n, role in roles.items() if role is Role.REFERENCE}
    on_causes = {"causes_told", "causes_well"}
    assert references == {ORACLE, "true_model", "nominal", "random", *on_causes}
