"""Rate pictures without knowing who drew them, and see what a studio answers to hostile files."""

import html
from collections.abc import Callable

import ipywidgets as widgets
from PIL import Image, ImageDraw, ImageOps

from cnngen_course.datasets import load_fashion_mnist
from cnngen_course.experiments.pieces import QUESTIONS, SOURCES, Piece, make_pieces
from cnngen_course.explorers.panel import Panel, PictureUpload, View
from cnngen_course.figures import GREEN, RED, load_font, put_side_by_side
from cnngen_course.figures.charts import draw_interval
from cnngen_course.images import to_pil, to_pixels
from cnngen_course.metrics import Estimate
from cnngen_course.ratings import (
    STARS,
    Rating,
    RatingBook,
    RatingList,
    RatingsError,
    compute_agreement,
    evaluate,
    name_visitor,
)
from cnngen_course.safety.uploads import SPECIMENS, judge_file

WIDTH, HEIGHT = 660, 300


class StarBar(widgets.HBox):
    """Five buttons, one to five stars, and a line that says what became of them.

    Args:
        give: called with the number of stars; returns the sentence to show.
    """

    def __init__(self, give: Callable[[int], str]) -> None:
        self.give = give
        self.buttons = [
            widgets.Button(
                description="★" * stars, tooltip=f"{stars} of 5 stars", layout=widgets.Layout(width=f"{2.2 + stars}em")
            )
            for stars in STARS
        ]
        for stars, button in zip(STARS, self.buttons, strict=True):
            button.on_click(lambda _, stars=stars: self.rate(stars))
        self.said = widgets.HTML()
        super().__init__([*self.buttons, self.said], layout=widgets.Layout(flex_flow="row wrap", align_items="center"))
        self.add_class("cnngen-stars")

    def rate(self, stars: int) -> None:
        """Give stars; a file that cannot be written to is told beside the buttons."""
        try:
            sentence = self.give(stars)
        except RatingsError as error:
            sentence = f"⚠ {error}"
        self.said.value = f'<span role="status">{html.escape(sentence)}</span>'


class RatingPanel(Panel):
    """A panel with stars below its controls.

    Args (beside those of ``Panel``):
        bar: where the stars are given.
    """

    def __init__(self, draw: Callable[..., View], controls: dict[str, widgets.Widget], bar: StarBar) -> None:
        self.bar = bar
        bar.layout.width, bar.layout.max_width = "26em", "100%"  # as the controls; what it says goes below
        super().__init__(draw, controls, also_shown=(bar,))


def make_rating_explorer(book: RatingBook | None = None, visitor: str | None = None) -> RatingPanel:
    """Give stars to pictures without knowing who drew them, and watch the evaluation grow.

    Without a book the stars are kept in memory only; without a visitor's name, this is a visit of its own.
    """
    book, visitor = book or RatingList(), visitor or name_visitor()

    def draw(series: int, number: int) -> View:
        ratings = [rating for rating in book.load() if rating.model in SOURCES]
        piece = make_pieces(series)[number]
        return View(draw_rating(piece, number, evaluate(ratings)), describe_rating(piece, series, number, ratings))

    def give(stars: int) -> str:
        series, number = (control.value for control in (controls["series"], controls["number"]))
        piece = make_pieces(series)[number]
        condition = load_fashion_mnist("test").class_names[piece.label]
        book.add(Rating(piece.source, condition, stars, visitor, piece.judge))
        if number + 1 < QUESTIONS:
            controls["number"].value = number + 1
        else:
            panel.redraw()
        return f"{'★' * stars} for picture {number + 1}. It was: {piece.source}."

    controls = {
        "series": widgets.IntSlider(0, 0, 20, description="series"),
        "number": widgets.IntSlider(0, 0, QUESTIONS - 1, description="picture"),
    }
    panel = RatingPanel(draw, controls, StarBar(give))
    return panel


