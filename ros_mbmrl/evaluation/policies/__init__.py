"""Experiments of chapters 4 to 6 of the thesis: policies, from a description to a report."""
