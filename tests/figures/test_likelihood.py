"""The map of what a pixel sees tells of a leak only where there is one."""

import torch

from cnngen_course.figures.likelihood import plot_seen


def test_the_legend_tells_of_a_leak_only_where_there_is_one() -> None:
    earlier = torch.tensor([[True, False], [False, False]])
    words = [
        [text.get_text() for text in plot_seen({"x": (seen, earlier)}, (0, 1)).legends[0].get_texts()]
        for seen in (earlier, ~earlier)
    ]
    assert "!  seen, but not yet drawn" not in words[0] and "!  seen, but not yet drawn" in words[1]
