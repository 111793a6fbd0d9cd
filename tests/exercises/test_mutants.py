"""No check is fooled: each slip that can be made in a solution is judged wrong, or listed here with the reason why not.

The slips are made by ``mutants``: every constant, operator, comparison, call, argument, slice and element, one by one.
"""

import warnings

import pytest

from tests.exercises.mutants import make_mutants
from tests.exercises.test_sheets import load_sheet
from tests.exercises.test_solutions import SHEETS

pytestmark = pytest.mark.slow

SQUARED = "a difference is squared or made positive: its sign does not matter"
SAME_SHAPE = "both have the same shape"
ZERO_OR_NOT = "what leaks is far above the limit, what does not is exactly 0"
IN_ANY_ORDER = "the order does not matter"
AS_NUMBER = "a tensor with one number in it counts as the number"
BY_LOOKS = "any kernel is right that answers as the text asks; rows may differ"
ANY_GROUPS = "many directions are right: groups may be split elsewhere, one may be everybody, if one has longer sleeves"
NO_SUCH_CASE = "the comparison differs only where the arguments never are"

# Lesson and exercise → changed statement → why the answer is still right.
EQUIVALENT = {
    "animals.cycle_error": {
        "first = (ones - back(there(ones))).abs().mean()": SQUARED,
        "second = (twos - there(back(twos))).abs().mean()": SQUARED,
    },
    "animals.zero_losses": {
        "return {'copy': ('identity', 'cycle'), 'mirror': ('cycle',), 'swap colours': ('cycle',), "
        "'fade': ('cycle',), 'forget': ()}": IN_ANY_ORDER,
    },
    "animals.fragility": {
        "calm = (images - back(translated)).abs().mean()": SQUARED,
        "shaken = (images - back((translated + noise).clamp(-1, 1))).abs().mean()": SQUARED,
    },
    "classifier.train_and_measure": {
        "model.zero_grad()": "the network clears the same gradients as the optimizer",
        "return right.float().mean()": AS_NUMBER,
    },
    "classifier.make_shortcut": {"if in_channels == out_channels and stride <= 1:": NO_SUCH_CASE},
    "comparison.equal_steps": {
        "return {name: round(budget // seconds) for name, seconds in seconds_per_step.items()}": "whole already",
        "return {name: int(budget / seconds) for name, seconds in seconds_per_step.items()}": "int() rounds down, too",
    },
    "convolution.edge_kernel": {
        "return [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]": "a list of rows counts as a tensor",
        "return torch.tensor([[0.0, -1.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, -0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])": "−0 is 0",
        "return torch.tensor([[-1.0, 0.0, 1.0], [0.0, -1.0, 1.0], [-1.0, 0.0, 1.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, -0.0, 1.0], [-1.0, 0.0, 1.0]])": "−0 is 0",
        "return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [0.0, -1.0, 1.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 1.0, 0.0]])": BY_LOOKS,
        "return torch.tensor([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, -0.0, 1.0]])": "−0 is 0",
    },
    "convolution.far_sight": {"return [(3, 2), (3, 2), (3, 2)]": "nothing comes after the last stride"},
    "data.centre_square": {"side = min(width, height)": IN_ANY_ORDER},
    "data.find_copies": {
        "with_mirrored = torch.cat([train.flip(3), train])": IN_ANY_ORDER,
        "return torch.where(distances.amin(dim=1) < limit)[0]": "a tensor of places counts as a list",
        "return torch.where(distances.amin(dim=1) <= limit)[0].tolist()": "no rounded distance is exactly the limit",
        "return torch.where(distances.amin(dim=1) < limit)[-1].tolist()": "the only one is also the last",
    },
    "data.whiten": {
        "covariance = centred.T @ centred / (len(centred) - 1)": SAME_SHAPE,
        "covariance = centred.T @ rows / (len(rows) - 1)": "one factor is centred: the other's mean drops out",
        "covariance = rows.T @ centred / (len(rows) - 1)": "one factor is centred: the other's mean drops out",
    },
    "gan.teach_discriminator": {"discriminator.zero_grad()": "the network clears the same gradients as the optimizer"},
    "inpainting.hole_error": {
        "hole = (~known).expand_as(filled)": SAME_SHAPE,
        "return 0.0": AS_NUMBER,
        "return torch.tensor(-0.0)": "−0 is 0",
        "return (images - filled)[hole].square().mean()": SQUARED,
    },
    "inpainting.grow": {
        "return F.avg_pool2d(known.float(), 3, stride=1, padding=1) > 0": "a mean of 0s and 1s is above 0 as soon as "
        "one of them is 1",
    },
    "inpainting.depth": {
        "known = F.avg_pool2d(known.float(), 3, stride=1, padding=1) > 0": "a mean of 0s and 1s is above 0 as soon as "
        "one of them is 1",
    },
    "likelihood.leaks": {
        "return slopes.triu().abs().max().item() >= 1e-06": ZERO_OR_NOT,
        "return slopes.triu().abs().max().item() > 1.1e-06": ZERO_OR_NOT,
        "return slopes.triu().abs().max() > 1e-06": AS_NUMBER,
        "return slopes.triu().abs().sum().item() > 1e-06": ZERO_OR_NOT,
        "return slopes.triu().abs().mean().item() > 1e-06": ZERO_OR_NOT,
        "return slopes.triu().square().max().item() > 1e-06": ZERO_OR_NOT,
    },
    "likelihood.cool": {"raise ValueError()": "the message is free"},
    "optimisation.choose_rate": {"return rates[usable.argmin()] / 10": AS_NUMBER},
    "quality.gaussian_frechet": {
        "return ((mean_2 - mean_1) ** 2 + (spread_1 - spread_2) ** 2).sum()": SQUARED,
        "return ((mean_1 - mean_2) ** 2 + (spread_2 - spread_1) ** 2).sum()": SQUARED,
    },
    "quality.enough": {
        "sizes = [size for size, spread in spreads.items() if 2 * 2 ** 0.5 * spread < difference]": "no product with "
        "a rounded √2 is exactly the difference",
    },
    "safety.fgsm": {
        "images = images.requires_grad_()": "the pictures keep their values; they only remember a gradient",
        "return (images + epsilon * images.grad.sign()).clamp(-1, 1)": "the values are the same",
        "return (images + epsilon / images.grad.sign()).clamp(-1, 1).detach()": "the sign is 1 or −1: no gradient is 0",
    },
    "scaling.share_out": {
        "for rounds in range(1, pictures + 2):": "with more rounds than pictures, the batch size is 0",
        "if rest <= 0 and 0 < size <= fits:": NO_SUCH_CASE,
        "if rest == 0 and 0 <= size <= fits:": NO_SUCH_CASE,
        "if rest == 0 and size <= fits:": NO_SUCH_CASE,
        "if rest == 0 and -1 < size <= fits:": NO_SUCH_CASE,
    },
    "studio.validate": {
        "with Image.open(io.BytesIO(content), formats=('JPEG', 'PNG')) as picture:": IN_ANY_ORDER,
        "except (SyntaxError, OSError, ValueError):": IN_ANY_ORDER,
        "except (OSError, ValueError, SyntaxError):": IN_ANY_ORDER,
    },
    "studio.compare": {
        "return (ours - theirs).abs().max()": AS_NUMBER,
        "return (theirs - ours).abs().max().item()": SQUARED,
    },
    "studio.interval": {
        "spread = (sum(((mean - star) ** 2 for star in stars)) / (count - 1)) ** 0.5": SQUARED,
        "return (mean, max(mean - reach, 1.0), min(5.0, mean + reach))": IN_ANY_ORDER,
        "return (mean, max(1.0, mean - reach), min(mean + reach, 5.0))": IN_ANY_ORDER,
    },
    "style.gram": {
        "flat = features.flatten(-2)": "of four dimensions, 2 is the last but one",
        "return flat @ flat.transpose(2, 1) / flat.shape[2]": IN_ANY_ORDER,
    },
    "style.choose_layer": {
        "changed = (painted[layer] - image[layer]).square().mean()": SQUARED,
        "return changed / (image[layer] - other[layer]).square().mean()": AS_NUMBER,
        "return (changed / (other[layer] - image[layer]).square().mean()).item()": SQUARED,
        "return min(painted, key=compute_share)": "all three have the same names",
        "return min(other, key=compute_share)": "all three have the same names",
    },
    "style.keep_colours": {
        "weights = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)": "PyTorch adds the missing dimension in front",
    },
    "supervised.gaussian_kl": {"shift = (mean_2 - mean_1) ** 2 / variance_2": SQUARED},
    "supervised.find_sleeve_direction": {
        "low, high = (sleeves.quantile(0.75), sleeves.quantile(0.25))": ANY_GROUPS,
        "low, high = (sleeves, sleeves.quantile(0.75))": ANY_GROUPS,
        "low, high = (0.25, sleeves.quantile(0.75))": ANY_GROUPS,
        "low, high = (sleeves.quantile(0.275), sleeves.quantile(0.75))": ANY_GROUPS,
        "low, high = (sleeves.quantile(0.25), sleeves)": ANY_GROUPS,
        "low, high = (sleeves.quantile(0.25), sleeves.quantile(0.8250000000000001))": ANY_GROUPS,
        "direction = noise[sleeves >= high].mean(dim=0) - noise[sleeves <= high].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= high].mean(dim=0) - noise[sleeves <= sleeves].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= low].mean(dim=0) - noise[sleeves <= low].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= sleeves].mean(dim=0) - noise[sleeves <= low].mean(dim=0)": ANY_GROUPS,
        "direction = noise.mean(dim=0) - noise[sleeves <= low].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves > high].mean(dim=0) - noise[sleeves <= low].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves <= high].mean(dim=0) - noise[sleeves <= low].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= high].mean(dim=0) - noise.mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= high].mean(dim=0) - noise[sleeves < low].mean(dim=0)": ANY_GROUPS,
        "direction = noise[sleeves >= high].mean(dim=0) - noise[sleeves >= low].mean(dim=0)": ANY_GROUPS,
    },
}


@pytest.mark.parametrize(("lesson", "name"), SHEETS)
def test_every_slip_is_noticed(lesson: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = load_sheet(lesson)
    exercise = sheet.exercises[name]
    right = exercise.solution() if exercise.solution_gives_answer else exercise.solution
    assert sheet.check(name, right).status == "right"  # and what is loaded once is loaded
    monkeypatch.setattr("cnngen_course.exercises.report.MOST_SECONDS", 2.0)  # some slips make a loop endless
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning is no judgement
        mutants = list(make_mutants(exercise.solution, exercise.solution_gives_answer))
        survivors = [mutant.change for mutant in mutants if sheet.check(name, mutant.answer).status == "right"]
    listed = EQUIVALENT.get(f"{lesson}.{name}", {})
    assert [change for change in survivors if change not in listed] == [], "wrong answers that are judged right"
    assert set(listed) <= {mutant.change for mutant in mutants}, "there is no such change any more"
    assert len(mutants) >= 3 or name in ("run_b", "run_d")  # an answer that is one name has no parts


def test_the_table_names_exercises() -> None:
    assert set(EQUIVALENT) <= {".".join(param.values) for param in SHEETS}
