"""Dynamics models p(s' | s, a): networks with normalisation, model cards and their files."""
