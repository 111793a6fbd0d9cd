"""The pictures at the top of the lessons, each made by the course's own code."""
