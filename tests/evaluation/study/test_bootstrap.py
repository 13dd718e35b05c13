"""Variances, degrees of freedom and corrections by hand; coverage by trying."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from ros_mbmrl.evaluation.study.bootstrap import Estimate, Sample, holm, paired, stretch


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _sample(values: Any, nested: bool = False) -> Sample:
    block = np.array(values, dtype=float)
    return Sample(tuple(range(len(block))), ("c",), (block,), nested)


def _values(seeds: int, episodes: int, first: int = 0, own: bool = False) -> dict[Any, float]:
    return {
        (s, ("c", "", first + e + (episodes * s if own else 0))): float(10 * s + e)
        for s in range(seeds)
        for e in range(episodes)
    }


def test_holm_by_hand() -> None:
    # Sorted: .01 x 4, .02 x 3, .03 x 2, .04 x 1, and none below the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    # Holm, 1979: rejected one by one, until the first that is not.
    assert holm([0.5, 0.001, 0.4]) == pytest.approx([0.8, 0.003, 0.8])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_holm_keeps_order_and_never_goes_beyond_bonferroni() -> None:
    p = _rng().uniform(0, 0.2, 30).tolist()
    adjusted = holm(p)
    assert np.argsort(p).tolist() == np.argsort(adjusted, kind="stable").tolist() or all(
        adjusted[a] <= adjusted[b] for a in range(30) for b in range(30) if p[a] < p[b]
    )
    assert all(own <= new <= min(1.0, 30 * own) for own, new in zip(p, adjusted, strict=True))


def test_the_p_value_is_twice_the_rarer_side() -> None:
    draws = np.array([-1.0] * 3 + [1.0] * 96)
    assert Estimate.of(0.9, draws).p == pytest.approx(2 * 4 / 100)
    assert Estimate.of(-0.9, -draws).p == pytest.approx(2 * 4 / 100)
    assert Estimate.of(0.0, np.zeros(99)).p == 1.0


def test_draws_that_are_normal_become_students_t() -> None:
    rng = _rng()
    draws = rng.standard_normal(200_000) * stretch(4, rng, 200_000)
    ends = np.quantile(draws, [0.025, 0.975])
    assert ends == pytest.approx([-2.776, 2.776], abs=0.06)


def test_one_training_seed_gives_the_t_interval_over_its_episodes() -> None:
    values = _rng().normal(1.0, 2.0, 12)
    found = _sample([values]).estimate(_rng(), 40_000)
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    assert found.value == pytest.approx(values.mean())
    assert found.interval == pytest.approx(expected, abs=0.06)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0.0).pvalue, abs=0.02)


def test_nested_episodes_give_the_t_interval_over_training_seeds() -> None:
    values = np.array([[1.0], [2.0], [3.0], [6.0]]) + _rng().normal(0, 0.5, (4, 8))
    by_seed = values.mean(axis=1)
    variance, freedom = _sample(values, nested=True)._variance()
    assert variance == pytest.approx(by_seed.var(ddof=1) / 4)
    assert freedom == pytest.approx(3.0)


def test_the_variance_of_crossed_effects_by_hand() -> None:
    # Rows 0 and 2, columns 0 and 4 added up, no residual: 2 / 2 of the rows, 8 / 2 of the columns.
    variance, freedom = _sample([[0.0, 4.0], [2.0, 6.0]])._variance()
    assert variance == pytest.approx(1.0 + 4.0)
    assert freedom == pytest.approx(25 / (1 + 16))
    # Residual alone: in the mean squares of both, which are 0 here; never less than either.
    assert _sample([[1.0, -1.0], [-1.0, 1.0]])._variance()[0] == 0.0


def test_conditions_count_the_same_whatever_their_episodes() -> None:
    blocks = np.full((2, 30), 1.0), np.full((2, 6), 3.0)
    sample = Sample((0, 1), ("a", "b"), blocks, False)
    assert sample.mean == pytest.approx(2.0)
    found = sample.estimate(_rng(), 500)
    assert found.interval == pytest.approx((2.0, 2.0))
    for weights in zip(*sample.weights(_rng(), 50), strict=True):
        assert [w.sum() for w in weights] == pytest.approx([1.0, 1.0])


def test_few_episodes_say_nothing() -> None:
    assert _sample([[1.0, 2.0, 3.0, 4.0]]).estimate(_rng()) == Estimate(2.5)


@pytest.mark.parametrize("nested", [False, True])
def test_the_interval_covers_as_often_as_it_says(nested: bool) -> None:
    rng = _rng()
    covered = []
    for _ in range(300):
        episodes = rng.normal(0, 0.6, (5 if nested else 1, 12))
        values = rng.normal(0, 0.5, (5, 1)) + episodes + rng.normal(0, 0.6, (5, 12))
        low, high = _sample(values, nested).estimate(rng, 800).interval or (1.0, 1.0)
        covered.append(low < 0 < high)
    # Standard error .0126.
    assert 0.92 < np.mean(covered) < 0.985


def test_the_episodes_are_known_to_be_shared_or_own() -> None:
    crossed, nested = Sample.of(_values(3, 5)), Sample.of(_values(3, 5, own=True))
    assert (crossed.nested, crossed.n_episodes, nested.nested, nested.n_episodes) == (
        False,
        5,
        True,
        15,
    )
    assert nested.blocks[0][2].tolist() == [20.0, 21.0, 22.0, 23.0, 24.0]
    with pytest.raises(ValueError, match="as many episodes of every training seed"):
        Sample.of({**_values(2, 5), (0, ("c", "", 9)): 1.0})


def test_pairs_are_of_training_seed_and_episode() -> None:
    own, other = _values(2, 5), {k: v + 1 for k, v in _values(3, 4).items()}
    ours, theirs = paired(own, other)
    assert len(ours) == 8  # both seeds, four episodes
    assert {ours[key] - theirs[key] for key in ours} == {-1.0}


def test_a_single_training_seed_serves_every_one() -> None:
    own, other = _values(3, 5), {k: v + 1 for k, v in _values(1, 5).items()}
    ours, theirs = paired(own, other)
    assert ours == own and theirs[2, ("c", "", 4)] == other[0, ("c", "", 4)]
    assert Sample.of({key: ours[key] - theirs[key] for key in ours}).seeds == (0, 1, 2)


def test_what_was_not_trained_serves_every_training_seed() -> None:
    trained = _values(2, 5)
    fixed = {(None, ("c", "", e)): 100.0 + e for e in range(4)}
    ours, theirs = paired(trained, fixed)
    assert len(ours) == 8 and theirs[1, ("c", "", 3)] == 103.0
    swapped = paired(fixed, trained)
    assert (swapped[1], swapped[0]) == (ours, theirs)
    several = {(s, e): 1.0 for s in (7, 8) for _, e in fixed}
    with pytest.raises(ValueError, match="the same training seeds"):
        paired(trained, several)
