"""Style as statistics: what a picture shows and how it is painted, compared by the answers of VGG16.

Gatys et al. (2016): two pictures show the same if the layers of a trained network answer alike place by place, and are
painted alike if the answers go together alike wherever they are, which a Gram matrix says.
"""

import copy
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from cnngen_course.models.stylist import Stylist
from cnngen_course.models.vgg import VGGFeatures

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3")
CONTENT_LAYER = "relu2_2"


def compute_gram(features: Tensor) -> Tensor:
    """Return how channels go together, the mean over all places of their products: (N, C, H, W) -> (N, C, C)."""
    flat = features.flatten(2)  # (N, C, H·W)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def compute_content_distance(features: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean squared difference of two answers (N, C, H, W), as a share of the wanted one's square: (N,)."""
    return (features - wanted).square().flatten(1).mean(dim=1) / wanted.square().flatten(1).mean(dim=1)


def compute_style_distance(grams: Tensor, wanted: Tensor) -> Tensor:
    """Return the squared difference of Gram matrices (N, C, C), as a share of the wanted one's square: (N,).

    As a share, so that each layer weighs the same, whatever the size of its answers.
    """
    return (grams - wanted).square().sum(dim=(1, 2)) / wanted.square().sum(dim=(1, 2))


class Style(nn.Module):
    """The Gram matrices of one or more pictures of one style, averaged; what others are measured against."""

    def __init__(self, vgg: VGGFeatures, pictures: Sequence[Tensor]) -> None:
        """``pictures`` are images (3, H, W) in [-1, 1]; their sizes may differ."""
        super().__init__()
        for layer in STYLE_LAYERS:
            self.register_buffer(layer, torch.zeros(1))
        with torch.no_grad():
            answers = [vgg(picture[None], STYLE_LAYERS) for picture in pictures]
        for layer in STYLE_LAYERS:
            setattr(self, layer, torch.cat([compute_gram(answer[layer]) for answer in answers]).mean(0, keepdim=True))

    def compute_distance(self, answers: dict[str, Tensor]) -> Tensor:
        """Return how far the answers (N, C, H, W) of each style layer are from this style, the layers' mean: (N,)."""
        parts = [compute_style_distance(compute_gram(answers[layer]), getattr(self, layer)) for layer in STYLE_LAYERS]
        return torch.stack(parts).mean(dim=0)


def mix_styles(first: Style, second: Style, share: float) -> Style:
    """Return the style between two: their Gram matrices, mixed with ``share`` of the second."""
    mixed = copy.deepcopy(first)
    for layer in STYLE_LAYERS:
        setattr(mixed, layer, torch.lerp(getattr(first, layer), getattr(second, layer), share))
    return mixed


def compute_roughness(images: Tensor) -> Tensor:
    """Return the mean squared step from each pixel to its right and lower neighbour (total variation): (N,)."""
    down = (images[:, :, 1:] - images[:, :, :-1]).square().flatten(1).mean(dim=1)
    right = (images[..., 1:] - images[..., :-1]).square().flatten(1).mean(dim=1)
    return down + right


def keep_colours(painted: Tensor, images: Tensor) -> Tensor:
    """Return the brightness of the painted pictures with the colours of the original ones; both (N, 3, H, W)."""
    weights = painted.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)  # how bright red, green and blue look
    brightness = [(weights * some).sum(dim=1, keepdim=True) for some in (painted, images)]
    return (images + brightness[0] - brightness[1]).clamp(-1, 1)


def repaint(
    vgg: VGGFeatures, image: Tensor, style: Style, *, steps: int, strength: float = 10.0, lr: float = 0.05
) -> Iterator[Tensor]:
    """Change a picture (1, 3, H, W) step by step until it shows the same in another style; yields it after each step.

    Minimises content distance + ``strength`` · style distance + 0.1 · roughness over the pixels themselves, by Adam.
    """
    with torch.no_grad():
        wanted = vgg(image, [CONTENT_LAYER])[CONTENT_LAYER]
    picture = image.clone().requires_grad_()
    optimizer = torch.optim.Adam([picture], lr=lr)
    for _ in range(steps):
        answers = vgg(picture, STYLE_LAYERS)
        loss = compute_content_distance(answers[CONTENT_LAYER], wanted) + strength * style.compute_distance(answers)
        optimizer.zero_grad()
        (loss + 0.1 * compute_roughness(picture)).sum().backward()
        optimizer.step()
        with torch.no_grad():
            picture.clamp_(-1, 1)
        yield picture.detach()


class Stylising:
    """What a ``Stylist`` is trained for: the same sum as in ``repaint``, for all styles at once.

    Each picture of a batch gets one of the styles at random. Style 0 asks for the picture itself.
    """

    def __init__(self, vgg: VGGFeatures, styles: Sequence[Style], strength: float = 10.0) -> None:
        self.vgg, self.styles, self.strength = vgg, styles, strength

    def __call__(self, model: Stylist, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        images = batch[0]
        chosen = torch.randint(len(self.styles) + 1, (len(images),))
        painted = model(images, chosen.to(images.device)).float()
        answers = self.vgg(painted, STYLE_LAYERS)
        with torch.no_grad():
            wanted = self.vgg(images, [CONTENT_LAYER])[CONTENT_LAYER]
        content = compute_content_distance(answers[CONTENT_LAYER].float(), wanted.float())  # (N,)
        distances = []
        for index, label in enumerate(chosen.tolist()):
            one = {layer: answers[layer][index : index + 1].float() for layer in STYLE_LAYERS}
            distances.append(self.styles[label - 1].compute_distance(one)[0] if label else content.new_zeros(()))
        style = torch.stack(distances)
        copying = (chosen == 0).to(images)
        copied = 10 * copying * (painted - images).square().flatten(1).mean(dim=1)
        loss = (content + self.strength * style + copied + 0.1 * compute_roughness(painted)).mean()
        return {"loss": loss, "content": content.mean().detach(), "style": style.mean().detach()}
