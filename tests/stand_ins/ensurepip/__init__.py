"""Stands in for the module that brings pip: quick, and without a network."""
