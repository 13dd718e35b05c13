"""Experiments of the thesis's chapter 9 on simulated robots: description, judgement, report."""
