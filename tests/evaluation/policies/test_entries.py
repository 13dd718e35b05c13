"""Names, looks and settings of the entries."""

from __future__ import annotations

from itertools import chain

from ros_mbmrl.evaluation.policies import entries
from ros_mbmrl.evaluation.policies.studies import POLICY_STUDIES


def test_names_and_looks_tell_the_entries_of_a_study_apart() -> None:
    for study in POLICY_STUDIES.values():
        names = [entry.name for entry in study.entries]
        assert len(set(names)) == len(names)
        for figure in study.figures:
            looks = [study.entry(name).look for name in figure.entries]
            assert len({(k.colour, k.line, k.marker, k.name) for k in looks}) == len(looks)


def test_every_method_is_there() -> None:
    found = chain.from_iterable(study.entries for study in POLICY_STUDIES.values())
    assert all(entry.there for entry in found)


def test_variants_say_what_differs() -> None:
    assert entries.ENSEMBLES[1].settings == {"model": {"members": 20}}
    assert [entry.settings["scheme"] for entry in entries.SCHEMES][:2] == [
        *("eps_rand", "model_mean_std")
    ]
    assert entries.STILL[0].settings == {"rate": 0.0}
    assert {entry.settings["model_bias"] for entry in entries.BIASED} == {0.1, 0.5, 1.0}
    assert {entry.name for entry in entries.BIASED} >= {"mb_mpo_bias_0.5", "me_trpo_bias_1"}
