"""Training of dynamics models."""
