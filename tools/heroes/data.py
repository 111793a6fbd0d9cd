"""The hero picture of the lesson on data: a boot and a shirt appear from the mean, from 0 to 784 components."""

from PIL import Image, ImageDraw

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.figures import load_font
from cnngen_course.images import to_pil, to_pixels
from cnngen_course.linear import compute_principal_components

COUNTS = (0, 2, 5, 15, 40, 120, 784)
SHOWN = ((9, 3), (0, 2))  # label and place among the test pictures of that label: a boot and a striped T-shirt
TILE, GAP, LEGEND = 124, 5, 26


def make() -> Image.Image:
    """Return the picture (898 × 279)."""
    pca = compute_principal_components(load_fashion_mnist("train").images)
    test = load_fashion_mnist("test")
    shown = [test.images[(test.labels == label).nonzero()[place]] for label, place in SHOWN]
    canvas = Image.new("RGB", (len(COUNTS) * (TILE + GAP) - GAP, 2 * (TILE + GAP) - GAP + LEGEND), "white")
    draw = ImageDraw.Draw(canvas)
    for column, count in enumerate(COUNTS):
        left = column * (TILE + GAP)
        for row, images in enumerate(shown):
            picture = to_pil(to_pixels(pca.reconstruct(images, count)[0]))
            canvas.paste(picture.resize((TILE, TILE), Image.NEAREST), (left, row * (TILE + GAP)))
        words = "the mean" if count == 0 else f"{count} components"
        draw.text((left + TILE / 2, canvas.height - 4), words, "black", load_font(14), anchor="ms")
    return canvas
