"""The hero picture of the lesson on convolution: one photograph, and what three operations make of it."""

import torch
from PIL import Image, ImageDraw, ImageFont

from cnngen_course.galleries import load_photo
from cnngen_course.images import crop_square, from_pil, to_images, to_pil, to_pixels
from cnngen_course.operations import convolve, make_kernel, pool, resize_nearest

SIZE, GAP, POOLED = 222, 4, 6


def make() -> Image.Image:
    """Return four squares side by side (900 × 222)."""
    photo = crop_square(to_pil(load_photo("animal_chelsea").pixels), SIZE)
    images = to_images(from_pil(photo))[None]  # (1, 3, H, W)
    channels = images.transpose(0, 1)  # (3, 1, H, W), each colour by itself
    across, down, relief = (
        convolve(channels, make_kernel(name)[None, None], padding=1)
        for name in ("Sobel, upright edges", "Sobel, level edges", "emboss")
    )
    parts = {
        "photograph": images,
        "edges (Sobel)": torch.hypot(across, down).transpose(0, 1) - 1,
        "emboss": relief.mean(0, keepdim=True).expand(1, 3, -1, -1),
        "max pooling": resize_nearest(pool(images, POOLED), POOLED),
    }
    canvas = Image.new("RGB", (4 * (SIZE + GAP) - GAP, SIZE), "white")
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(15)
    for index, (name, part) in enumerate(parts.items()):
        left = index * (SIZE + GAP)
        canvas.paste(to_pil(to_pixels(part[0])), (left, 0))
        x, y = left + 12, SIZE - 18
        draw.rectangle((x - 6, y - 12, x + draw.textlength(name, font) + 6, y + 11), fill="white")
        draw.text((x, y), name, "black", font, anchor="lm")
    return canvas
