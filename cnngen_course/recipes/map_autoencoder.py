"""The autoencoder behind the map of clothes: two numbers for a picture, so that each is a point on a plane."""

from dataclasses import replace

from cnngen_course.recipes import autoencoder
from cnngen_course.recipes.recipe import main

RECIPE = replace(autoencoder.RECIPE, name="map_autoencoder", arguments={"width": 8, "latent_size": 2})

if __name__ == "__main__":
    main(RECIPE)
