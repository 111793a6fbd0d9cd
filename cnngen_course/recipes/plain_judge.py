"""The twin of ``robust_judge``: the same network, the same training, and not one attacked picture."""

from dataclasses import replace

from cnngen_course.recipes import robust_judge
from cnngen_course.recipes.recipe import main

RECIPE = replace(robust_judge.RECIPE, name="plain_judge", settings=robust_judge.RECIPE.settings | {"levels": 0})

if __name__ == "__main__":
    main(RECIPE)
