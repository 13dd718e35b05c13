"""Experiments, tables, plots, reports."""
