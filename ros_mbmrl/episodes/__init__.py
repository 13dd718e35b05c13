"""Closed-loop episodes and their figures."""
