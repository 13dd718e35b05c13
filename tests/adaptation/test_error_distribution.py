"""The Student-t distribution of errors: by hand, and against errors drawn from one."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.error_distribution import ErrorDistribution

SCALE = torch.tensor([[0.04, 0.03], [0.03, 0.09]])


def drawn(count: int, freedom: float, seed: int = 0) -> Tensor:
    """Rows (count, 2) of a Student-t distribution with the scale matrix SCALE."""
    draws = Generator().manual_seed(seed)
    normal = torch.randn(count, 2, generator=draws) @ torch.linalg.cholesky(SCALE).mT
    square = torch.randn(count, round(freedom), generator=draws).square().mean(dim=1)
    rows: Tensor = normal / square.sqrt()[:, None]
    return rows


def test_likelihood_and_weight_by_hand() -> None:
    # Deviations .1 and .5, nu = 3: the error (.2, .5) is at a squared distance of 4 + 1.
    found = ErrorDistribution(torch.diag(torch.tensor([10.0, 2.0])), torch.tensor([3.0]))
    error = torch.tensor([0.2, 0.5])
    assert math.isclose(float(found.log_likelihood(error)), -2.5 * math.log1p(5 / 3), rel_tol=1e-5)
    assert math.isclose(float(found.weight(error)), 5 / 8, rel_tol=1e-5)
    assert float(found.log_likelihood(torch.zeros(2))) == 0.0


def test_scale_and_freedom_are_found_again() -> None:
    found = ErrorDistribution.fit(drawn(20_000, 3.0))
    assert found.freedom.tolist() == [3.0]
    scale = torch.linalg.inv(found.whitening @ found.whitening.mT)
    torch.testing.assert_close(scale, SCALE, rtol=0.05, atol=0.0)


def test_gaussian_errors_have_light_tails() -> None:
    assert float(ErrorDistribution.fit(0.1 * torch.randn(5000, 2)).freedom) >= 20.0


def test_a_few_wild_rows_do_not_widen_it() -> None:
    errors = drawn(5000, 50.0)
    wild = errors.clone()
    wild[:100] *= 30.0
    for found in map(ErrorDistribution.fit, (errors, wild)):
        scale = torch.linalg.inv(found.whitening @ found.whitening.mT)
        assert 0.7 * SCALE[0, 0] < scale[0, 0] < 1.3 * SCALE[0, 0]


def test_a_model_without_error_and_rows_that_are_no_numbers_are_no_harm() -> None:
    errors = torch.zeros(100, 2)
    errors[3, 1] = float("nan")
    found = ErrorDistribution.fit(errors)
    assert found.whitening.isfinite().all() and found.log_likelihood(errors[:1]).isfinite().all()


def test_errors_that_resemble_their_predecessors_count_as_fewer() -> None:
    white = torch.randn(20_000, 2, generator=Generator().manual_seed(0))
    found = ErrorDistribution.fit(white)
    assert found.independent_share(white) == 1.0
    rows = [white[0]]
    for each in white[1:]:
        rows.append(0.5 * rows[-1] + 0.75**0.5 * each)
    # rho_k = .5^k, 1 / (1 + 2 (.5 + .25 + ...)) = 1 / 3
    share = found.independent_share(torch.stack(rows))
    assert math.isclose(share, 1 / 3, rel_tol=0.07)
    assert found.independent_share(torch.zeros(9, 2)) == 1.0
