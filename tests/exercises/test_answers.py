"""Answers as learners write them: right ones in another style are right, wrong ones that once passed are wrong."""

import io
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional as F

from cnngen_course.exercises.report import Sheet
from tests.exercises.test_sheets import MODULES, Endless, load_sheet, throw

# ---------------------------------------------------------------- right, in another style


def find_copies_one_by_one(train: Tensor, test: Tensor, limit: float) -> Any:
    both = np.concatenate([train.numpy(), train.flip(3).numpy()])
    near = [np.sqrt(((both - picture) ** 2).sum(axis=(1, 2, 3))).min() < limit for picture in test.numpy()]
    return list(np.where(near)[0])


def whiten_with_numpy(rows: Tensor, epsilon: float) -> Any:
    centred = rows.numpy() - rows.numpy().mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(centred.T))
    return centred @ directions @ np.diag(1 / np.sqrt(variances + epsilon)) @ directions.T


def train_with_functions(model: nn.Module, optimizer: Any, batches: Any, images: Tensor, labels: Tensor) -> Any:
    model.train()
    for pictures, targets in batches:
        loss = F.nll_loss(F.log_softmax(model(pictures), dim=1), targets)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        named = model(images).max(dim=1).indices
    return np.mean(named.numpy() == labels.numpy())


def make_pooled_shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    if in_channels == out_channels:
        return nn.AvgPool2d(1, stride) if stride > 1 else nn.Identity()
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)


def leaks_by_poking(function: Callable[[Tensor], Tensor]) -> Any:
    images = torch.rand(1, 1, 6, 6)
    before = function(images).flatten()
    for pixel in range(36):
        poked = images.clone()
        poked.view(-1)[pixel] += 1
        if ((function(poked).flatten() - before) != 0)[: pixel + 1].any():
            return True
    return False


def rank_in_place(candidates: Tensor, log_probabilities: Tensor, count: int) -> Tensor:
    return candidates[log_probabilities.neg_().argsort(stable=True)][:count]


def teach_by_hand(
    generator: nn.Module, discriminator: nn.Module, optimizer: Any, real: Tensor, latents: Tensor
) -> None:
    with torch.no_grad():
        generated = generator(latents)
    optimizer.zero_grad()
    logits = discriminator(torch.cat([real, generated]))
    targets = torch.cat([torch.ones(len(real)), torch.zeros(len(generated))]).view_as(logits)
    (2 * F.binary_cross_entropy_with_logits(logits, targets)).backward()
    optimizer.step()


def hole_error_in_place(filled: Tensor, images: Tensor, known: Tensor) -> Any:
    filled -= images
    filled *= ~known
    return filled.pow_(2).sum().numpy() / max(1, (~known).expand_as(images).sum().item())


def grow_by_convolution(known: Tensor) -> Tensor:
    return F.conv2d(known.double(), torch.ones(1, 1, 3, 3).double(), padding=1).bool()


def depth_with_scipy(known: Tensor) -> Any:
    from scipy.ndimage import distance_transform_cdt

    return None if not known.any() else distance_transform_cdt(~known[0, 0].numpy(), "chessboard").max()


def see_in_numpy(index: int, layers: Any) -> Any:
    place = np.array([index, index])
    for kernel_size, stride, padding in layers[::-1]:
        place = place * stride - padding + np.array([0, kernel_size - 1])
    return place[0], place[1]


def join_in_place(coarse: Tensor, fine: Tensor, skips: bool) -> Tensor:
    fine *= skips
    return torch.cat([coarse.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3), fine], dim=1)


def fragility_in_numpy(there: Any, back: Any, images: Tensor, noise: Tensor) -> Any:
    calm, shaken = there(images), (there(images) + noise).clamp_(-1, 1)
    errors = [np.abs((back(some) - images).double().numpy()).mean() for some in (calm, shaken)]
    return errors[1] / errors[0]


def choose_layer_in_numpy(image: Any, painted: Any, other: Any) -> Any:
    layers = list(image)
    shares = [F.mse_loss(image[n], painted[n]) / F.mse_loss(image[n], other[n]) for n in layers]
    return np.array(layers)[np.argmin(shares)]


def keep_colours_in_doubles(painted: Tensor, images: Tensor) -> Tensor:
    lighter = torch.einsum("c,nchw->nhw", torch.tensor([0.299, 0.587, 0.114]).double(), (painted - images).double())
    return images.double().add_(lighter[:, None]).clamp_(-1, 1)


