"""The hero picture of the lesson on adversarial training: a generator's points find eight clusters in four moments."""

import torch
from PIL import Image

from cnngen_course.adversarial_training import fit_adversarial
from cnngen_course.experiments.ring import Moment, compute_moment, sample_ring
from cnngen_course.figures import render
from cnngen_course.figures.gan import plot_moments
from cnngen_course.models.gan import PointDiscriminator, PointGenerator
from cnngen_course.objectives.adversarial import Adversarial, DifferencePenalty
from cnngen_course.runtime import seed_everything

STEPS = (0, 50, 250, 2000)


def make() -> Image.Image:
    """Train on the ring and return four moments in a row (about 920 × 260)."""
    seed_everything(0)
    generator, discriminator = PointGenerator(width=64), PointDiscriminator(width=64)
    latents, labels = torch.randn(500, 2), torch.zeros(128, dtype=torch.long)
    moments: list[Moment] = []

    def keep(step: int) -> None:
        if step in STEPS:
            moments.append(compute_moment(step, generator, discriminator, latents))

    keep(0)
    loader = [(sample_ring(128), labels) for _ in range(STEPS[-1])]
    objective = Adversarial("non_saturating", DifferencePenalty(0.02))
    fit_adversarial(
        generator,
        discriminator,
        objective,
        loader,
        steps=STEPS[-1],
        on_step=lambda _, history: keep(len(history.steps)),
        progress=False,
    )
    return render(plot_moments(moments, sample_ring(500)))
