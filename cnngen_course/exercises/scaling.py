"""The exercises of the lesson on scaling: share out a batch, pack a checkpoint, read a scaling curve."""

from collections.abc import Collection
from typing import Any

import torch

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, call_for_list


def solve_share_out(pictures: int, processes: int, fits: int) -> tuple[int, int] | None:
    for rounds in range(1, pictures + 1):
        size, rest = divmod(pictures, processes * rounds)
        if rest == 0 and 0 < size <= fits:
            return size, rounds
    return None


# (pictures a step, processes, pictures that fit into one), and what it tells apart; plain cases first
BATCHES = (
    ((32, 2, 64), "each process gets its share of the step's pictures, not all of them"),
    ((64, 1, 16), "what does not fit at once is done in several rounds before the step"),
    ((256, 4, 16), "a round of all processes is batch size times processes"),
    ((96, 2, 20), "batch size × processes × rounds must be exactly the pictures of a step"),
    ((48, 3, 16), "as few rounds as possible: each one more costs time"),
    ((50, 1, 20), "three rounds would be enough, but 50 can't be divided by 3: go on trying"),
    ((64, 1, 4), "there is no limit to the number of rounds"),
    ((4, 1, 1), "where one picture fits, there are as many rounds as pictures"),
    ((30, 4, 8), "where no whole number fits, the answer is None"),
)


def judge_share_out(answer: Any) -> str | None:
    """Judge ``share_out(pictures, processes, fits)``, (batch size, rounds) or None."""
    for case, reason in BATCHES:
        wanted, got = solve_share_out(*case), call_for_list(answer, *case)
        problem = explain_pair(got, wanted, "share_out({}, {}, {})".format(*case), case)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def explain_pair(got: Any, wanted: tuple[int, int] | None, what: str, case: tuple[int, int, int]) -> str | None:
    """Return None if ``got`` is the wanted pair, else what is wrong with it."""
    got = tuple(got) if isinstance(got, list) else got
    if got == wanted and type(got) is type(wanted):
        return None
    if wanted is None or got is None:
        return f"{what} should be {wanted}, got {str(got)[:60]}."
    whole = isinstance(got, tuple) and len(got) == 2 and all(type(part) is int for part in got)
    if not whole:
        return f"{what} should be two whole numbers, (batch size, rounds), got {str(got)[:60]}."
    pictures, processes, fits = case
    if got[0] > fits:
        return f"{what} gives a batch size of {got[0]}, and only {fits} fit."
    total = got[0] * processes * got[1]
    if total != pictures:
        return f"{what} gives {got}: that is a step of {total} pictures, not {pictures}."
    return f"{what} should be {wanted}, got {got}."


