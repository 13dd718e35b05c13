"""Experiments, tables, plots and reports."""
