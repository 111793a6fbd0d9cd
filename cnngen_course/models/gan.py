"""A generator that turns a random vector and a class into a picture, and a discriminator that judges pictures.

Both are small enough for a processor: the wide convolutions run at half the size of the picture or less, behind
``PixelUnshuffle`` on the way in and ``PixelShuffle`` on the way out (Shi et al., 2016). With ``class_count=0`` a
network knows no classes. The networks for points in the plane, at the end, show the game where all of it can be seen.
"""

import torch
from torch import Tensor, nn


class ClassTable(nn.Embedding):
    """One learned vector a class; a mixture of classes gets the same mixture of their vectors.

    Without classes (``class_count=0``) every picture gets the same vector, and labels are not looked at.
    """

    def __init__(self, class_count: int, size: int) -> None:
        super().__init__(max(1, class_count), size)
        self.class_count = class_count

    def forward(self, labels: Tensor) -> Tensor:
        """Labels (N,) or shares of each class (N, class_count) -> (N, size)."""
        if self.class_count == 0:
            return self.weight.expand(len(labels), -1)
        return labels @ self.weight if labels.is_floating_point() else super().forward(labels)


class ConditionalNorm(nn.Module):
    """A normalisation whose scale and shift are looked up by class; ``norm`` has none of its own."""

    def __init__(self, norm: nn.Module, channels: int, class_count: int) -> None:
        super().__init__()
        self.norm = norm
        self.table = ClassTable(class_count, 2 * channels)
        nn.init.zeros_(self.table.weight)  # all classes begin alike: scale 1, shift 0

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        scale, shift = self.table(labels)[:, :, None, None].chunk(2, dim=1)  # (N, channels, 1, 1) each
        return self.norm(x) * (1 + scale) + shift


class ConditionalBatchNorm(ConditionalNorm):
    """Batch normalisation whose scale and shift are looked up by class (de Vries et al., 2017)."""

    def __init__(self, channels: int, class_count: int) -> None:
        super().__init__(nn.BatchNorm2d(channels, affine=False), channels, class_count)


class GeneratorBlock(nn.Module):
    """Doubles height and width by pixel shuffle, then adds a correction by one more convolution."""

    def __init__(self, in_channels: int, out_channels: int, class_count: int) -> None:
        super().__init__()
        # No bias: the normalisation that follows would subtract it again.
        self.correct = nn.Conv2d(in_channels, in_channels, 3, padding=1, bias=False)
        self.correct_norm = ConditionalBatchNorm(in_channels, class_count)
        self.up = nn.Sequential(nn.Conv2d(in_channels, 4 * out_channels, 3, padding=1, bias=False), nn.PixelShuffle(2))
        self.up_norm = ConditionalBatchNorm(out_channels, class_count)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        x = x + torch.relu(self.correct_norm(self.correct(x), labels))
        return torch.relu(self.up_norm(self.up(x), labels))  # (N, out_channels, 2·H, 2·W)


