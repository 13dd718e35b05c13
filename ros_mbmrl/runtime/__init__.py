"""Processes, threads and devices that work is done on."""
