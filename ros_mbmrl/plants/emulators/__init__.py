"""Emulators: the robot's side of the wire, with the robots' protocols in front of their twins."""
