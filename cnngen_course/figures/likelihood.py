"""Likelihood: which pixels the answer at one place depends on, and which of them may be seen."""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from cnngen_course.figures import BLUE, ORANGE, RED, make_axes

BLIND = "#F3D3E4"


def plot_seen(maps: dict[str, tuple[Tensor, Tensor]], place: tuple[int, int], size: float = 2.1) -> Figure:
    """Plot what the pixel at ``place`` (marked ?) sees, for each name a pair (seen, earlier) of bool (H, W)."""
    figure, axes = make_axes(1, len(maps), size, 1.2 * size)
    for axis, (name, (seen, earlier)) in zip(axes[0], maps.items(), strict=True):
        kinds = (
            (earlier & seen, BLUE, "", "white"),
            (earlier & ~seen, BLIND, "×", "black"),
            (~earlier & seen, RED, "!", "white"),
        )
        canvas = np.full((*seen.shape, 3), 0.93)
        for chosen, colour, sign, ink in kinds:
            canvas[chosen.numpy()] = to_rgb(colour)
            for row, column in chosen.nonzero().tolist():
                axis.text(column, row, sign, ha="center", va="center", fontsize=8, color=ink, fontweight="bold")
        if not seen[place]:
            canvas[place] = to_rgb(ORANGE)
        axis.text(place[1], place[0], "?", ha="center", va="center", fontsize=9, fontweight="bold")
        axis.imshow(canvas)
        axis.set_xticks(np.arange(seen.shape[1] + 1) - 0.5, [])
        axis.set_yticks(np.arange(seen.shape[0] + 1) - 0.5, [])
        axis.grid(color="white", linewidth=1)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set_title(name, fontsize=10)
    signs = [("?  asked", ORANGE), ("seen", BLUE), ("later, not seen", "0.93")]
    if any((earlier & ~seen).any() for seen, earlier in maps.values()):
        signs.append(("×  earlier, but not seen", BLIND))
    if any((seen & ~earlier).any() for seen, earlier in maps.values()):
        signs.append(("!  seen, but not yet drawn", RED))
    patches = [Patch(facecolor=colour, edgecolor="0.6", label=label) for label, colour in signs]
    figure.legend(handles=patches, loc="outside lower center", ncols=3 if len(maps) < 4 else 5, frameon=False)
    return figure
