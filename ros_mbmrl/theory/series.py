"""Sums that bounds are made of."""

from __future__ import annotations


def geometric(ratio: float, terms: int) -> float:
    """Return 1 + ratio + ... + ratio^(terms - 1), at a ratio of 1 as well."""
    if abs(ratio - 1) < 1e-6:  # the quotient would lose its digits
        return sum(ratio**t for t in range(terms))
    return (ratio**terms - 1) / (ratio - 1)
