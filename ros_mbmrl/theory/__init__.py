"""Bounds on what a policy loses when it was made in a learned model: pure functions of errors."""
