"""Methods by name; those of other packages: tests/test_plugins.py, tests/examples/test_toys.py."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl import methods
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods.built_in import BUILT_IN, COLLECTOR
from ros_mbmrl.methods.method import Method


def test_a_method_by_name() -> None:
    assert methods.make_method("grbal") is BUILT_IN["grbal"]
    with pytest.raises(UserError, match="unknown method 'maml': expected one of bayes_context, "):
        methods.make_method("maml")


def test_a_report_may_name_others() -> None:
    assert methods.about("mb_real") == Method("mb_real")
    assert methods.look("mb_real").name == "mb_real"
    assert methods.look("mb").name == "MB"


def test_those_without_a_rule_are_for_studies_alone() -> None:
    without = set(BUILT_IN) - set(methods.with_rule())
    assert without == {
        *("random", "nominal", "true_model", "mb_oracle", "trpo", "maml_rl"),
        *("ppo", "sac", "promp", "e_maml", "maml_vpg"),
        *("causes_told", "causes_well"),
        *("me_trpo", "me_ppo", "mb_mpo", "bptt"),
        *("m3po", "m3po_h", "m2po", "pearl", "pe_ppo"),
        *("one_model_vpg", "one_model_trpo"),
        *("maac", "mbpo", "steve_sac", "sb3_sac"),
        "memb",
        *("gssm_policy", "mlsm_v0_policy", "mlsm_v1_policy", "m_dpilco_policy", "l2a_policy"),
        COLLECTOR,
    }
    with pytest.raises(UserError, match="unknown method 'mb_oracle'"):
        methods.adapting("mb_oracle")


def test_who_learns_a_policy() -> None:
    assert all(methods.learns_policy(name) for name in ("me_trpo", "trpo", "promp"))
    assert not any(methods.learns_policy(name) for name in ("mb", "true_model", "nobody"))


@pytest.mark.parametrize("card", [{"method": "mb"}, {"method": "mb", "origin": None}, {}])
def test_a_card_of_a_built_in_method_says_no_origin(card: dict[str, Any]) -> None:
    methods.check_origin("folder", card)
    assert methods.origin("mb") == methods.origin("unknown") == {}


def test_a_card_of_another_packages_method_is_refused() -> None:
    card = {"method": "mb", "origin": {"package": "toys", "version": "1", "rule": "toys:Rule"}}
    words = "folder: method 'mb' of another package: made with toys, installed is none"
    with pytest.raises(UserError, match=words):
        methods.check_origin("folder", card)
    with pytest.raises(UserError, match="origin in the card: expected a mapping"):
        methods.check_origin("folder", {"method": "mb", "origin": "toys"})
