"""Policies without a model of the robot, and what learns them: TRPO and MAML-RL."""