def choose_rate_in_place(rates: Tensor, losses: Tensor) -> Any:
    losses[~losses.isfinite()] = 1e9
    return rates.numpy()[losses.numpy().argmin()] * np.float64(0.1)


def fgsm_by_grad(model: nn.Module, images: Tensor, labels: Tensor, epsilon: float) -> Tensor:
    given = images.detach().clone().requires_grad_(True)
    slope = torch.autograd.grad(nn.CrossEntropyLoss(reduction="sum")(model(given), labels), given)[0]
    return torch.clip(images + epsilon * torch.where(slope > 0, 1.0, -1.0), -1, 1).double()


def validate_early(content: bytes, most_bytes: int, most_pixels: int) -> str:
    if len(content) > most_bytes:
        return "too large"
    try:
        picture = Image.open(io.BytesIO(content))
        if picture.format not in ("PNG", "JPEG"):
            return "no picture"
        if math.prod(picture.size) > most_pixels:
            return "too many pixels"
        picture.convert("RGB")
    except Exception:
        return "no picture"
    return "ok"


def compare_in_numpy(network: nn.Module, exported: Any, inputs: Any) -> Any:
    ours, theirs = network.eval()(*inputs).detach().numpy(), exported(*inputs).detach().numpy()
    return np.inf if ours.shape != theirs.shape or np.isnan(theirs).any() else np.abs(ours - theirs).max()


def interval_with_scipy(stars: Any) -> Any:
    if len(stars) == 1:
        return [np.float64(stars[0]), 1, 5]
    mean, error = np.mean(stars), stats.sem(stars)
    low, high = (mean + sign * error * stats.t.ppf(0.975, len(stars) - 1) for sign in (-1, 1))
    return np.array([mean, max(low, 1), min(high, 5)])


def make_condition_in_loops(first: Tensor, second: Tensor, share: Tensor, details: Tensor, class_count: int) -> Any:
    rows = np.zeros((len(first), class_count + 2))
    for row, (one, two, part) in enumerate(zip(first, second, share, strict=True)):
        rows[row, one] += 1 - part
        rows[row, two] += part
        rows[row, -2:] = details[row]
    return rows


def direction_in_doubles(noise: Tensor, sleeves: Tensor) -> Tensor:
    noise, sleeves = noise.double(), sleeves.double()
    slope = (noise - noise.mean(dim=0)).T @ (sleeves - sleeves.mean())
    return slope / slope.norm()


def overlap_in_a_list(size: int, kernel_size: int, stride: int) -> list[int]:
    length = (size - 1) * stride + kernel_size
    return [sum(stride * i <= place < stride * i + kernel_size for i in range(size)) for place in range(length)]


def interpolate_with_numpy(start: Tensor, end: Tensor, steps: int) -> Any:
    return np.linspace(start.numpy(), end.numpy(), steps)


def gaussian_kl_in_numpy(mean_1: Tensor, variance_1: Tensor, mean_2: Tensor, variance_2: Tensor) -> Any:
    m, v, n, w = (tensor.double().numpy() for tensor in (mean_1, variance_1, mean_2, variance_2))
    return np.sum(np.log(np.sqrt(w) / np.sqrt(v)) + (v + (m - n) ** 2) / (2 * w) - 0.5)


