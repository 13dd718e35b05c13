"""System identification: the hexapod's twin, fitted to recordings."""
