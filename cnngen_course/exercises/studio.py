"""The exercises of the lesson on the studio: check an upload, compare a network with its file, an interval of stars."""

import io
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from PIL import Image
from scipy.stats import t as student
from torch import Tensor, nn

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, call_for_list, explain_number
from cnngen_course.safety.uploads import cut, encode, make_bomb, make_chunk, make_picture, make_text_bomb

VERDICTS = ("ok", "too large", "no picture", "too many pixels")


def solve_validate(content: bytes, most_bytes: int, most_pixels: int) -> str:
    if len(content) > most_bytes:
        return "too large"
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:  # reads the header only
            if picture.width * picture.height > most_pixels:
                return "too many pixels"
            picture.load()  # now all of it: a cut file is found out here
    except (OSError, SyntaxError, ValueError):
        return "no picture"
    return "ok"


@cache
def make_uploads() -> list[tuple[bytes, int, int, str, str]]:
    """Return files with the limits, what each is, and what to think of where the answer is wrong."""
    good = encode(make_picture())
    return [
        (good, 1_000, 10_000, "a good PNG", "nothing is wrong with it"),
        (encode(make_picture(), "JPEG"), 9_000, 10_000, "a good JPEG", "both formats are welcome"),
        (b"", 1_000, 10_000, "an empty file", "Image.open raises UnidentifiedImageError, an OSError: catch it"),
        (good, len(good), 90 * 60, "a picture exactly at both limits", "at the limit is still allowed"),
        (good, 100, 10_000, "a good PNG of more bytes than allowed", "compare len(content) with most_bytes"),
        (b"?" * 2_000, 1_000, 10_000, "noise of more bytes than allowed", "the cheapest check comes first"),
        (make_bomb(8_000, 7_500), 5_000, 50_000_000, "a small file that claims 60 million pixels", "ask the header"),
        (encode(make_picture(), "PPM"), 99_000, 10_000, "a PPM", 'only formats=("PNG", "JPEG") are welcome'),
        (cut(good), 1_000, 10_000, "half a PNG", "its header is fine; picture.load() reads the rest"),
        (cut(encode(make_picture(), "JPEG")), 9_000, 10_000, "half a JPEG", "only picture.load() reads all of it"),
        (
            make_text_bomb(),
            99_000,
            10_000,
            "a PNG whose comment unpacks to 50 MB",
            "Pillow raises a ValueError: catch it",
        ),
        (spoil(good), 1_000, 10_000, "a PNG with a broken part", "Pillow raises a SyntaxError: catch it"),
        (good, len(good) - 1, 90 * 60, "a picture one byte above the limit", "one byte too many is too large"),
        (good, len(good), 90 * 60 - 1, "a picture one pixel above the limit", "one pixel too many is too many"),
    ]


def spoil(content: bytes) -> bytes:
    """Return a PNG whose pixels come in two parts, and the second one's name is no name."""
    place = content.index(b"IDAT")
    end = place + 4 + int.from_bytes(content[place - 4 : place], "big")
    body = content[place + 4 : end]
    half = len(body) // 2
    parts = make_chunk(b"IDAT", body[:half]) + make_chunk(b"\0\0\0\0", body[half:])
    return content[: place - 4] + parts + content[end + 4 :]


def judge_validate(answer: Any) -> str | None:
    """Judge ``validate(content, most_bytes, most_pixels)``, one of ``VERDICTS``."""
    for content, most_bytes, most_pixels, what, reason in make_uploads():
        got = call(answer, content, most_bytes, most_pixels)
        wanted = solve_validate(content, most_bytes, most_pixels)
        if not isinstance(got, str) or got not in VERDICTS:
            return f"validate should answer one of {', '.join(map(repr, VERDICTS))}; for {what} it gave {got!r:.60}."
        if got != wanted:
            return f"For {what} the answer should be {wanted!r}, got {got!r}. Think of this: {reason}."
    return None


def make_wrong_validate(
    formats: tuple[str, ...] = ("PNG", "JPEG"),
    check_bytes: bool = True,
    check_pixels: bool = True,
    load: bool = True,
    strict: bool = False,
) -> Callable[[bytes, int, int], str]:
    """Return the solution with something left out."""

    def validate(content: bytes, most_bytes: int, most_pixels: int) -> str:
        if check_bytes and len(content) > most_bytes - strict:
            return "too large"
        try:
            with Image.open(io.BytesIO(content), formats=formats) as picture:
                if check_pixels and picture.width * picture.height > most_pixels:
                    return "too many pixels"
                if load:
                    picture.load()
        except (OSError, SyntaxError, ValueError):
            return "no picture"
        return "ok"

    return validate


