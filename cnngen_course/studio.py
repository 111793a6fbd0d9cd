"""The studio: the lessons' explorers as one application, a tab each, with stars that are written into a file.

``notebooks/app/studio.ipynb`` shows it, ``python3 course.py studio`` serves that notebook with Voila. A tab is built
when it is first opened, so that the page is there at once.
"""

import base64
import html
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import torch

from cnngen_course.experiments.pieces import compute_chances
from cnngen_course.explorers.panel import Panel, Shown
from cnngen_course.explorers.start_here import compute_walk
from cnngen_course.explorers.studio import StarBar, describe_ratings, make_rating_explorer
from cnngen_course.figures import encode_figure
from cnngen_course.figures.studio import plot_means
from cnngen_course.paths import ROOT, DamagedFileError
from cnngen_course.ratings import LONGEST, Rating, RatingBook, RatingsError, evaluate, name_visitor

RATINGS_VARIABLE = "CNNGEN_RATINGS"


@dataclass(frozen=True)
class Workshop:
    """One tab of the studio.

    Attributes:
        title: on the tab.
        promise: one sentence about what a visitor can do here.
        explorer: module and function that make its panel.
        lesson: where to learn how it works.
    """

    title: str
    promise: str
    explorer: tuple[str, str]
    lesson: str


WORKSHOPS = (
    Workshop(
        "Generate",
        "Clothes that nobody has sewn: choose two kinds, and walk from one to the other.",
        ("start_here", "make_walk_explorer"),
        "08",
    ),
    Workshop(
        "Restore",
        "Paint over a photograph, also one of yours, and see three ways to repair it.",
        ("inpainting", "make_inpainting_explorer"),
        "10",
    ),
    Workshop(
        "Colour",
        "Draw, dab a colour here and there, and the network paints the rest.",
        ("translation", "make_translation_explorer"),
        "11",
    ),
    Workshop(
        "Translate",
        "Drawn heads become cats, and cats become heads.",
        ("animals", "make_heads_explorer"),
        "12",
    ),
    Workshop(
        "Stylise",
        "A photograph, also one of yours, as a painting or a comic.",
        ("style", "make_style_explorer"),
        "13",
    ),
)


def find_ratings() -> Path:
    """Return the file for ratings: the one that ``--ratings`` chose, or ``ratings.sqlite3`` in the repository."""
    return Path(os.environ.get(RATINGS_VARIABLE) or ROOT / "ratings.sqlite3")


def make_panel(workshop: Workshop) -> Panel:
    """Import and build the panel of a tab; each brings its networks along, which takes a moment."""
    module, maker = workshop.explorer
    return getattr(importlib.import_module(f"cnngen_course.explorers.{module}"), maker)()


class Studio(Shown, widgets.VBox):
    """The tabs. Everything that a visitor does lives in this object, and each visitor gets one of their own.

    Args:
        book: where the stars go.
    """

    def __init__(self, book: RatingBook) -> None:
        self.book = book
        self.visitor = name_visitor()
        self.panels: dict[str, Panel] = {}
        self.bars: dict[str, StarBar] = {}
        makers: dict[str, Callable[[], widgets.Widget]] = {
            workshop.title: partial(self.make_workshop, workshop) for workshop in WORKSHOPS
        }
        makers |= {"Rate": self.make_rating, "Results": self.make_results}
        self.makers = list(makers.items())
        self.tabs = widgets.Tab([widgets.VBox([widgets.HTML("One moment ...")]) for _ in makers], titles=list(makers))
        self.built: set[int] = set()
        self.tabs.observe(self._follow, "selected_index")
        heading = widgets.HTML(
            "<h1>The studio</h1><p>Everything here is drawn by small convolutional networks on this one computer. "
            "Pictures that you bring stay in its memory while you are here, and are never stored; stars are stored, "
            "without a name.</p>"
        )
        super().__init__([heading, self.tabs])
        self.add_class("cnngen-studio")
        self.tabs.selected_index = 0
        self.build(0)

    def build(self, index: int) -> None:
        """Build a tab unless it is there already; the results are always built anew."""
        title, make = self.makers[index]
        if index in self.built and title != "Results":
            return
        try:
            shown = make()
            self.built.add(index)
        except (DamagedFileError, RatingsError) as error:  # the other tabs still work, and this one when it is mended
            shown = widgets.HTML(f'<p role="status">⚠ {html.escape(str(error))}</p>')
        self.tabs.children[index].children = (shown,)

    def _follow(self, change: dict[str, Any]) -> None:
        if change["new"] is not None:  # all tabs may be closed
            self.build(change["new"])

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """In a saved notebook, the studio is the picture of its first tab."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if not bundle:
            return bundle
        first = self.panels[WORKSHOPS[0].title]
        words = f"The studio with the tabs {', '.join(self.tabs.titles)}. {first.describe()}"
        still = {"image/jpeg": base64.b64encode(first.picture.value).decode(), "text/plain": words}
        return {**bundle, **still}, {"image/jpeg": {"alt": words}}

    def make_workshop(self, workshop: Workshop) -> widgets.Widget:
        panel = make_panel(workshop)
        bar = StarBar(lambda stars: self.rate(workshop.title, stars))
        self.panels[workshop.title], self.bars[workshop.title] = panel, bar
        words = widgets.HTML(
            f"<p>{html.escape(workshop.promise)} <small>How it works: lesson {workshop.lesson}.</small></p>"
        )
        asked = widgets.HTML("How good is what you see?")
        return widgets.VBox([words, panel, widgets.HBox([asked, bar], layout=widgets.Layout(flex_flow="row wrap"))])

    def make_rating(self) -> widgets.Widget:
        panel = make_rating_explorer(self.book, self.visitor)
        self.panels["Rate"], self.bars["Rate"] = panel, panel.bar
        words = widgets.HTML("<p>Who drew it? You learn that when you have given your stars.</p>")
        return widgets.VBox([words, panel])

    def make_results(self) -> widgets.Widget:
        """Show all ratings so far, of this visitor and of those before."""
        ratings = self.book.load()
        words = widgets.HTML(f'<p role="status">{html.escape(describe_ratings(ratings))}</p>')
        if not ratings:
            return words
        picture = widgets.Image(value=encode_figure(plot_means(evaluate(ratings))), format="jpeg")
        picture.layout.max_width = "44em"
        return widgets.VBox([picture, words])

    def rate(self, title: str, stars: int) -> str:
        """Store stars for what a tab shows now; return the sentence to say."""
        values = self.panels[title].values()
        self.book.add(Rating(title, describe_condition(values), stars, self.visitor, find_chance(title, values)))
        return f"Thank you: {'★' * stars} are stored, beside the settings and nothing else."


def describe_condition(values: dict[str, Any]) -> str:
    """Return the settings of a panel as a short text, without what a visitor drew or brought."""
    plain = {name: value for name, value in values.items() if isinstance(value, bool | int | float | str)}
    return (", ".join(f"{name}={value}" for name, value in plain.items()) or "as it is")[:LONGEST]


def find_chance(title: str, values: dict[str, Any]) -> float | None:
    """Return how sure the judge is of the nearer class of what the tab shows; None where no class is wanted."""
    if title != "Generate":
        return None
    images = compute_walk(*(values[name] for name in ("start", "end", "variety", "seed")))
    place = values["place"]
    wanted = values["start"] if 2 * place < len(images) else values["end"]
    return compute_chances(images[[place]], torch.tensor([wanted])).item()


def make_studio(book: RatingBook | None = None) -> Studio:
    """Return the studio; without a book, stars go into the file that ``find_ratings`` names."""
    return Studio(book or RatingBook(find_ratings()))
