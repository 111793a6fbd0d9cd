"""Stored experiments: trainings that a lesson compares, and the measurements that were kept of them."""
