"""Distribution of a model's errors: a multivariate Student-t, fitted to held-out rows.

Errors of a learned model have heavy tails: most are small, and at contacts a few are ten times as
large. Under a Gaussian such a row decides alone; under a Student-t it counts little for anybody.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

FREEDOMS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0)  # the likeliest of these is taken
STEPS = 30  # of expectation-maximisation
LAGS = 30  # longest memory of errors that is looked for
NOISE = 0.02  # autocorrelations below are taken for chance
FLOOR = 1e-3  # least deviation of an output, normalised


@dataclass(frozen=True)
class ErrorDistribution:
    """Student-t distribution of errors around zero.

    Args:
        whitening: (d, d), W with W W^T the inverse of the scale matrix.
        freedom: (1,), degrees of freedom nu.
    """

    whitening: Tensor
    freedom: Tensor

    @classmethod
    def fit(cls, errors: Tensor) -> ErrorDistribution:
        """Fit the scale matrix by expectation-maximisation, and the degrees of freedom.

        Source: Lange, Little and Taylor 1989, Robust statistical modeling using the t distribution.

        Args:
            errors: (n, d), of a model under the right hypothesis.
        """
        errors = errors.double()
        errors = errors[errors.isfinite().all(dim=1)]
        found = [_fit_scale(errors, freedom) for freedom in FREEDOMS]
        _, best = max((score, k) for k, (_, score) in enumerate(found))
        whitening = torch.linalg.cholesky(torch.linalg.inv(found[best][0]))
        return cls(whitening.float(), torch.tensor([FREEDOMS[best]]))

    @classmethod
    def of(cls, stored: Mapping[str, Tensor]) -> ErrorDistribution:
        """Return the distribution whose tensors are stored with a model."""
        return cls(stored["whitening"], stored["freedom"])

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Return what is stored with a model."""
        return {"whitening": self.whitening, "freedom": self.freedom}

    def log_likelihood(self, errors: Tensor) -> Tensor:
        """Return the logarithmic density (...) of errors (..., d), less that of no error."""
        return self.row_likelihood(errors @ self.whitening)

    def weight(self, errors: Tensor) -> Tensor:
        """Return how much rows (...) of errors (..., d) count in least squares; 1 on average."""
        return self.row_weight(errors @ self.whitening)

    def row_likelihood(self, white: Tensor) -> Tensor:
        """Return `log_likelihood` of whitened errors (..., d)."""
        distance = white.square().sum(dim=-1)
        return -0.5 * (self.freedom + white.shape[-1]) * torch.log1p(distance / self.freedom)

    def row_weight(self, white: Tensor) -> Tensor:
        """Return `weight` of whitened errors (..., d)."""
        return (self.freedom + white.shape[-1]) / (self.freedom + white.square().sum(dim=-1))

    def independent_share(self, errors: Tensor) -> float:
        """Return how many independent errors each of these counts as, at most 1.

        1 / (1 + 2 sum of rho_k): the variance of a mean of errors that resemble their
        predecessors, with rho_k the autocorrelation k steps later (Bartlett 1946), as long as it
        is above NOISE. Of whitened errors, in which wild rows count little.

        Args:
            errors: (n, d), in the order of time; the few places where another run begins count
                like any other.
        """
        errors = errors[errors.isfinite().all(dim=1)]
        white = errors @ self.whitening * self.weight(errors).sqrt()[:, None]
        whole, total = white.square().sum(), 0.0
        for lag in range(1, min(LAGS, len(white) - 1) + 1):
            again = float((white[lag:] * white[:-lag]).sum() / whole.clamp_min(1e-12))
            if again < NOISE:
                break
            total += again
        return 1.0 / (1.0 + 2.0 * total)


def _fit_scale(errors: Tensor, freedom: float) -> tuple[Tensor, float]:
    """Return the scale matrix (d, d) for given degrees of freedom, and the mean log-likelihood."""
    count, size = errors.shape
    floor = FLOOR**2 * torch.eye(size, dtype=errors.dtype)
    scale, distance = floor + torch.diag(errors.square().mean(dim=0)), errors.new_zeros(count)
    for _ in range(STEPS):
        distance = (errors @ torch.linalg.inv(scale) * errors).sum(dim=1)
        weight = (freedom + size) / (freedom + distance)
        scale = floor + (weight[:, None] * errors).mT @ errors / count
    distance = (errors @ torch.linalg.inv(scale) * errors).sum(dim=1)
    constant = math.lgamma((freedom + size) / 2) - math.lgamma(freedom / 2)
    constant -= 0.5 * (size * math.log(freedom * math.pi) + float(torch.logdet(scale)))
    tails = -0.5 * (freedom + size) * torch.log1p(distance / freedom)
    return scale, constant + float(tails.mean())
