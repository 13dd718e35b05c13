"""Supervised and meta-training of dynamics models, from recorded data and from the twin."""