class Generator(nn.Module):
    """Random vectors (N, latent_size) and classes -> images (N, out_channels, 28, 28) in [-1, 1].

    Args:
        latent_size: numbers in the random vector, each drawn from a standard normal distribution.
        width: channels at 28x28; twice as many at 14x14, four times at 7x7.
        class_count: classes to choose from; 0 for none.
        out_channels: 1 for grey pictures, 3 for colour.
    """

    def __init__(self, latent_size: int = 64, width: int = 12, class_count: int = 10, out_channels: int = 1) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.class_count = class_count
        self.table = ClassTable(class_count, 32)
        self.stem = nn.Sequential(
            nn.Linear(latent_size + 32, 4 * width * 7 * 7, bias=False), nn.Unflatten(1, (4 * width, 7, 7))
        )
        self.stem_norm = ConditionalBatchNorm(4 * width, class_count)
        self.blocks = nn.ModuleList(
            [
                GeneratorBlock(4 * width, 2 * width, class_count),  # (N, 2·width, 14, 14)
                GeneratorBlock(2 * width, width, class_count),  # (N, width, 28, 28)
            ]
        )
        self.draw = nn.Conv2d(width, out_channels, 3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """``labels`` is (N,), or (N, class_count) with the share of each class to mix; not needed without classes."""
        labels = fill_labels(labels, latents, self.class_count)
        x = self.stem(torch.cat([latents, self.table(labels)], dim=1))  # (N, 4·width, 7, 7)
        x = torch.relu(self.stem_norm(x, labels))
        for block in self.blocks:
            x = block(x, labels)
        return torch.tanh(self.draw(x))


def fill_labels(labels: Tensor | None, inputs: Tensor, class_count: int) -> Tensor:
    """Return the labels, or as many zeros where there are no classes to choose from."""
    if labels is not None:
        return labels
    if class_count > 0:
        raise ValueError(f"this network knows {class_count} classes: give one label per picture, (N,)")
    return torch.zeros(len(inputs), dtype=torch.long, device=inputs.device)


class MinibatchDeviation(nn.Module):
    """Adds a channel that says how much the pictures of a small group differ (Karras et al., 2018).

    A generator that draws the same picture again and again is given away by it. With labels, the pictures of a group
    are of one class wherever there are enough of it.
    """

    def __init__(self, group_size: int = 4) -> None:
        super().__init__()
        self.group_size = group_size

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        count, _, height, width = x.shape
        size = self.group_size if count % self.group_size == 0 else count
        groups = torch.arange(count).view(size, count // size)  # a column is a group
        if labels is not None:
            groups = labels.argsort(stable=True).view(count // size, size).T
        deviation = (x.float()[groups].var(dim=0, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # one number a group
        extra = x.new_empty(count, 1, height, width)
        extra[groups] = deviation.to(x.dtype)[:, None, None, None].expand(size, -1, 1, height, width)
        return torch.cat([x, extra], dim=1)  # (N, channels + 1, H, W)


class Discriminator(nn.Module):
    """Images (N, in_channels, 28, 28) and classes -> one logit a picture, (N,): high for "real".

    The class enters by projection (Miyato and Koyama, 2018): it says which direction in the space of features is
    "real" for this class. There is no normalisation: between real and generated batches it would leak which is which.

    Args:
        width: channels at 14x14; twice as many below.
        class_count: classes that the pictures come with; 0 for none.
        in_channels: 1 for grey pictures, 3 for colour.
        group_size: pictures that the minibatch deviation compares.
    """

    def __init__(self, width: int = 32, class_count: int = 10, in_channels: int = 1, group_size: int = 4) -> None:
        super().__init__()
        self.class_count = class_count
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),  # (N, 4·in_channels, 14, 14)
            *_convolve(4 * in_channels, width),
            *_convolve(width, width),
            *_convolve(width, 2 * width, kernel_size=4, stride=2),  # (N, 2·width, 7, 7)
            *_convolve(2 * width, 2 * width),
            *_convolve(2 * width, 2 * width, kernel_size=4, stride=2),  # (N, 2·width, 3, 3)
        )
        self.deviation = MinibatchDeviation(group_size)
        self.sum_up = nn.Sequential(nn.Flatten(), nn.Linear((2 * width + 1) * 3 * 3, 4 * width), nn.LeakyReLU(0.2))
        self.head = nn.Linear(4 * width, 1)
        self.table = ClassTable(class_count, 4 * width)
        nn.init.zeros_(self.table.weight)  # the class begins to matter as soon as it helps

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        labels = fill_labels(labels, images, self.class_count)
        return self.compare(self.compute_features(images), labels)

    def compute_features(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images -> features (N, 4·width); with ``labels``, each is compared with pictures of its own class."""
        return self.sum_up(self.deviation(self.body(images), labels))

    def compare(self, features: Tensor, labels: Tensor) -> Tensor:
        """Features (N, 4·width) and classes -> logits (N,)."""
        return self.head(features)[:, 0] + (features * self.table(labels)).sum(dim=1)


class NamingDiscriminator(Discriminator):
    """A discriminator that also names the class (Odena et al., 2017) and looks for variety within each.

    Both belong together: a generator that is told to be recognised draws the most typical picture of a class again
    and again. The deviation among pictures of one class gives that away.
    """

    def __init__(self, width: int = 32, class_count: int = 10, in_channels: int = 1, group_size: int = 4) -> None:
        super().__init__(width, class_count, in_channels, group_size)
        self.names = nn.Linear(4 * width, class_count)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.judge(images, fill_labels(labels, images, self.class_count))[0]

    def judge(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits for "real" (N,) and those of each class (N, class_count)."""
        features = self.compute_features(images, labels)
        return self.compare(features, labels), self.names(features)


def _convolve(in_channels: int, out_channels: int, kernel_size: int = 3, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=1), nn.LeakyReLU(0.2)]


class PointGenerator(nn.Module):
    """Random vectors (N, latent_size) -> points in the plane (N, 2)."""

    def __init__(self, latent_size: int = 2, width: int = 32) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.layers = _make_perceptron(latent_size, width, 2)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(latents)


class PointDiscriminator(nn.Module):
    """Points in the plane (N, 2) -> one logit a point, (N,): high for "real"."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = _make_perceptron(2, width, 1)

    def forward(self, points: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(points)[:, 0]


def _make_perceptron(in_size: int, width: int, out_size: int) -> nn.Sequential:
    """Three linear layers with LeakyReLU between them."""
    return nn.Sequential(
        nn.Linear(in_size, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, width),
        nn.LeakyReLU(0.2),
        nn.Linear(width, out_size),
    )
