"""Adversarial training: points over the discriminator's map in some moments, and the curves of a run."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from cnngen_course.experiments.clinic import Run
from cnngen_course.experiments.ring import REACH, Moment
from cnngen_course.figures import BLUE, RED, make_axes


def plot_moments(moments: Sequence[Moment], real: Tensor) -> Figure:
    """Plot points, real and generated, over the discriminator's map (light: "real"), for several moments in a row."""
    figure, axes = make_axes(1, len(moments), 2.3, 2.6)
    for place, moment in zip(axes[0], moments, strict=True):
        extent = (-REACH, REACH, -REACH, REACH)
        place.imshow(moment.scores, cmap="gray", vmin=-0.8, vmax=0.9, extent=extent, interpolation="bilinear")
        place.scatter(*real.T, 7, BLUE, "o", linewidths=0)
        place.scatter(*moment.points.T, 12, RED, "x", linewidths=0.7)
        place.set(title=f"step {moment.step:,}", xticks=[], yticks=[], xlim=extent[:2], ylim=extent[2:])
    names = ("real", "generated")
    figure.legend(axes[0, 0].collections[:2], names, loc="outside lower center", ncols=2, frameon=False)
    return figure


def plot_run(run: Run, title: str = "") -> Figure:
    """Plot the curves of a run: losses, scores, diversity, gradient."""
    figure, axes = make_axes(1, 4, 2.5, 2.3)
    for place, (name, lines) in zip(axes[0], choose_lines(run).items(), strict=False):
        for (label, values), dash in zip(lines.items(), ("-", "--"), strict=False):
            place.plot(range(1, len(values) + 1), values, dash, label=label)
        place.set(title=name, xlabel="step", yscale="log" if name == "gradient" else "linear")
        if name in ("scores", "diversity"):
            place.set_ylim(find_range(name, lines))
        if len(lines) > 1:
            place.legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    return figure


def choose_lines(run: Run) -> dict[str, dict[str, Tensor]]:
    """Sort the curves of a run by the plot that they belong into."""
    curves = run.curves
    lines = {
        "losses": {"discriminator": curves["discriminator_loss"], "generator": curves["generator_loss"]},
        "scores": {"real": curves["score_real"], "generated": curves["score_generated"]},
        "diversity": {"": curves["diversity"]},
    }
    if "gradient" in curves:
        lines["gradient"] = {"": curves["gradient"].clamp(min=1e-6)}  # a logarithm needs more than zero
    return lines


def find_range(name: str, lines: dict[str, Tensor]) -> tuple[float, float]:
    """Return the lowest and highest value to draw: scores and diversity always on one scale, the others cut at 5."""
    if name.startswith("score"):
        return 0.0, 1.0
    if name == "diversity":
        return 0.0, 1.5
    values = torch.cat(list(lines.values()))
    low, high = values.min().item(), values.max().item()
    if name == "losses":
        low, high = max(low, -2.0), min(high, 5.0)
    return low, max(high, low + 0.1)