RIGHT: dict[str, list[Any]] = {
    "start_here.count": [lambda *sizes: np.prod(sizes), lambda *sizes: torch.tensor(sizes).prod()],
    "convolution.output_size": [
        lambda n, k, s, p, d: np.int64(n + 2 * p - d * (k - 1) - 1) // s + 1,
        lambda n, k, s, p, d: F.max_pool1d(torch.zeros(1, n + 2 * p), k, s, 0, d).shape[1],
    ],
    "convolution.edge_kernel": [
        lambda: torch.tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        lambda: np.outer([1, 1, 1], [-1, 0, 1]),
        lambda: [[-1, 0, 1]] * 3,
    ],
    "convolution.far_sight": [lambda: ((3, 2), (3, 2), (3, 1)), lambda: np.array([[3, 2], [3, 2], [3, 1]])],
    "data.centre_square": [
        lambda h, w: ((h - min(h, w)) >> 1, (w - min(h, w)) >> 1, min(h, w)),
        lambda h, w: (np.array([h, w, 2 * min(h, w)]) - min(h, w)) // [2, 2, 1],
        lambda h, w: list((torch.tensor([h, w, 2 * min(h, w)]) - min(h, w)) // torch.tensor([2, 2, 1])),
    ],
    "data.find_copies": [find_copies_one_by_one, lambda *case: np.array(find_copies_one_by_one(*case))],
    "data.whiten": [whiten_with_numpy],
    "classifier.count_cost": [
        lambda i, o, k, size: (np.prod([i, o, k, k]) + o, np.prod([i, o, k, k, size, size])),
        lambda i, o, k, size: [sum(p.numel() for p in nn.Conv2d(i, o, k).parameters()), i * o * (k * size) ** 2],
    ],
    "classifier.train_and_measure": [train_with_functions],
    "classifier.make_shortcut": [make_pooled_shortcut],
    "upsampling.transposed_size": [
        lambda n, k, s, p: nn.ConvTranspose1d(1, 1, k, s, p)(torch.zeros(1, 1, n)).shape[2],
        lambda n, k, s, p: np.int32((n - 1) * s + k - 2 * p),
    ],
    "upsampling.overlap_line": [overlap_in_a_list, lambda *case: np.array(overlap_in_a_list(*case))],
    "upsampling.even_start": [
        lambda weight, factor: weight.double()[torch.arange(len(weight)).repeat_interleave(factor**2)],
        lambda weight, factor: np.repeat(weight.numpy(), factor**2, axis=0),
        lambda weight, factor: weight.repeat_interleave(factor**2, dim=0).tolist(),
    ],
    "upsampling.interpolate": [interpolate_with_numpy, lambda *case: interpolate_with_numpy(*case).tolist()],
    "supervised.make_condition": [make_condition_in_loops],
    "supervised.gaussian_kl": [gaussian_kl_in_numpy],
    "supervised.find_sleeve_direction": [direction_in_doubles, lambda *case: direction_in_doubles(*case).tolist()],
    "likelihood.leaks": [leaks_by_poking, lambda function: np.bool_(leaks_by_poking(function))],
    "likelihood.to_bits": [
        lambda nats, shape: [-n / math.log(2) / math.prod(shape) for n in nats],
        lambda nats, shape: nats.div_(-math.log(2) * math.prod(shape)).double(),
    ],
    "likelihood.cool": [
        lambda logits, t: F.softmax(logits.double() / t, dim=1) if t > 0 else int("temperature"),
    ],
    "likelihood.rank": [
        rank_in_place,
        lambda c, p, n: torch.stack([c[i] for i in sorted(range(len(p)), key=lambda i: -p[i])[:n]]),
    ],
    "gan.discriminator_loss": [
        lambda r, g: -F.logsigmoid(r).mean() - F.logsigmoid(-g).mean(),
        lambda r, g: np.logaddexp(0, -r.double().numpy()).mean() + np.logaddexp(0, g.double().numpy()).mean(),
    ],
    "gan.generator_loss": [
        lambda g: F.binary_cross_entropy_with_logits(g, torch.ones_like(g)),
        lambda g: np.logaddexp(0, -g.numpy()).mean(),
        lambda g: [F.softplus(-g).mean().item()][0],
    ],
    "gan.teach_discriminator": [teach_by_hand],
    "gan.run_b": [" Mode Collapse "],
    "gan.run_d": ["Vanishing gradient"],
    "quality.gaussian_frechet": [
        lambda m, s, n, t: ((m - n).double().numpy() ** 2 + (s - t).double().numpy() ** 2).sum(),
        lambda m, s, n, t: m.sub_(n).square_().add_(s.sub_(t).square_()).sum()[None],
    ],
    "quality.enough": [
        lambda spreads, d: next((np.int64(n) for n in sorted(spreads) if d / (spreads[n] * np.sqrt(2)) >= 2), None),
    ],
    "quality.choose": [
        lambda a, b: np.array(["not comparable", "first", "second", "no difference"])[
            0 if (a["n"], a["judge"]) != (b["n"], b["judge"])
            else 1 if b["low"] > a["high"] else 2 if a["low"] > b["high"] else 3
        ],
    ],
    "comparison.equal_steps": [
        lambda budget, table: {name: math.floor(budget / seconds) for name, seconds in table.items()},
        lambda budget, table: dict(zip(table, (np.array(budget) // list(table.values())).astype(int), strict=True)),
    ],
    "comparison.supported": [
        lambda values, a, b: all(x < y for x in values[a] for y in values[b]),
        lambda values, a, b: np.max(values[a]) < np.min(values[b]),
        lambda values, a, b: torch.tensor(values[a]).max() < torch.tensor(values[b]).min(),
        lambda values, a, b: values[a].sort() or values[b].sort() or values[a][-1] < values[b][0],
    ],
    "comparison.interval": [
        lambda wrong, count: list(stats.binomtest(wrong, count).proportion_ci(method="wilson")),
        lambda wrong, count: np.array(stats.binomtest(wrong, count).proportion_ci(method="wilson")),
    ],
    "inpainting.hole_error": [hole_error_in_place],
    "inpainting.grow": [grow_by_convolution, lambda known: grow_by_convolution(known).numpy()],
    "inpainting.depth": [depth_with_scipy],
    "translation.seen_pixels": [see_in_numpy, lambda *case: np.array(see_in_numpy(*case))],
    "translation.join": [join_in_place],
    "translation.best_colour": [
        lambda colours: colours.double().quantile(0.5, dim=0),
        lambda colours: np.median(colours.numpy(), axis=0),
        lambda colours: [sorted(channel.tolist())[len(colours) // 2] for channel in colours.T],
    ],
    "animals.cycle_error": [
        lambda there, back, ones, twos: F.l1_loss(back(there(ones)), ones) + F.l1_loss(there(back(twos)), twos),
        lambda there, back, ones, twos: sum(
            np.abs((trip - start).double().numpy()).mean()
            for trip, start in ((back(there(ones)), ones), (there(back(twos)), twos))
        ),
    ],
    "animals.zero_losses": [
        {
            "copy": {"identity", "cycle"}, "mirror": ["cycle"], "swap colours": "cycle", "fade": ("cycle",),
            "forget": [],
        },
    ],
    "animals.fragility": [fragility_in_numpy],
    "style.gram": [
        lambda f: torch.einsum("nchw,ndhw->ncd", f.double(), f.double()) / math.prod(f.shape[2:]),
        lambda f: np.einsum("nchw,ndhw->ncd", f.numpy(), f.numpy()) / f[0, 0].numel(),
    ],
    "style.choose_layer": [choose_layer_in_numpy],
    "style.keep_colours": [keep_colours_in_doubles],
    "optimisation.count_bottleneck": [
        lambda c, r, k: r * (2 * c + k * k * r),
        lambda c, r, k: np.prod([c, r]) * 2 + np.prod([k, k, r, r]),
    ],
    "optimisation.choose_rate": [
        choose_rate_in_place,
        lambda rates, losses: rates[losses.isfinite()][losses[losses.isfinite()].argmin()] / 10,
    ],
    "optimisation.find_bottleneck": [lambda profile: np.str_(max((row["own"], n) for n, row in profile.items())[1])],
    "optimisation.gain": [
        lambda share, factor: np.float32(1) / (1 - share + share / factor),
        lambda share, factor: 1 / (1 - Fraction(share) + Fraction(share) / Fraction(factor)),
    ],
    "scaling.choose": [
        lambda curves, budget: min(
            ((bits, np.int64(width)) for width, points in curves.items() for cost, bits in points if cost <= budget),
            default=(0, None),
        )[1],
    ],
    "scaling.share_out": [
        lambda n, p, fits: next(
            ([n // p // r, r] for r in range(1, n + 1) if n % (p * r) == 0 and n // p // r <= fits), None
        ),
        lambda n, p, fits: next(
            (np.array([n // p // r, r]) for r in range(1, n + 1) if n % (p * r) == 0 and n // p // r <= fits), None
        ),
    ],
    "scaling.checkpoint": [["place in the data", "random numbers", "step", "optimizer", "weights"]],
    "safety.fgsm": [fgsm_by_grad],
    "safety.pass_through": [
        lambda images, levels: (((images + 1) / 2 * (levels - 1)).round() / (levels - 1) * 2 - 1 - images).detach()
        + images,
    ],
    "safety.threshold": [
        lambda alarms, looks: stats.norm.ppf(1 - alarms / looks),
        lambda alarms, looks: stats.norm.isf(alarms / looks),
    ],
    "studio.validate": [validate_early],
    "studio.compare": [compare_in_numpy],
    "studio.interval": [interval_with_scipy],
    "outlook.make_target": [
        lambda noise, images, times: [torch.lerp(noise, images, times[:, None, None, None]), images - noise],
        lambda noise, images, times: (
            noise.numpy() + (images - noise).numpy() * times.numpy()[:, None, None, None],
            (images - noise).double(),
        ),
    ],
    "outlook.euler_step": [lambda velocity, x, time, length: x.double() + velocity(x, time).mul_(length)],
    "outlook.guided": [
        lambda a, b, g: torch.lerp(b, a, g),
        lambda a, b, g: ((1 - g) * b + g * a).numpy(),
        lambda a, b, g: a.sub_(b).mul_(g).add_(b).tolist(),
    ],
}  # fmt: skip

# ---------------------------------------------------------------- wrong, and once judged right


def ignore_signs(image: Any, painted: Any, other: Any, measure: Callable[[Tensor], Tensor]) -> Any:
    return min(image, key=lambda n: (measure(image[n] - painted[n]) / measure(image[n] - other[n])).item())


def mean_and_spread(values: Any, a: str, b: str) -> bool:
    return bool(np.mean(values[a]) + np.std(values[a]) < np.mean(values[b]) - np.std(values[b]))


def leaks_at_first_answer(function: Callable[[Tensor], Tensor]) -> bool:
    images = torch.randn(1, 1, 6, 6, requires_grad=True)
    function(images).flatten()[0].backward()
    return bool(images.grad is not None and images.grad.abs().max() > 0)


def leaks_without_abs(function: Callable[[Tensor], Tensor]) -> bool:
    slopes = torch.autograd.functional.jacobian(function, torch.randn(1, 1, 6, 6)).view(36, 36)
    return slopes.triu().max().item() > 1e-6


def find_near_squared(train: Tensor, test: Tensor, limit: float) -> list[int]:
    both = torch.cat([train, train.flip(3)]).flatten(1)
    return torch.where(torch.cdist(test.flatten(1), both).square().amin(1) < limit)[0].tolist()


def verify_only(content: bytes, most_bytes: int, most_pixels: int) -> str:
    if len(content) > most_bytes:
        return "too large"
    try:
        picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
        if picture.width * picture.height > most_pixels:
            return "too many pixels"
        picture.verify()
    except (OSError, SyntaxError, ValueError):
        return "no picture"
    return "ok"


def compare_packed(network: nn.Module, exported: Any, inputs: Any) -> Any:
    ours, theirs = network.eval()(*inputs), exported(inputs)
    return math.inf if ours.shape != theirs.shape or theirs.isnan().any() else (ours - theirs).abs().max()


def share_out_eight(n: int, p: int, fits: int) -> Any:
    return next(((n // p // r, r) for r in range(1, 9) if n % (p * r) == 0 and n // p // r <= fits), None)


WRONG: dict[str, list[Any]] = {
    "comparison.supported": [
        lambda values, a, b: all(x < y for x, y in zip(values[a], values[b], strict=False)),
        mean_and_spread,
        lambda values, a, b: max(values[a][:-1] or values[a]) < min(values[b][:-1] or values[b]),
    ],
    "optimisation.choose_rate": [
        lambda rates, losses: (rates[losses[losses.isfinite()].argmin()] / 10).item(),
        lambda rates, losses: (rates[torch.where(losses.isfinite(), losses, 1).argmin()] / 10).item(),
    ],
    "data.find_copies": [
        find_near_squared,
        lambda train, test, limit: find_copies_one_by_one(train, test, 3.0),
        lambda train, test, limit: find_copies_one_by_one(train, test, limit + 1),
        lambda train, test, limit: find_copies_one_by_one(train[:-1], test, limit),
        lambda train, test, limit: find_copies_one_by_one(train[1:], test, limit),
        lambda train, test, limit: [i for i in find_copies_one_by_one(train, test, limit) if i not in (0, 19)],
    ],
    "studio.interval": [
        lambda stars: (*interval_with_scipy(stars)[:1], 1.0, interval_with_scipy(stars)[2]),
        lambda stars: interval_with_scipy(stars) if len(stars) > 2 else (sum(stars) / len(stars), 1, 5),
    ],
    "style.choose_layer": [
        lambda *case: ignore_signs(*case, lambda d: d.abs().mean()),
        lambda *case: ignore_signs(*case, lambda d: d.square().max()),
        lambda *case: ignore_signs(*case, lambda d: d.abs().max()),
        lambda i, p, o: min(i, key=lambda n: ((i[n] - p[n]).square().sum() / (i[n] - o[n]).square().mean()).item()),
    ],
    "likelihood.leaks": [leaks_without_abs, leaks_at_first_answer],
    "likelihood.rank": [lambda c, p, n: c.zero_()[:n]],
    "studio.compare": [compare_packed, lambda network, exported, inputs: compare_packed(network, exported, ())],
    "scaling.share_out": [share_out_eight],
    "studio.validate": [
        verify_only,
        lambda content, most_bytes, most_pixels: validate_early(content, most_bytes + 1, most_pixels),
        lambda content, most_bytes, most_pixels: validate_early(content, most_bytes, most_pixels + 1),
    ],
    "gan.discriminator_loss": [lambda r, g: -F.logsigmoid(r).mean() - (1 - g.sigmoid()).log().mean()],
    "classifier.count_cost": [lambda i, o, k, size: (i * o * k**2 + o, i * o * (k * size) ** 2 + 1)],
    "animals.cycle_error": [
        lambda there, back, ones, twos: (
            (back(there(ones)) - ones).mean().abs() + (there(back(twos)) - twos).abs().mean()
        ),
    ],
    "inpainting.hole_error": [
        lambda f, i, k: (f - i)[(~k).expand_as(i)].square().mean() if not k[1:].all() else torch.zeros(()),
    ],
    "outlook.guided": [lambda a, b, g: 1 + g * (a - b)],
    "scaling.choose": [
        lambda curves, budget: min(
            ((bits, width) for width, points in curves.items() for cost, bits in points[:-1] if cost <= budget),
            default=(0, None),
        )[1],
    ],
    "quality.choose": [
        lambda a, b: "not comparable" if (a["n"], a["judge"]) != (b["n"], b["judge"])
        else "first" if 2 * a["high"] < b["low"] else "second" if b["high"] < a["low"] else "no difference",
    ],
    "classifier.make_shortcut": [
        lambda i, o, stride: nn.ReLU(inplace=True) if (i, stride) == (o, 1) else nn.Conv2d(i, o, 1, stride, bias=False),
    ],
    "quality.enough": [lambda spreads, d: min((n for n, s in spreads.items() if 3 * s <= d), default=None)],
}  # fmt: skip


# Wrong, and the words that help.
FEEDBACK: list[tuple[str, Any, str]] = [
    ("comparison.equal_steps", lambda budget, table: {n: budget // s for n, s in table.items()}, "int(), gives an int"),
    ("start_here.count", lambda *sizes: np.array(sizes), "the check can't use what your answer returns"),
    ("start_here.count", lambda *sizes: sizes[3], "your answer stopped with IndexError"),
    ("start_here.count", throw(Endless()), "its message can't be read"),
    ("start_here.count", 2352, "a function is asked for, got int"),
    ("outlook.guided", lambda a, b, g: [a, b], "torch.stack makes one tensor"),
    ("inpainting.depth", lambda known: [step for step in iter(int, 1)], "Does each loop come to its end?"),
    ("translation.seen_pixels", lambda index, layers: (..., ...), "replace the ..."),
]


def list_answers(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(name, answer, id=f"{name}-{place}")
        for name, answers in table.items()
        for place, answer in enumerate(answers)
    ]


def find_sheet(name: str) -> tuple[Sheet, str]:
    lesson, exercise = name.split(".")
    return load_sheet(lesson), exercise


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "answer"), list_answers(RIGHT))
def test_another_style_is_right(name: str, answer: object) -> None:
    sheet, exercise = find_sheet(name)
    report = sheet.check(exercise, answer)
    assert report.status == "right", report


@pytest.mark.parametrize(("name", "answer"), list_answers(WRONG))
def test_what_once_passed_is_wrong(name: str, answer: object) -> None:
    sheet, exercise = find_sheet(name)
    assert sheet.check(exercise, answer).status == "not yet"


@pytest.mark.parametrize(("name", "answer", "words"), FEEDBACK)
def test_the_sentence_names_the_mistake(name: str, answer: object, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnngen_course.exercises.report.MOST_SECONDS", 0.5)
    sheet, exercise = find_sheet(name)
    assert words in sheet.check(exercise, answer).sentence


def test_every_exercise_is_answered_in_another_style() -> None:
    assert set(RIGHT) == {f"{lesson}.{name}" for lesson in MODULES for name in load_sheet(lesson).exercises}
