"""The interactive part of each lesson."""
