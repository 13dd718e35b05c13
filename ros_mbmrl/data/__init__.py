"""Recordings, rollouts, segments, and the import of foreign logs."""
