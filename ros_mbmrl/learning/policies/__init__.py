"""How policies are trained."""
