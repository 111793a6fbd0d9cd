"""One module per file of trained weights: ``python -m cnngen_course.recipes.<name>`` trains it anew."""
