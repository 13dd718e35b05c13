"""Arguments of each sub-command of `mbmrl`; the work itself is in `commands/`."""
