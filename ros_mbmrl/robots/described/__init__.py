"""Robots described by a YAML file instead of Python code."""
