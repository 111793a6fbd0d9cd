"""The arithmetic behind the explorers of the lesson on upsampling."""

import pytest
import torch

from cnngen_course.explorers.upsampling import draw_upsampling
from cnngen_course.metrics import compute_checkerboard


def test_checkerboard_is_the_energy_at_its_frequencies() -> None:
    """A pattern of period 2 lies at the frequencies 0 and 1/2: the discrete Fourier transform agrees (Parseval)."""
    image = torch.rand(1, 1, 8, 12, dtype=torch.double)
    spectrum = torch.fft.fft2(image[0, 0]).abs() / (8 * 12)
    energy = spectrum[0, 6] ** 2 + spectrum[4, 0] ** 2 + spectrum[4, 6] ** 2
    assert compute_checkerboard(image, 2).item() == pytest.approx(energy.sqrt().item())


def test_checkerboard_of_known_patterns() -> None:
    ramp = torch.linspace(0, 1, 9).repeat_interleave(3).expand(1, 1, 27, 27)
    board = (torch.arange(10)[:, None] + torch.arange(10)) % 2 * 2.0 - 1
    assert compute_checkerboard(ramp, 3).item() == pytest.approx(0, abs=1e-6)
    assert compute_checkerboard(torch.stack([board, 3 * board])[:, None], 2).tolist() == pytest.approx([1, 3])
    assert compute_checkerboard(board[None, None], 1).item() == 0


def test_the_words_tell_good_from_bad() -> None:
    bad = draw_upsampling(None, "ankle boot", "transposed", "equal", 3, 2).text
    good = draw_upsampling(None, "ankle boot", "transposed", "equal", 4, 2).text
    assert "1 or 2 or 4 products, not equally many" in bad and "checkerboard that one sees" in bad
    assert "4 products, equally many" in good and "no visible checkerboard" in good
