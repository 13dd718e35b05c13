"""MuJoCo worlds: terrains, faults, domain randomisation, and rollouts collected in them."""
