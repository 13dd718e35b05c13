"""Runs of robots that were recorded by other programs: bags, tables, LeRobot's data sets."""
