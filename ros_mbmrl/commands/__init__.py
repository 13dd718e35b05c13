"""The jobs behind `mbmrl`: one file per sub-command, each a function from arguments to results."""
