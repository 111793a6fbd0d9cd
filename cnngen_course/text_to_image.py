"""A large pretrained network, a sentence in and a picture out, for where there are a GPU and a way to the internet.

Neither the library (``diffusers``) nor the weights (some GB) come with the course. What is missing on this computer,
and what to do about it, ``list_obstacles`` says; nothing is fetched or installed without being asked for.
"""

import importlib.util
import shutil

import torch
from PIL import Image

from cnngen_course.paths import ROOT
from cnngen_course.pretrained import NetworkNeededError
from cnngen_course.runtime import pick_device

PACKAGES = ("diffusers", "transformers", "accelerate")
PIPELINE = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # its licence, CreativeML OpenRAIL-M, forbids harmful uses
DOWNLOAD_GB, MEMORY_GB = 3, 4  # of its weights in 16 bits, and of the GPU


class ObstacleError(RuntimeError):
    """A large pipeline can't run on this computer as it is; the message says what is missing and what to do."""


def list_obstacles(download_gb: float = DOWNLOAD_GB, memory_gb: float = MEMORY_GB) -> list[str]:
    """Return what is missing here for a large pipeline, a sentence each with its remedy; empty if all is there.

    The network itself is not tried: that would be a request to somebody's computer.
    """
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    obstacles = []
    if missing:
        obstacles.append(
            f"Not installed: {', '.join(missing)}. In a terminal, once, with a network: "
            f".venv/bin/python -m pip install {' '.join(missing)}"
        )
    obstacle = find_device_obstacle(memory_gb)
    if obstacle:
        obstacles.append(obstacle)
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < 2 * download_gb:
        obstacles.append(f"The weights need {download_gb:.0f} GB of disk and room beside them; {free:.1f} GB are free.")
    return obstacles


def find_device_obstacle(memory_gb: float) -> str | None:
    """Return what is wrong with the device that PyTorch would use, or None."""
    device = pick_device()
    if device.type == "cpu":
        return (
            "No GPU that PyTorch can use: a picture of 512 pixels would take many minutes here. "
            "Use a computer with a GPU, or a notebook service that lends one."
        )
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory / 1e9
        if memory < memory_gb:
            return f"The GPU has {memory:.1f} GB of memory, and {memory_gb:.0f} GB are needed: use a larger one."
    return None


def draw_from_text(
    prompt: str, *, pipeline: str = PIPELINE, steps: int = 25, guidance: float = 7.5, seed: int = 0
) -> Image.Image:
    """Draw what a sentence describes, with a large pretrained pipeline; the first time its weights are fetched.

    Args:
        prompt: the sentence, in English.
        pipeline: its name on the Hugging Face Hub.
        steps: from noise to picture.
        guidance: as in ``objectives.flow.guide``: 1 is the network's own answer.
        seed: of the noise.

    Raises:
        ObstacleError: something is missing on this computer; the message lists it.
        NetworkNeededError: the weights are not here yet, and there is no way to fetch them.
        ValueError: there is nothing to draw, or less than one step.
    """
    if not prompt.strip() or steps < 1:
        raise ValueError(f"give a sentence to draw and at least one step, got {prompt!r} and {steps}")
    obstacles = list_obstacles()
    if obstacles:
        raise ObstacleError("A large pipeline can't run here yet:\n" + "\n".join(f"- {line}" for line in obstacles))
    from diffusers import AutoPipelineForText2Image  # here, not above: it is not part of the course's environment

    try:
        network = AutoPipelineForText2Image.from_pretrained(
            pipeline, torch_dtype=torch.float16, variant="fp16", use_safetensors=True
        )
    except OSError as error:  # no connection, no such host, no such pipeline
        raise NetworkNeededError(
            f"The weights of {pipeline} (about {DOWNLOAD_GB} GB) are not on this computer and could not be fetched "
            f"({error}). With a connection, and the name spelt right, this same line works."
        ) from None
    random = torch.Generator().manual_seed(seed)
    network = network.to(pick_device())
    return network(prompt, num_inference_steps=steps, guidance_scale=guidance, generator=random).images[0]
