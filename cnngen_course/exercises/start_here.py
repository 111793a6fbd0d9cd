"""One small exercise, to see how exercises work."""

from typing import Any

from cnngen_course.exercises.report import Exercise, Mistake, Sheet, call, explain_number


def solve_count(height: int, width: int, channels: int) -> int:
    return height * width * channels


def judge_count(answer: Any) -> str | None:
    """Judge ``answer(height, width, channels)``, the count of numbers that hold a picture."""
    for height, width, channels in [(28, 28, 1), (256, 256, 3), (5, 7, 2)]:
        got = call(answer, height, width, channels)
        if channels == 3 and got == height * width:
            return "a colour picture has three numbers at each place. Use channels, too."
        if got == height + width + channels:
            return "you added the three. A row has as many places as the width says, so rows and places multiply."
        if got == height * width + channels:
            return "the channels are not added once, they come at every place: multiply by them."
        what = f"the count for {height} × {width} pixels and {channels} channel{'s' if channels > 1 else ''}"
        if problem := explain_number(got, height * width * channels, what):
            return problem
    return None


SHEET = Sheet(
    Exercise(
        name="count",
        check=judge_count,
        hints=(
            "Think of a sheet of squared paper: how many squares does it have?",
            "A grey picture holds one number in each square, a colour picture three: red, green and blue.",
            "Multiply the three: rows, places in a row, numbers at each place.",
        ),
        solution=solve_count,
        mistakes=(
            Mistake(lambda height, width, channels: height * width, "three numbers at each place"),
            Mistake(lambda height, width, channels: height + width + channels, "you added the three"),
            Mistake(lambda height, width, channels: height * width + channels, "multiply by them"),
            Mistake(lambda height, width, channels: height * width * channels / 1, "whole number"),
            Mistake(lambda height, width, channels: print(end=""), "forget to return"),
        ),
    )
)

check = SHEET.check
hint = SHEET.hint
show_solution = SHEET.show_solution
