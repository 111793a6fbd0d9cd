"""A hands-on course on generating images with convolutional networks."""

__version__ = "0.1.0"
