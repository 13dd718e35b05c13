"""The studies are of environments and methods that there are, at every scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.policies.description import Kind
from ros_mbmrl.evaluation.policies.studies import POLICY_STUDIES, make_policy_study
from ros_mbmrl.evaluation.policies.training import Training, horizon_of
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.mechanisms import MECHANISMS
from ros_mbmrl.simulation.points import POINTS

EVERY = [(name, scale) for name, study in POLICY_STUDIES.items() for scale in study.scales]


@pytest.mark.parametrize(("name", "scale"), EVERY)
def test_every_pair_can_be_configured_for_every_point(name: str, scale: str) -> None:
    """Settings that a method does not take would be found after hours otherwise."""
    study = make_policy_study(name)
    size = study.at(scale)
    pairs = list(study.pairs(size, size.entries))
    assert {entry.name for _, entry in pairs} == set(size.entries)
    for place, entry in pairs:
        assert place in (*BENCHMARKS, *POINTS, *MECHANISMS)
        for point in size.points[entry.kind]:
            config = Training(size, entry, place, 3, point, Path()).config
            assert (config.budget, config.seed) == (point, 3)
            inner = getattr(config, "inner", config)
            assert inner.horizon == horizon_of(place)


@pytest.mark.parametrize("name", POLICY_STUDIES)
def test_no_iteration_is_larger_than_the_first_point(name: str) -> None:
    """Else several points of a curve would be the same iteration."""
    study = make_policy_study(name)
    for size in study.scales.values():
        for place, entry in study.pairs(size, size.entries):
            first = size.points[entry.kind][0]
            assert Training(size, entry, place, 0, first, Path()).config.batch <= first


def test_sizes_of_the_thesis() -> None:
    paper = make_policy_study("promp").at("paper")
    entry = make_policy_study("promp").entry("promp")
    config = Training(paper, entry, "promp-humanoid-fwd-back", 0, 10**6, Path()).config
    assert (config.tasks, config.inner.episodes, config.hidden) == (40, 20, (128, 128))
    study = make_policy_study("me-trpo")
    own = (study.at("paper"), study.entry("me_trpo_20"), "me-trpo-half-cheetah", 0, 10**6)
    config = Training(*own, Path()).config
    assert config.batch == 3000 and config.model.members == 20
    assert config.model.hidden == (1024, 1024)


def test_ensembles_of_figure_5_and_the_ladder_of_figure_4() -> None:
    study = make_policy_study("me-trpo")
    figures = {figure.number: figure for figure in study.figures}
    small = study.at("small")
    own = [study.entry(name) for name in figures["5"].entries]
    made = [Training(small, entry, "me-trpo-swimmer", 0, 3000, Path()).config for entry in own]
    assert [config.model.members for config in made] == [1, 5, 10, 20]
    assert figures["4"].entries == ("bptt", "one_model_vpg", "one_model_trpo")
    assert all(entry.kind is Kind.MODELS for entry in own)


def test_an_unknown_study() -> None:
    with pytest.raises(UserError, match="unknown study 'sac': expected one of gssm, m3po, maac"):
        make_policy_study("sac")
