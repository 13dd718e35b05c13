"""p(s' | s, a): networks, normalisation, model cards and their files."""
