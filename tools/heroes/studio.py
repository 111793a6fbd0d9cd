"""The hero picture of the lesson on the studio: before and after of each of its tabs, under the tabs' names."""

import io

from PIL import Image, ImageDraw, ImageOps

from cnngen_course.explorers.start_here import compute_walk
from cnngen_course.explorers.translation import STARTS, enlarge, load_start
from cnngen_course.figures import load_font
from cnngen_course.images import to_pil, to_pixels
from cnngen_course.studio import WORKSHOPS, Workshop, make_panel

WIDTH, HEIGHT, GAP, TOP = 900, 300, 8, 36
GUTTER, TITLE = 12, 24  # of put_side_by_side, with which the explorers lay out their pictures
SIDE = 126


def make() -> Image.Image:
    """Return a strip of cards, one a tab, with two pictures each (900 × 300)."""
    hero = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(hero)
    width = (WIDTH - GAP * (len(WORKSHOPS) - 1)) // len(WORKSHOPS)
    for index, workshop in enumerate(WORKSHOPS):
        left = index * (width + GAP)
        draw.rounded_rectangle((left, 0, left + width - 1, HEIGHT - 1), 8, "#F4F6F8", "#0072B2", 2)
        draw.text((left + 12, 8), workshop.title, "#0072B2", load_font(16))
        for row, picture in enumerate(make_pair(workshop)):
            hero.paste(
                ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS),
                (left + (width - SIDE) // 2, TOP + row * (SIDE + 4)),
            )
    return hero


def make_pair(workshop: Workshop) -> tuple[Image.Image, Image.Image]:
    """Return what goes in and what comes out, cut out of the picture that the tab begins with."""
    if workshop.title == "Generate":
        shoe, boot = compute_walk(7, 9, 0.8, 1)[[0, -1]]
        return to_pil(to_pixels(shoe), 9), to_pil(to_pixels(boot), 9)
    shown = Image.open(io.BytesIO(make_panel(workshop).picture.value))
    if workshop.title == "Colour":
        outlines, _ = load_start(next(iter(STARTS)))
        return enlarge(outlines, 320), shown.crop((0, TITLE, 320, TITLE + 320))
    if workshop.title == "Restore":  # damaged in the first row, the network's repair at the end of the second
        return shown.crop((0, 24, 192, 216)), shown.crop((408, 240, 600, 432))
    count = 4 if workshop.title == "Translate" else 2
    side = (shown.width - (count - 1) * GUTTER) // count
    places = [index * (side + GUTTER) for index in range(2)]
    before, after = (shown.crop((left, TITLE, left + side, shown.height)) for left in places)
    return before, after
