"""Translation: a picture with the windows that a patch discriminator looks through."""

from matplotlib.figure import Figure
from PIL import ImageDraw
from torch import Tensor

from cnngen_course.figures import ORANGE, load_font, make_axes
from cnngen_course.images import to_pil, to_pixels


def plot_window(images: Tensor, windows: dict[str, tuple[int, int, int]]) -> Figure:
    """Plot a picture (C, H, W) with named square windows (left, top, side) in pixels."""
    figure, axes = make_axes(1, 1, 2.8, 2.8)
    picture = to_pil(to_pixels(images), 6).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for (name, (left, top, side)), line in zip(windows.items(), (ORANGE, "#0072B2", "#009E73"), strict=False):
        box = [6 * edge for edge in (left, top, left + side, top + side)]
        pen.rectangle(box, outline=line, width=5)
        pen.text((max(0, box[0]) + 8, max(0, box[1]) + 5), name, line, load_font(20))
    axes[0, 0].imshow(picture)
    axes[0, 0].set_axis_off()
    return figure
