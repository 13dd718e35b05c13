"""Contextual models: dynamics models that are conditioned on transitions of a task."""
