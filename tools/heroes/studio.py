"""The hero picture of the lesson on the studio: what each of its tabs shows, side by side under the tabs' names."""

import io

from PIL import Image, ImageDraw, ImageOps

from cnngen_course.figures import load_font
from cnngen_course.studio import WORKSHOPS, make_panel

WIDTH, HEIGHT, GAP = 900, 300, 8


def make() -> Image.Image:
    """Return a strip of cards, one a tab (900 × 300)."""
    hero = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(hero)
    width = (WIDTH - GAP * (len(WORKSHOPS) - 1)) // len(WORKSHOPS)
    for index, workshop in enumerate(WORKSHOPS):
        left = index * (width + GAP)
        draw.rounded_rectangle((left, 0, left + width - 1, HEIGHT - 1), 8, "#F4F6F8", "#0072B2", 2)
        draw.text((left + 12, 8), workshop.title, "#0072B2", load_font(16))
        picture = Image.open(io.BytesIO(make_panel(workshop).picture.value))
        small = ImageOps.contain(picture, (width - 16, HEIGHT - 46), Image.Resampling.LANCZOS)
        hero.paste(small, (left + (width - small.width) // 2, 36 + (HEIGHT - 46 - small.height) // 2))
    return hero
