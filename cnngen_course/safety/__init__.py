"""Attacks, hidden faces, marks, what a network gives away, and files from strangers."""