def draw_rating(piece: Piece, number: int, results: dict[str, Estimate]) -> Image.Image:
    """Draw the picture large, and beside it the mean stars of each source with its interval."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(picture)
    wanted = load_fashion_mnist("test").class_names[piece.label]
    draw.text((4, 4), f"{number + 1} of {QUESTIONS}: this shall be a picture of: {wanted}", "black", load_font(14))
    picture.paste(to_pil(to_pixels(piece.image)[0], 9), (4, 34))
    draw.text((290, 34), "mean stars so far (bar: 95% interval)", "black", load_font(12))
    for row, source in enumerate(SOURCES):
        draw_mean(draw, 66 + 38 * row, source, results.get(source))
    return picture


def draw_mean(draw: ImageDraw.ImageDraw, top: int, source: str, mean: Estimate | None) -> None:
    """Draw one line of the evaluation: the name, and the mean on a scale from 1 to 5."""
    draw.text((290, top), source, "black", load_font(12))
    words = f"{mean.value:.1f}, n {mean.n}" if mean else "none yet"
    draw_interval(draw, (430, top), 144, STARS, mean, words)


def describe_rating(piece: Piece, series: int, number: int, ratings: list[Rating]) -> str:
    """Say what is asked, and what the stars so far say; who drew the picture stays hidden."""
    wanted = load_fashion_mnist("test").class_names[piece.label]
    asked = f"Picture {number + 1} of {QUESTIONS} in series {series} shall show: {wanted}. How good is it, in stars?"
    return f"{asked} {describe_ratings(ratings)}"


def describe_ratings(ratings: list[Rating]) -> str:
    """Sum up ratings in words: the mean of each model, and whether stars and judge agree."""
    if not ratings:
        return "Nobody has given stars yet."
    means = "; ".join(
        f"{name} {mean.value:.2f} [{mean.low:.2f} to {mean.high:.2f}], n = {mean.n}"
        for name, mean in evaluate(ratings).items()
    )
    counts = {"rating": len(ratings), "visitor": len({rating.visitor for rating in ratings})}
    number, visitors = (f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items())
    text = f"{number} by {visitors}. Mean stars: {means}."
    try:
        agreement = compute_agreement(ratings)
    except ValueError as error:
        return f"{text} Does the judge agree? Not known yet: {error}."
    return (
        f"{text} Rank correlation of stars and judge: {agreement.value:.2f} "
        f"[{agreement.low:.2f} to {agreement.high:.2f}], n = {agreement.n}."
    )


def make_upload_explorer() -> Panel:
    """Choose a hostile file or bring one of your own, and see what a studio answers."""

    def draw(specimen: str, upload: Image.Image | None) -> View:
        content = SPECIMENS[specimen].make()
        answers = {f"{specimen} ({describe_bytes(len(content))})": judge_file(content)}
        if upload:
            answers["your own file"] = upload, f"taken: {upload.width} × {upload.height} pixels"
        cards = [draw_answer(*answer) for answer in answers.values()]
        text = " ".join(f"{name[0].upper() + name[1:]}: {sentence}" for name, (_, sentence) in answers.items())
        return View(put_side_by_side(cards, list(answers)), text)

    controls = {
        "specimen": widgets.Dropdown(options=list(SPECIMENS), description="file"),
        "upload": PictureUpload(lambda picture: picture, "or your own", accept=""),
    }
    return Panel(draw, controls)


def describe_bytes(count: int) -> str:
    """Return a size in words, e.g. "31 MB"."""
    for unit, size in (("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.0f} {unit}"
    return f"{count} bytes"


def draw_answer(picture: Image.Image | None, sentence: str) -> Image.Image:
    """Draw what a visitor gets: their picture in a green frame, or the sentence in a red one."""
    card = Image.new("RGB", (460, 200), "white")
    draw = ImageDraw.Draw(card)
    draw.rectangle((1, 1, 458, 198), outline=GREEN if picture else RED, width=3)
    if picture:
        fitted = ImageOps.contain(picture, (420, 150))
        card.paste(fitted, ((card.width - fitted.width) // 2, 12))
        draw.text((16, 172), sentence, "black", load_font(13))
    else:
        for row, line in enumerate(split_lines(sentence)):
            draw.text((16, 16 + 20 * row), line, "black", load_font(13))
    return card


def split_lines(sentence: str, length: int = 58) -> list[str]:
    lines = [""]
    for word in sentence.split():
        if len(lines[-1]) + len(word) > length:
            lines.append("")
        lines[-1] += f"{word} "
    return lines
