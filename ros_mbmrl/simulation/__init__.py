"""Environments, and MuJoCo's simulation of the robots: terrains, faults, domain randomisation."""
