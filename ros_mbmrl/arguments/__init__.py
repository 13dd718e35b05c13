"""What each sub-command of `mbmrl` can be told; the work itself is in `commands/`."""
