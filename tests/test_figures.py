"""Figures are whole JPEG files, carry their alt text, and leave no state behind."""

import html
import io
import re

import nbformat
import pytest
import torch
from IPython.display import Image as DisplayedImage
from nbconvert import HTMLExporter
from PIL import Image

from cnngen_course import figures
from cnngen_course.figures import encode_figure, plot_curves, plot_images, plot_matrix, plot_rows, show
from cnngen_course.paths import ROOT
from cnngen_course.training import History

IMAGES = torch.linspace(-1, 1, 3 * 1 * 8 * 8).view(3, 1, 8, 8)
FIGURES = {
    "images": lambda: plot_images(IMAGES, ["one", "two", "three"]),
    "photographs of two sizes": lambda: plot_images([torch.zeros(3, 9, 5, dtype=torch.uint8), torch.ones(3, 4, 7)]),
    "rows": lambda: plot_rows({"above": IMAGES, "below": IMAGES[:2]}, column_titles=["a", "b", "c"]),
    "matrix": lambda: plot_matrix(torch.eye(3), labels=["a", "b", "c"], decimals=1),
    "matrix with a scale": lambda: plot_matrix(torch.rand(5, 7)),
    "curves": lambda: plot_curves({"a": [1, 2, 3], "b": ([1, 10], [3, 4])}, "x", "y", log="xy"),
    "history": lambda: figures.plot_history(History(steps=[{"loss": 2.0}, {"loss": 1.0}])),
    "bars": lambda: figures.plot_bars({"a": 1.0, "b": 2.0}, "height"),
}


@pytest.mark.parametrize("make", FIGURES.values(), ids=FIGURES.keys())
def test_a_figure_becomes_a_picture_with_something_on_it(make) -> None:
    picture = Image.open(io.BytesIO(encode_figure(make())))
    assert picture.format == "JPEG" and min(picture.size) > 60
    darkest, brightest = picture.convert("L").getextrema()
    assert brightest - darkest > 100


def test_show_stores_the_alt_text_beside_the_picture(monkeypatch) -> None:
    shown: list[DisplayedImage] = []
    monkeypatch.setattr(figures, "display", shown.append)
    show(plot_images(IMAGES), alt="three grey gradients")
    data, metadata = shown[0]._repr_mimebundle_()
    assert set(data) == {"image/png"}  # few colours: sharp, and smaller than a JPEG
    assert metadata["image/png"]["alt"] == "three grey gradients"


def test_the_alt_text_reaches_a_web_page() -> None:
    """With nbconvert's classic template, as ELSEWHERE.md says: the usual one, "lab", drops it."""
    data, metadata = figures.prepare_display(FIGURES["images"](), "A <small> test's picture")._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data, metadata=metadata)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("show()", outputs=[output])])
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    found = re.search(r'<img [^>]*alt="([^"]*)"', page)
    assert html.unescape(found[1]) == "A <small> test's picture"
    told = (ROOT / "ELSEWHERE.md").read_text(encoding="utf-8")
    assert "nbconvert --to html --template classic" in told


def test_a_colour_picture_keeps_its_colours() -> None:
    red = torch.tensor([1.0, -1, -1])[:, None, None].expand(3, 8, 8)
    picture = Image.open(io.BytesIO(encode_figure(plot_images([red])))).convert("RGB")
    centre = picture.getpixel((picture.width // 2, picture.height // 2))
    assert centre[0] > 200 and centre[1] < 60 and centre[2] < 60


def test_history_is_smoothed_by_the_mean_of_the_last_steps() -> None:
    history = History(steps=[{"loss": value} for value in (4.0, 2.0, 0.0)])
    assert history.curve("loss") == [4.0, 2.0, 0.0]
    assert history.curve("loss", smooth=2) == [4.0, 3.0, 1.0]


def test_a_live_picture_is_drawn_once_and_then_replaced(monkeypatch) -> None:
    shown, replaced = [], []

    class Place:
        update = replaced.append

    monkeypatch.setattr(figures, "display", lambda picture, display_id: shown.append(picture) or Place())
    live = figures.Live()
    for number in range(3):
        live.show(Image.new("RGB", (60, 60)), f"picture number {number}")
    assert [picture.metadata["alt"] for picture in shown] == ["picture number 0"]
    assert [picture.metadata["alt"] for picture in replaced] == ["picture number 1", "picture number 2"]


def test_progress_shows_training_as_a_line_and_tests_as_dots() -> None:
    history = History([{"accuracy": 0.0}, {"accuracy": 1.0}], [{"step": 2, "accuracy": 0.4}])
    line, dots = figures.plot_progress(history, smooth=2).axes[0].lines
    assert line.get_ydata().tolist() == [0.0, 0.5]
    assert (list(dots.get_xdata()), list(dots.get_ydata())) == ([2], [0.4])
