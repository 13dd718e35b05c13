"""A real-robot control stack with online adaptation of a meta-learned dynamics model."""

__version__ = "0.1.0"
