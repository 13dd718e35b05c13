"""Processes, threads and devices that do the work."""
