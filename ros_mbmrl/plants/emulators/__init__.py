"""The far side of the wires: what speaks the robots' protocols in front of their twins."""
