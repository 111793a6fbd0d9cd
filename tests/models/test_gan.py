"""Generator and discriminator: shapes, ranges, what classes and groups of pictures do to them."""

import pytest
import torch

from cnngen_course.models.gan import (
    ClassTable,
    ConditionalBatchNorm,
    Discriminator,
    Generator,
    MinibatchDeviation,
    NamingDiscriminator,
    PointDiscriminator,
    PointGenerator,
)

LABELS = torch.tensor([0, 1, 2, 0])


def make_networks(**settings: int) -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    return Generator(5, width=2, **settings), Discriminator(4, **settings)


@pytest.mark.parametrize("class_count", [0, 3])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_range(class_count: int, channels: int) -> None:
    generator = Generator(5, width=2, class_count=class_count, out_channels=channels)
    discriminator = Discriminator(4, class_count, in_channels=channels)
    images = generator(100 * torch.randn(4, 5), LABELS)
    assert images.shape == (4, channels, 28, 28) and images.abs().max() <= 1
    assert discriminator(images, LABELS).shape == (4,)


def test_the_naming_discriminator_judges_and_names() -> None:
    discriminator, images = NamingDiscriminator(4, class_count=3), torch.randn(4, 1, 28, 28)
    logits, names = discriminator.judge(images, LABELS)
    assert logits.shape == (4,) and names.shape == (4, 3)
    torch.testing.assert_close(discriminator(images, LABELS), logits)


def test_with_labels_like_is_compared_with_like() -> None:
    labels = torch.tensor([1, 0, 1, 0, 0, 1])
    x = torch.zeros(6, 1, 2, 2)
    x[labels == 1] = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1)  # class 0 is one picture three times
    extra = MinibatchDeviation(3)(x, labels)[:, 1, 0, 0]
    torch.testing.assert_close(extra[labels == 1], torch.full((3,), (2 / 3) ** 0.5))
    torch.testing.assert_close(extra[labels == 0], torch.full((3,), 1e-4))
    assert not torch.equal(MinibatchDeviation(3)(x)[:, 1, 0, 0], extra)


def test_without_classes_labels_are_not_needed_and_not_looked_at() -> None:
    generator, discriminator = make_networks(class_count=0)
    latents = torch.randn(4, 5)
    images = generator(latents)
    torch.testing.assert_close(images, generator(latents, LABELS))
    torch.testing.assert_close(discriminator(images), discriminator(images, LABELS))


def test_with_classes_a_missing_label_is_said() -> None:
    generator, discriminator = make_networks(class_count=3)
    with pytest.raises(ValueError, match="knows 3 classes"):
        generator(torch.randn(4, 5))
    with pytest.raises(ValueError, match="knows 3 classes"):
        discriminator(torch.randn(4, 1, 28, 28))


def test_the_class_changes_picture_and_judgement() -> None:
    generator, discriminator = make_networks(class_count=3)
    latents = torch.randn(1, 5).expand(3, -1)
    images = generator.eval()(latents, torch.arange(3))
    assert (images[0] - images[1]).abs().max() > 1e-4
    torch.nn.init.normal_(discriminator.table.weight)
    logits = discriminator(images[:1].expand(3, -1, -1, -1), torch.arange(3))
    assert (logits.max() - logits.min()).item() > 1e-4


def test_a_mixture_of_one_class_is_that_class() -> None:
    generator = make_networks(class_count=3)[0].eval()
    for table in (module for module in generator.modules() if isinstance(module, ClassTable)):
        torch.nn.init.normal_(table.weight)
    latents = torch.randn(4, 5)
    shares = torch.nn.functional.one_hot(LABELS, 3).float()
    torch.testing.assert_close(generator(latents, shares), generator(latents, LABELS))
    half = ClassTable(3, 2)(torch.tensor([[0.5, 0.5, 0.0]]))
    assert half.shape == (1, 2)


def test_the_table_mixes_vectors() -> None:
    table = ClassTable(3, 2)
    mixed = table(torch.tensor([[0.25, 0.75, 0.0]]))[0]
    torch.testing.assert_close(mixed, 0.25 * table.weight[0] + 0.75 * table.weight[1])


def test_conditional_norm_is_batch_norm_with_scale_and_shift_of_the_class() -> None:
    norm, x = ConditionalBatchNorm(2, 3), torch.randn(4, 2, 5, 5)
    plain = torch.nn.BatchNorm2d(2, affine=False)(x)
    torch.testing.assert_close(norm(x, LABELS), plain)
    norm.table.weight.data[1] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    expected = plain[1] * torch.tensor([2.0, 3.0]).view(2, 1, 1) + torch.tensor([3.0, 4.0]).view(2, 1, 1)
    torch.testing.assert_close(norm(x, LABELS)[1], expected)
    torch.testing.assert_close(norm(x, LABELS)[0], plain[0])


def test_minibatch_deviation_by_hand() -> None:
    x = torch.zeros(8, 1, 2, 2)
    x[1::2] = torch.tensor([2.0, 4.0, 6.0, 8.0]).view(4, 1, 1, 1)  # group 1 is every other picture
    extra = MinibatchDeviation(group_size=4)(x)[:, 1]
    deviation = torch.tensor([2.0, 4.0, 6.0, 8.0]).std(correction=0)
    torch.testing.assert_close(extra[1::2], deviation.expand(4, 2, 2))
    assert extra[0::2].max() < 1e-3
    assert MinibatchDeviation(4)(torch.randn(3, 2, 2, 2)).shape == (3, 3, 2, 2)  # a rest forms one group


def test_the_discriminator_notices_that_all_pictures_are_the_same() -> None:
    discriminator = make_networks(class_count=0)[1]
    images = torch.randn(1, 1, 28, 28).tanh()
    together = discriminator(images.expand(4, -1, -1, -1))
    among_others = discriminator(torch.cat([images, torch.randn(3, 1, 28, 28).tanh()]))
    assert (together[0] - among_others[0]).abs().item() > 1e-4


def test_every_weight_learns() -> None:
    generator, discriminator = make_networks(class_count=3)
    discriminator(generator(torch.randn(4, 5), LABELS), LABELS).square().mean().backward()
    torch.nn.init.normal_(discriminator.table.weight)
    discriminator(generator(torch.randn(4, 5), LABELS), LABELS).square().mean().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_shipped_size_is_small() -> None:
    count = sum(parameter.numel() for parameter in Generator().parameters())
    assert 4 * count < 2_000_000  # bytes
    assert {"stem.0.weight", "stem_norm.table.weight", "blocks.1.up.0.weight", "draw.bias"} <= set(
        Generator().state_dict()
    )


def test_points() -> None:
    generator, discriminator = PointGenerator(latent_size=3, width=8), PointDiscriminator(width=8)
    points = generator(torch.randn(5, generator.latent_size), torch.zeros(5))
    assert points.shape == (5, 2)
    assert discriminator(points).shape == (5,)
    discriminator(points).sum().backward()
    assert generator.layers[0].weight.grad.abs().sum() > 0
