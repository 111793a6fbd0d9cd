"""Scaling: the curves of a series of networks against what they cost, and the same in words."""

from matplotlib.figure import Figure

from cnngen_course.experiments.scaling import Run, find_best, load_series
from cnngen_course.figures import BLACK, BLUE, ORANGE, PALETTE, RED, make_axes

MARK = "o", "s", "^", "D"


def format_size(name: str, value: float) -> str:
    return f"{value:,.0f} pictures" if name == "pictures" else f"{name} {value:.0f}"


def get_size(run: Run, name: str) -> int:
    return getattr(run.setup, name)


def plot_series(name: str, budget: float | None = None, with_train: bool = True) -> Figure:
    """Plot the bits of a series against its size at the end, and of each run against what it has cost so far."""
    runs = load_series(name)
    figure, axes = make_axes(1, 2, 3.6, 2.9)
    left, right = axes[0]
    sizes = [get_size(run, name) for run in runs]
    left.plot(sizes, [run.test[-1] for run in runs], "o-", color=BLUE, label="test")
    if with_train:
        left.plot(sizes, [run.train[-1] for run in runs], "s--", color=ORANGE, label="training")
    left.set(xscale="log", xlabel=name, ylabel="bits a pixel at the end")
    left.set_xticks(sizes, [f"{size:,}" for size in sizes])
    left.minorticks_off()
    left.legend(frameon=False)
    for run, colour, mark in zip(runs, PALETTE, MARK, strict=False):
        label = format_size(name, get_size(run, name))
        right.plot(run.compute_cost(), run.test, mark + "-", color=colour, markersize=4, linewidth=1.5, label=label)
    right.set(xscale="log", xlabel="multiplications spent", ylabel="bits a pixel, test")
    if budget is not None:
        right.axvline(budget, color=BLACK, linestyle=":", linewidth=1.5)
        best = find_best(runs, budget)
        if best is not None:
            run, place = best
            right.plot(run.compute_cost()[place], run.test[place], "o", color=RED, markersize=11, fillstyle="none")
    right.legend(frameon=False, fontsize=8)
    return figure


def describe_scaling(name: str, budget: float, with_train: bool) -> str:
    runs = load_series(name)
    small, large = runs[0], runs[-1]
    best = find_best(runs, budget)
    sizes = [format_size(name, get_size(run, name)) for run in (small, large)]
    ends = f"From {sizes[0]} to {sizes[1]}, the bits a pixel at the end fall from {small.test[-1]:.3f} to "
    ends += f"{large.test[-1]:.3f} on test pictures"
    if with_train:
        ends += f" (training: {small.train[-1]:.3f} to {large.train[-1]:.3f})"
    if best is None:
        return f"{ends}. For {budget:.1e} multiplications none of them has come to its first measurement."
    run, place = best
    return (
        f"{ends}. For {budget:.1e} multiplications the best is {format_size(name, get_size(run, name))} after "
        f"{run.steps[place]} steps: {run.test[place]:.3f} bits."
    )
