"""The autoencoder behind the map of lesson 04: two numbers for a picture, so that each is a point on a plane."""

from cnngen_course.models.autoencoder import Autoencoder
from cnngen_course.recipes.autoencoder import measure, train
from cnngen_course.recipes.recipe import Recipe, main

RECIPE = Recipe(
    name="map_autoencoder",
    model=Autoencoder,
    arguments={"width": 8, "latent_size": 2},
    data="fashion_mnist",
    settings={"steps": 10000, "batch_size": 64, "lr": 4e-3, "average": 0.998},
    train=train,
    measure=measure,
)

if __name__ == "__main__":
    main(RECIPE)
