"""Rebuilds every data set of the course from the package it came from: ``python course.py rebuild NAME``.

Learners never need this: the results lie in the repository. It is here so that anyone can check where
each picture came from, and repeat the conversion bit for bit.
"""
