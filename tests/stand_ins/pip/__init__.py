"""Stands in for pip, which is asked for uv alone."""
