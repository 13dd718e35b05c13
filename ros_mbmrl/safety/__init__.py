"""The last word on every command: a pure state machine."""