VALIDATE = Exercise(
    "validate",
    judge_validate,
    (
        "Order the questions by what they cost: the number of bytes, then the header, then the pixels.",
        'Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) reads the header only; then .width and .height are '
        "known. What it can't read raises an OSError.",
        'if len(content) > most_bytes: "too large"; try: open, compare width * height with most_pixels, '
        'picture.load(); except (OSError, SyntaxError, ValueError): "no picture"; at the end "ok".',
    ),
    solve_validate,
    (
        Mistake(make_wrong_validate(check_bytes=False), "compare len(content) with most_bytes"),
        Mistake(make_wrong_validate(check_pixels=False), "ask the header"),
        Mistake(make_wrong_validate(load=False), "picture.load() reads the rest"),
        Mistake(make_wrong_validate(formats=("PNG", "JPEG", "PPM")), "a PPM"),
        Mistake(make_wrong_validate(strict=True), "at the limit is still allowed"),
        Mistake(lambda *_: True, "should answer one of"),
    ),
)


def solve_compare(network: nn.Module, exported: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> float:
    network.eval()
    with torch.no_grad():
        ours, theirs = network(*inputs), exported(*inputs)
    if ours.shape != theirs.shape or theirs.isnan().any():
        return float("inf")
    return (ours - theirs).abs().max().item()


class Scale(nn.Module):
    """A network of two inputs that forgets some of what it sees while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.forget = nn.Dropout(0.5)

    def forward(self, images: Tensor, strength: Tensor) -> Tensor:
        return self.forget(images) * strength[:, None, None, None]


def make_comparisons() -> list[tuple[nn.Module, Callable[..., Tensor], tuple[Tensor, ...], float, str, str]]:
    """Return network, file, inputs, the wanted answer, what the file does, and what to think of."""
    random = torch.Generator().manual_seed(0)
    inputs = torch.rand(3, 1, 6, 6, generator=random) - 0.5, torch.tensor([1.0, 0.5, 0.25])

    def make_file(change: Callable[[Tensor], Tensor] = lambda images: images) -> Callable[..., Tensor]:
        return lambda images, strength: change(Scale().eval()(images, strength))

    def shift(place: tuple[int, ...], by: float, everywhere: float = 0.0) -> Callable[[Tensor], Tensor]:
        def change(images: Tensor) -> Tensor:
            changed = images + everywhere
            changed[place] = images[place] + by
            return changed

        return change

    stretch = "PyTorch would stretch the smaller one: compare the shapes first"
    return [
        (Scale().train(), make_file(), inputs, 0.0, "answers as the network does", "ask in evaluation mode"),
        (Scale().eval(), make_file(shift((0, 0, 5, 5), -0.5, 0.01)), inputs, 0.5,
         "is 0.01 too light, and 0.5 too dark at one pixel", "one bad pixel counts, too light or too dark"),
        (Scale().eval(), make_file(shift((1, 0, 2, 3), 0.25)), inputs, 0.25,
         "is 0.25 too light at one pixel", "the largest counts"),
        (Scale().eval(), make_file(lambda images: images[:1]), inputs, math.inf,
         "answers with one picture instead of three", stretch),
        (Scale().eval(), make_file(lambda images: images.expand(-1, 3, -1, -1)), inputs, math.inf,
         "answers in three colours instead of one", stretch),
        (Scale().eval(), make_file(shift((0, 0, 5, 1), math.nan)), inputs, math.inf,
         "answers NaN at one pixel of the first picture", "NaN is larger than no number: ask for it"),
        (Scale().eval(), make_file(shift((2, 0, 0, 0), math.nan)), inputs, math.inf,
         "answers NaN at one pixel", "NaN is larger than no number: ask for it"),
    ]  # fmt: skip


def judge_compare(answer: Any) -> str | None:
    """Judge ``compare(network, exported, inputs)``, the largest difference, or infinity."""
    for network, exported, inputs, wanted, what, reason in make_comparisons():
        got = call(answer, network, exported, inputs)
        told = f"Where the file {what}, compare"
        if wanted == math.inf or (isinstance(got, float) and not math.isfinite(got)):
            problem = None if got == wanted else f"{told} should give {wanted:g}, got {got!r:.60}."
        else:
            problem = explain_number(got, wanted, told, tolerance=1e-6)
        if problem:
            return f"{problem} Think of this: {reason}."
    return None


def make_wrong_compare(
    measure: Callable[[Tensor], Tensor], mode: bool = True, shapes: bool = True, nan: bool = True
) -> Callable[..., float]:
    """Return the solution with another measure, or something left out."""

    def compare(network: nn.Module, exported: Callable[..., Tensor], inputs: tuple[Tensor, ...]) -> float:
        if mode:
            network.eval()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(0)
            ours, theirs = network(*inputs), exported(*inputs)
        if (shapes and ours.shape != theirs.shape) or (nan and theirs.isnan().any()):
            return math.inf
        return measure(ours - theirs).item()

    return compare


COMPARE = Exercise(
    "compare",
    judge_compare,
    (
        "Ask both with the same inputs: network(*inputs) and exported(*inputs). In which mode must the network be?",
        "The largest of (ours - theirs).abs(). Two cases give infinity instead: other shapes, and NaN.",
        "network.eval(); with torch.no_grad(): both answers; if ours.shape != theirs.shape or theirs.isnan().any(): "
        'return float("inf"); else (ours - theirs).abs().max().item().',
    ),
    solve_compare,
    (
        Mistake(make_wrong_compare(lambda d: d.abs().max(), mode=False), "ask in evaluation mode"),
        Mistake(make_wrong_compare(lambda d: d.abs().mean()), "should be 0.5"),
        Mistake(make_wrong_compare(lambda d: (-d).max()), "too light or too dark"),
        Mistake(make_wrong_compare(lambda d: d.abs().max(), shapes=False), "compare the shapes first"),
        Mistake(make_wrong_compare(lambda d: d.abs().max(), nan=False), "ask for it"),
    ),
)


def solve_interval(stars: Sequence[int]) -> tuple[float, float, float]:
    count, mean = len(stars), sum(stars) / len(stars)
    if count < 2:
        return mean, 1.0, 5.0
    spread = (sum((star - mean) ** 2 for star in stars) / (count - 1)) ** 0.5
    reach = student.ppf(0.975, count - 1) * spread / count**0.5
    return mean, max(1.0, mean - reach), min(5.0, mean + reach)


def make_rated() -> list[tuple[list[int], str]]:
    return [
        ([3, 4, 4, 5, 2, 4], "spread / √n times Student's factor, for six ratings 2.57"),
        ([5, 5, 4], "nobody can give more than 5 stars or less than 1: cut the ends"),
        ([3, 3, 3, 3], "where all agree, the interval has no width"),
        ([1, 1, 2], "nobody can give more than 5 stars or less than 1: cut both ends"),
        ([2, 2, 3, 1, 2], "an end between 1 and 5 stays where it is"),
        ([4, 4], "two ratings are enough for a spread, here 0"),
        ([4], "one rating says nothing of the spread: from 1 to 5"),
    ]


def judge_interval(answer: Any) -> str | None:
    """Judge ``interval(stars)``, (mean, low end, high end)."""
    for stars, reason in make_rated():
        got = call_for_list(answer, stars)
        if not isinstance(got, tuple | list) or len(got) != 3:
            return f"interval should return three numbers (mean, low, high); for {stars} it gave {got!r:.60}."
        for name, value, wanted in zip(("mean", "low end", "high end"), got, solve_interval(stars), strict=True):
            problem = explain_number(value, wanted, f"The {name} for {stars}", tolerance=1e-3)
            if problem:
                return f"{problem} Think of this: {reason}."
    return None


def make_wrong_interval(
    factor: float | None = None, power: float = 0.5, less: int = 1, clip: bool = True, single: float | None = None
) -> Callable[[Sequence[int]], tuple[float, float, float]]:
    """Return the solution with another factor, another power of n, another divisor, or without care for the ends."""

    def interval(stars: Sequence[int]) -> tuple[float, float, float]:
        count, mean = len(stars), sum(stars) / len(stars)
        if count < 2:
            return (mean, mean, mean) if single is not None else (mean, 1.0, 5.0)
        spread = (sum((star - mean) ** 2 for star in stars) / (count - less)) ** 0.5
        reach = (factor or student.ppf(0.975, count - 1)) * spread / count**power
        return (mean, max(1.0, mean - reach), min(5.0, mean + reach)) if clip else (mean, mean - reach, mean + reach)

    return interval


INTERVAL = Exercise(
    "interval",
    judge_interval,
    (
        "The spread of single ratings says how people differ; the mean of n ratings is √n times as steady.",
        "spread: root of the sum of squared distances from the mean, divided by n - 1. "
        "reach: from scipy.stats import t; then t.ppf(0.975, n - 1) * spread / n ** 0.5.",
        "if n < 2: return mean, 1, 5. Else return mean, max(1, mean - reach), min(5, mean + reach).",
    ),
    solve_interval,
    (
        Mistake(make_wrong_interval(factor=1.96), "should be 2.58281, got 2.8"),
        Mistake(make_wrong_interval(power=0), "should be 2.58281, got 1."),
        Mistake(make_wrong_interval(less=0), "should be 2.58281, got 2.6"),
        Mistake(make_wrong_interval(clip=False), "cut the ends"),
        Mistake(make_wrong_interval(single=0), "one rating says nothing"),
        Mistake(lambda stars: sum(stars) / len(stars), "three numbers"),
    ),
)

SHEET = Sheet(VALIDATE, COMPARE, INTERVAL)
check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
