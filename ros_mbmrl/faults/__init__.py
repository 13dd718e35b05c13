"""The fault campaign: what is broken on purpose, and what the stack makes of it."""
