"""The jobs behind `mbmrl`: one file a sub-command, each a function from arguments to results."""
