"""Names of parameters say which group they are in, and what that means."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.networks import groups
from ros_mbmrl.networks.groups import group_of, network_of, place


@pytest.mark.parametrize(
    ("name", "member", "group"),
    [
        ("w0", "", groups.NETWORK),
        ("b12", "", groups.NETWORK),
        ("psi.w0", "", groups.PSI),
        ("frozen.b1", "", groups.FROZEN),
        ("encoder.w2", "", groups.ENCODER),
        ("condition.b0", "", groups.CONDITION),
        ("gru.wi", "", groups.GRU),
        ("memory.persistence", "", groups.MEMORY),
        ("cosine.w", "", groups.COSINE),
        ("noise.b", "", groups.NOISE),
        ("member.0.w0", "member.0.", groups.NETWORK),
        ("member.10.frozen.w0", "member.10.", groups.FROZEN),
    ],
)
def test_a_name_says_its_member_and_its_group(name: str, member: str, group: groups.Group) -> None:
    assert place(name) == (member, group)


@pytest.mark.parametrize("name", ["colour.w0", "colour", "w", "member.w0", "member.0.colour.w0"])
def test_an_unknown_group_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"parameter '{name}' belongs to no group: expected"):
        group_of(name)


def test_a_part_loses_its_prefix_and_gets_it_back() -> None:
    names = ("w0", "psi.w0", "psi.b0", "member.0.w0", "member.0.psi.w0", "member.1.psi.w0")
    parameters = {name: torch.tensor(float(k)) for k, name in enumerate(names)}
    assert list(groups.PSI.part(parameters)) == ["w0", "b0"]
    assert float(groups.PSI.part(parameters)["b0"]) == 2.0
    assert {k: float(v) for k, v in groups.NETWORK.part(parameters).items()} == {"w0": 0.0}
    member = groups.PSI.part(parameters, "member.1.")
    assert groups.PSI.named(member, "member.1.") == {"member.1.psi.w0": parameters[names[-1]]}


def test_the_network_is_that_of_every_member() -> None:
    parameters = {name: torch.ones(1) for name in ("w0", "b0", "psi.w0", "member.0.w0")}
    assert list(network_of(parameters)) == ["w0", "b0", "member.0.w0"]


def test_which_groups_are_not_trained_and_which_are_not_decayed() -> None:
    assert [each.name for each in groups.GROUPS.values() if not each.trained] == [
        *("frozen", "attended", "causes"),  # made by a fit or by an update, not learned
        "variance",  # learned by the supervised fit of an ensemble, and by no rule
    ]
    assert [each.name for each in groups.GROUPS.values() if not each.decayed] == ["psi", "noise"]
