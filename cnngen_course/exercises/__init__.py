"""The exercises of each lesson: checks, hints, solutions."""
