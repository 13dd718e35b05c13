"""Guarantees of a trained model and policy: bounds of `theory` with what a run tells of them."""
