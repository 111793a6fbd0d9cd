"""How probable is a picture? Exact likelihood with a PixelCNN, and drawing pictures from its probabilities."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from cnngen_course.models.pixelcnn import PixelCNN


def to_levels(images: Tensor, level_count: int = 16) -> Tensor:
    """Round [-1, 1] down to ``level_count`` equal steps of grey: (N, 1, H, W) float -> int64 of the same shape."""
    if images.ndim != 4 or images.shape[1] != 1 or not images.is_floating_point():
        raise ValueError(f"images are grey floats of shape (N, 1, H, W), got {images.dtype} {tuple(images.shape)}")
    if not (images.abs() <= 1.001).all():  # NaN compares as false
        raise ValueError("images lie in [-1, 1] and hold no NaN: use to_images()")
    pixels = ((images + 1) * 127.5).round().clamp(0, 255)
    return (pixels * level_count / 256).long()


def to_grey(levels: Tensor, level_count: int = 16) -> Tensor:
    """Return the pictures that levels stand for, [-1, 1]: the first level is black, the last is white."""
    return levels.float() * (2 / (level_count - 1)) - 1


def check_levels(model: PixelCNN, levels: Tensor) -> None:
    """Raise ValueError unless ``levels`` are what the model reads: (N, 1, size, size) int64 within its levels."""
    if levels.dtype != torch.int64 or levels.shape[1:] != (1, model.size, model.size):
        expected = f"(N, 1, {model.size}, {model.size})"
        raise ValueError(
            f"levels are int64 of shape {expected}, got {levels.dtype} {tuple(levels.shape)}: use to_levels()"
        )
    if len(levels) and not 0 <= levels.min() <= levels.max() < model.level_count:
        raise ValueError(f"levels lie in 0 ... {model.level_count - 1}, got {levels.min()} ... {levels.max()}")


def check_labels(model: PixelCNN, labels: Tensor) -> None:
    """Raise ValueError unless ``labels`` are classes that the model knows, (N,) int64."""
    if labels.ndim != 1 or labels.dtype != torch.int64:
        raise ValueError(f"labels are int64 of shape (N,), got {labels.dtype} {tuple(labels.shape)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < model.class_count:
        raise ValueError(f"classes are 0 ... {model.class_count - 1}, got {labels.min()} ... {labels.max()}")


class Likelihood:
    """Bits that the model needs for a pixel it is about to be shown: minus the logarithm of its probability."""

    def __call__(self, model: PixelCNN, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        levels = to_levels(images, model.level_count)
        return {"loss": F.cross_entropy(model(levels, labels), levels[:, 0]) / math.log(2)}


@torch.inference_mode()
def compute_log_likelihood(model: PixelCNN, levels: Tensor, labels: Tensor, batch_size: int = 100) -> Tensor:
    """Return the exact log-probability of each picture given its class, in nats: (N, 1, H, W) int64 -> (N,)."""
    check_levels(model, levels)
    check_labels(model, labels)
    batches = zip(levels.split(batch_size), labels.split(batch_size), strict=True)
    return torch.cat([-count_nats(model(some, named), some).flatten(1).sum(dim=1) for some, named in batches])


def count_nats(logits: Tensor, levels: Tensor) -> Tensor:
    """Return the surprise of each pixel, (N, L, H, W) and (N, 1, H, W) -> (N, H, W): minus its log-probability."""
    return F.cross_entropy(logits.float(), levels[:, 0], reduction="none")


def to_bits_per_dimension(log_likelihood: Tensor, pixel_count: int) -> Tensor:
    """Turn the log-likelihood of pictures (nats) into bits a pixel: what an ideal compressor would need."""
    return -log_likelihood / (pixel_count * math.log(2))


def compute_class_posterior(model: PixelCNN, levels: Tensor) -> Tensor:
    """Return p(class | picture) by Bayes' rule with all classes equally likely beforehand: (N, class_count)."""
    classes = torch.arange(model.class_count)
    scores = [compute_log_likelihood(model, levels, named.expand(len(levels))) for named in classes]
    return torch.stack(scores, dim=1).softmax(dim=1)


@torch.inference_mode()
def sample_levels(
    model: PixelCNN,
    labels: Tensor,
    temperature: float = 1.0,
    known: Tensor | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw pictures pixel by pixel, each from its probability given those already drawn.

    Nothing is computed twice: each layer keeps what it has seen of the rows above and of the blocks to the left.

    Args:
        labels: (N,) the class of each picture.
        temperature: divides the logits; below 1 the draws are more careful, above 1 wilder.
        known: (N, 1, H, W) int64 levels that are given, -1 where the model shall draw; given pixels stay as they are.
        generator: source of chance, for repeatable draws.

    Returns:
        levels (N, 1, H, W) int64.
    """
    check_labels(model, labels)
    if not temperature > 0:
        raise ValueError(f"temperature is above 0, got {temperature}: near 0 each pixel takes its likeliest level")
    cells = model.size // 2
    levels = torch.full((len(labels), 1, model.size, model.size), -1) if known is None else known.clone()
    check_levels(model, levels.clamp(min=0))
    blocks = levels.new_zeros(len(labels), 4 * model.level_count, cells, cells, dtype=torch.float)
    memory = model.start_memory(labels)
    for row in range(cells):
        memory.enter_row(row, blocks)
        for column in range(cells):
            context = memory.enter_column(row, column, blocks)  # (N, width, 1, 1)
            block = blocks[:, :, row : row + 1, column : column + 1]
            for place in range(4):
                pixel = levels[:, 0, 2 * row + place // 2, 2 * column + place % 2]
                open_ones = pixel < 0
                if open_ones.any():
                    logits = model.answer_blocks(context, block)[:, :, place // 2, place % 2].float()
                    chances = cool(logits, temperature).softmax(dim=1)
                    drawn = torch.multinomial(chances, 1, generator=generator)[:, 0]
                    pixel[open_ones] = drawn[open_ones]
                block[:, place::4, 0, 0] = F.one_hot(pixel, model.level_count).float()
    return levels


def cool(logits: Tensor, temperature: float) -> Tensor:
    """Divide by the temperature; the likeliest level is moved to 0 first, so that nothing overflows near 0."""
    return (logits - logits.amax(dim=1, keepdim=True)) / max(temperature, 1e-30)
