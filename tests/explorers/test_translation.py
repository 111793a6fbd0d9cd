"""Ink, rubber and dabs become what the network is given; the picture can be saved; the words say what is seen."""

import base64
import io
import re

import torch
from PIL import Image

from cnngen_course.explorers import translation
from cnngen_course.explorers.translation import INK, NOTHING, RUBBER, SIZE, STARTS, make_dab
from cnngen_course.objectives.translation import spread_dabs

LINE = {"tool": "ink", "colour": "#000000", "width": INK["width"], "points": ((0.1, 0.5), (0.9, 0.5))}
WIPE = {"tool": "rubber", "colour": "#ffffff", "width": RUBBER["width"], "points": ((0.5, 0.3), (0.5, 0.7))}


def test_every_start_is_a_held_out_emoji() -> None:
    for name in STARTS:
        outlines, pictures = translation.load_start(name)
        assert outlines.shape == (1, 1, SIZE, SIZE) and pictures.shape == (1, 3, SIZE, SIZE)
    outlines, pictures = translation.load_start(NOTHING)
    assert outlines.min() == 1 and pictures is None


def test_ink_is_black_wherever_it_is_drawn_and_the_rest_stays() -> None:
    outlines, _ = translation.load_start("octopus")
    drawn = translation.draw_ink(outlines, (LINE,))
    assert drawn[0, 0, 32, 8:56].max() < -0.7
    assert torch.equal(drawn[..., :28, :], outlines[..., :28, :])
    assert torch.equal(translation.draw_ink(outlines, ()), outlines)
    assert torch.equal(translation.draw_ink(outlines, (make_dab("red", 0.5, 0.5),)), outlines)


def test_ink_of_any_colour_is_black_and_the_rubber_leaves_paper() -> None:
    paper = torch.ones(1, 1, SIZE, SIZE)
    red = LINE | {"tool": "whatever", "colour": "#ff0000"}
    torch.testing.assert_close(translation.draw_ink(paper, (red,)), translation.draw_ink(paper, (LINE,)))
    wiped = translation.draw_ink(paper, (LINE, WIPE))
    assert wiped[0, 0, 32, 32] == 1 and wiped[0, 0, 32, 10] < -0.7
    assert translation.draw_ink(paper, (WIPE, LINE))[0, 0, 32, 32] < -0.7


def test_a_dab_lies_where_it_was_put_in_its_colour() -> None:
    points = translation.place_dabs((make_dab("red", 0.25, 0.75),))
    assert points.shape == (1, 4, SIZE, SIZE) and points[0, 3].sum() == 1
    colour = torch.tensor([0xD2, 0x2F, 0x27]) / 127.5 - 1
    torch.testing.assert_close(points[0, :3, 48, 16], colour)
    edge = translation.place_dabs((make_dab("blue", 1.0, 1.0),))
    assert edge[0, 3, 63, 63] == 1


def test_the_rubber_takes_older_dabs_away() -> None:
    dab = make_dab("red", 0.5, 0.5)
    assert translation.place_dabs((dab, WIPE)).abs().max() == 0
    assert translation.place_dabs((WIPE, dab))[0, 3].sum() == 1


def test_the_newest_dab_at_a_place_counts() -> None:
    points = translation.place_dabs((make_dab("red", 0.5, 0.5), make_dab("blue", 0.5, 0.5)))
    assert points[0, 3].sum() == 1 and points[0, 2, 32, 32] > 0.5


def test_own_dabs_lie_on_top_of_true_ones() -> None:
    _, pictures = translation.load_start("octopus")
    strokes = tuple(make_dab("green", x / 10, y / 10) for x in range(11) for y in range(11))
    hints, count = translation.make_hints(strokes, pictures, 12)
    own = spread_dabs(translation.place_dabs(strokes))
    assert count == 121 + 12
    torch.testing.assert_close(hints[:, :, own[0, 3] > 0], own[:, :, own[0, 3] > 0])
    true, count = translation.make_hints((), pictures, 5)
    assert count == 5 and 0 < true[0, 3].sum() <= 5 * 21
    assert translation.make_hints((), None, 5)[1] == 0


def test_the_link_holds_the_picture() -> None:
    panel = translation.make_translation_explorer()
    before = panel.link.value
    panel.set_values(start="rose", strokes=())
    link = re.fullmatch(
        r'<a download="drawing.png" href="data:image/png;base64,([^"]+)"><u>[^<]+</u></a>', panel.link.value
    )
    saved = Image.open(io.BytesIO(base64.b64decode(link[1])))
    assert saved.format == "PNG" and saved.size == (translation.SAVED, translation.SAVED) and panel.link.value != before


def test_another_start_begins_without_the_strokes_of_the_last() -> None:
    panel = translation.make_translation_explorer()
    panel.set_values(count=4, strokes=(make_dab("blue", 0.5, 0.5),))
    panel.controls["start"].value = NOTHING
    assert panel.controls["strokes"].value == () and "0.0% of the sheet is ink, with 0 dabs" in panel.describe()
    assert panel.controls["count"].disabled and panel.controls["count"].value == 0  # nothing there has true colours
    panel.controls["start"].value = STARTS[0]
    assert not panel.controls["count"].disabled


def test_a_dab_is_obeyed() -> None:
    """A heart may be pink, blue or grey; one dab decides."""
    panel = translation.make_translation_explorer()
    panel.set_values(start="pink heart", strokes=(make_dab("blue", 0.5, 0.5),))
    assert "Colours of the picture: blue" in panel.describe() and "1 dab of" in panel.describe()
    panel.set_values(strokes=(make_dab("red", 0.5, 0.5),))
    assert "Colours of the picture: red" in panel.describe()


def test_an_empty_sheet_stays_empty() -> None:
    panel = translation.make_translation_explorer()
    panel.set_values(start=NOTHING, strokes=())
    assert "0.0% of the sheet is ink, with 0 dabs" in panel.describe() and "no colour" in panel.describe()
