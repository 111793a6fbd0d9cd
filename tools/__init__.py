"""Tools of the authors: running and measuring the lessons. Learners do not need them."""
