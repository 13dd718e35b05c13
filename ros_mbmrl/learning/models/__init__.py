"""How dynamics models are trained."""
