"""Data collection by a random policy, a keyboard or a joystick, in episodes."""
