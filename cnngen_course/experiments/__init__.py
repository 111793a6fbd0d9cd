"""Experiments: trainings that a lesson compares, what was measured of them, and trained networks looked at closely."""