def round_up_once(pictures: int, processes: int, fits: int) -> tuple[int, int] | None:
    """The mistake of trying only the fewest rounds in which all would fit."""
    rounds = -(-pictures // (processes * fits))
    size, rest = divmod(pictures, processes * rounds)
    return None if rest else (size, rounds)


SHARE_OUT = Exercise(
    "share_out",
    judge_share_out,
    (
        "A step's pictures = batch size × processes × rounds. Begin with one round: how many does a process get?",
        "Try 1 round, 2 rounds, 3 ... and stop at the first for which the batch size is whole and fits.",
        "size, rest = divmod(pictures, processes * rounds); if rest == 0 and 0 < size <= fits: return size, rounds",
    ),
    solve_share_out,
    (
        Mistake(lambda pictures, processes, fits: (min(pictures, fits), 1), "that is a step of 64 pictures, not 32"),
        Mistake(lambda pictures, processes, fits: (pictures // processes, 1), "only 16 fit"),
        Mistake(lambda pictures, processes, fits: (pictures / processes, 1), "two whole numbers"),
        Mistake(
            lambda pictures, processes, fits: (min(fits, pictures // processes), -(-pictures // (fits * processes))),
            "that is a step of 120 pictures, not 96",
        ),
        Mistake(lambda pictures, processes, fits: round_up_once(pictures, processes, fits), "go on trying"),
        Mistake(lambda pictures, processes, fits: (1, pictures // processes), "should be (16, 1), got (1, 16)"),
        Mistake(
            lambda pictures, processes, fits: solve_share_out(pictures, processes, fits) or (pictures // processes, 1),
            "should be None",
        ),
    ),
)


class TinyTraining:
    """A training so small that all that changes in it has a name: a line is fitted to ten points.

    Momentum, a falling learning rate, a new order of the points each time, and noise on each gradient.
    """

    PARTS = ("weights", "gradients", "optimizer", "step", "random numbers", "place in the data", "losses")

    def __init__(self) -> None:
        self.random = torch.Generator().manual_seed(0)
        x = torch.linspace(-1, 1, 10)
        self.data = torch.stack([x, 3 * x + 1], dim=1)  # (10, 2)
        self.state: dict[str, Any] = {
            "weights": torch.zeros(2),
            "gradients": torch.zeros(2),
            "optimizer": torch.zeros(2),  # the momentum
            "step": 0,
            "place in the data": list(range(10)),  # the points that are still to come in this pass
            "losses": [],
        }

    def play(self, steps: int) -> None:
        for _ in range(steps):
            state = self.state
            if not state["place in the data"]:
                state["place in the data"] = torch.randperm(10, generator=self.random).tolist()
            x, y = self.data[state["place in the data"].pop(0)]
            error = state["weights"][0] * x + state["weights"][1] - y
            state["losses"].append(error.item() ** 2)
            noise = 0.1 * torch.randn(2, generator=self.random)
            state["gradients"] = 2 * error * torch.stack([x, torch.ones(())]) + noise  # made anew in every step
            state["optimizer"] = 0.8 * state["optimizer"] + state["gradients"]
            state["weights"] = state["weights"] - 0.1 / (1 + state["step"]) ** 0.5 * state["optimizer"]
            state["step"] += 1

    def pack(self, parts: Collection[str]) -> dict[str, Any]:
        whole = {name: list(value) if isinstance(value, list) else value for name, value in self.state.items()}
        return {
            name: value
            for name, value in (whole | {"random numbers": self.random.get_state()}).items()
            if name in parts
        }

    def unpack(self, packed: dict[str, Any]) -> None:
        self.state |= {name: value for name, value in packed.items() if name != "random numbers"}
        if "random numbers" in packed:
            self.random.set_state(packed["random numbers"])


def compute_miss(parts: Collection[str], before: int = 7, after: int = 9) -> float:
    """Return how far the weights end from those of a run without a pause, if only ``parts`` outlive the pause."""
    whole, cut, resumed = TinyTraining(), TinyTraining(), TinyTraining()
    whole.play(before + after)
    cut.play(before)
    resumed.unpack(cut.pack(parts))
    resumed.play(after)
    return (whole.state["weights"] - resumed.state["weights"]).abs().max().item()


def solve_checkpoint() -> set[str]:
    return {"weights", "optimizer", "step", "random numbers", "place in the data"}


def judge_checkpoint(answer: Any) -> str | None:
    """Judge a set of parts, by stopping a training and going on with them."""
    names = TinyTraining.PARTS
    if not isinstance(answer, set | frozenset | list | tuple) or not all(isinstance(name, str) for name in answer):
        return f"a set of names is asked for, got {type(answer).__name__}. There are: {', '.join(names)}."
    if unknown := sorted(set(answer) - set(names)):
        return f"there is no part {unknown[0][:40]!r}. There are: {', '.join(names)}."
    miss = compute_miss(answer)
    if miss > 0:
        missing = sorted(solve_checkpoint() - set(answer))
        count = "one part is" if len(missing) == 1 else f"{len(missing)} parts are"
        tried = f"tried with {len(set(answer))} of {len(names)} parts"
        return (
            f"{tried}: a weight ends {miss:.3f} from where it would have been; {count} missing. "
            f"Ask of each part: would the next step differ without it? Think of what {HINTS[missing[0]]}."
        )
    if extra := sorted(set(answer) - solve_checkpoint()):
        return f"it goes on exactly, but also without {extra[0]!r}: the next step does not read it. Leave it out."
    return None


HINTS = {
    "optimizer": "remembers earlier gradients",
    "place in the data": "says which picture comes next",
    "random numbers": "decides noise and order",
    "step": "the learning rate depends on",
    "weights": "has been learned",
}

CHECKPOINT = Exercise(
    "checkpoint",
    judge_checkpoint,
    (
        "Go through one step in your mind. What does it read that an earlier step has written?",
        "Momentum remembers, the learning rate falls with the step, the order and the noise are drawn at random.",
        "All but two: gradients are made anew in every step, and the list of losses is only looked at by people.",
    ),
    solve_checkpoint,
    (
        Mistake({"weights"}, "4 parts are missing"),
        Mistake({"weights", "optimizer", "step"}, "2 parts are missing"),
        Mistake(solve_checkpoint() - {"optimizer"}, "remembers earlier gradients"),
        Mistake(solve_checkpoint() - {"step"}, "the learning rate depends on"),
        Mistake(solve_checkpoint() - {"random numbers"}, "decides noise and order"),
        Mistake(set(TinyTraining.PARTS), "also without 'gradients'"),
        Mistake({"weights", "momentum"}, "there is no part 'momentum'"),
    ),
    solution_gives_answer=True,
)


def solve_choose(curves: dict[int, list[tuple[float, float]]], budget: float) -> int | None:
    affordable = [(bits, width) for width, points in curves.items() for cost, bits in points if cost <= budget]
    return min(affordable)[1] if affordable else None


CURVES = {
    8: [(1.0, 2.4), (2.0, 2.0), (4.0, 1.8), (8.0, 1.75)],
    16: [(3.0, 2.1), (6.0, 1.7), (12.0, 1.5), (24.0, 1.45)],
    32: [(10.0, 1.9), (20.0, 1.4), (40.0, 1.2), (80.0, 1.15)],
}
OVERFITTED = {8: [(1.0, 2.4), (2.0, 1.9), (4.0, 2.2)], 16: [(2.0, 2.3), (4.0, 2.0), (8.0, 1.5)]}
SHORT = {8: [(1.0, 2.0)], 16: [(1.0, 2.2), (2.0, 1.9)]}
QUESTIONS = (
    (CURVES, 100.0, "with plenty to spend, the lowest end of all curves wins"),
    (CURVES, 5.0, "with little to spend, a large network has hardly begun: look only at points you can pay"),
    (CURVES, 14.0, "a larger network's first point can be worse than a smaller one's last"),
    (CURVES, 20.0, "a point that costs exactly the budget can be paid"),
    (SHORT, 1.0, "a curve may have a single point, and its first one may be the best that you can pay"),
    (SHORT, 2.0, "the last point of a curve counts, too"),
    (OVERFITTED, 4.0, "the best point of a curve need not be the last one that you can pay"),
    (CURVES, 0.5, "where nothing can be paid, the answer is None"),
)


def judge_choose(answer: Any) -> str | None:
    """Judge ``choose(curves, budget)``, the width with the fewest bits that can be paid, or None."""
    for curves, budget, reason in QUESTIONS:
        wanted = solve_choose(curves, budget)
        got = call(answer, {width: list(points) for width, points in curves.items()}, budget)
        if type(got) is not type(wanted) or got != wanted:
            what = f"choose with curves of widths {', '.join(map(str, curves))} and a budget of {budget:g}"
            return f"{what} should be {wanted}, got {str(got)[:60]}. Think of this: {reason}."
    return None


def choose_at_the_end(curves: dict[int, list[tuple[float, float]]], budget: float) -> int | None:
    """The mistake of taking each curve's last affordable point."""
    last = [([bits for cost, bits in points if cost <= budget], width) for width, points in curves.items()]
    ends = [(bits[-1], width) for bits, width in last if bits]
    return min(ends)[1] if ends else None


CHOOSE = Exercise(
    "choose",
    judge_choose,
    (
        "Draw a vertical line at the budget. Which points lie left of it, and which of those is the lowest?",
        "Collect (bits, width) of every point of every curve whose cost is at most the budget.",
        "affordable = [(bits, width) for width, points in curves.items() for cost, bits in points if cost <= budget]; "
        "min(affordable)[1], or None if the list is empty.",
    ),
    solve_choose,
    (
        Mistake(lambda curves, budget: max(curves), "a large network has hardly begun"),
        Mistake(lambda curves, budget: min(curves), "the lowest end of all curves wins"),
        Mistake(
            lambda curves, budget: max((w for w, points in curves.items() if points[0][0] <= budget), default=None),
            "should be 8, got 16",
        ),
        Mistake(lambda curves, budget: solve_choose(curves, budget - 1e-6), "costs exactly the budget can be paid"),
        Mistake(choose_at_the_end, "need not be the last one"),
        Mistake(lambda curves, budget: solve_choose(curves, max(budget, 1.0)), "the answer is None"),
    ),
)

SHEET = Sheet(SHARE_OUT, CHECKPOINT, CHOOSE)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
