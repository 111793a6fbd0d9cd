"""MTCNN (Zhang et al., 2016): three networks, each larger than the last, that ask of ever fewer places: a face?

The first sweeps over the whole picture, the second and third look again at what is left. All take colour pictures as
``(value - 127.5) / 128``. ``pretrained.load_mtcnn`` gives them with their weights; ``faces`` runs them in order.
"""

import torch
from torch import Tensor, nn


class Stage(nn.Module):
    """What the three have in common: the order of their layers is that of their names' numbers."""

    def flatten(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 2, 1).flatten(1)  # width before height: so the weights were once trained


class ProposalNetwork(Stage):
    """Colour pictures (N, 3, H, W), H and W at least 12 -> for a window of 12 × 12 at every second pixel:

    the probability of a face (N, H', W') and how to move the window's corners (N, 4, H', W'), in shares of its size.
    """

    size, stride = 12, 2

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.pool1 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))  # (N, 10, (H-2)/2, (W-2)/2)
        x = self.prelu3(self.conv3(self.prelu2(self.conv2(x))))  # (N, 32, H', W')
        return self.conv4_1(x).softmax(dim=1)[:, 1], self.conv4_2(x)


class RefinementNetwork(Stage):
    """Windows (N, 3, 24, 24) -> the probability of a face (N,) and how to move the corners (N, 4)."""

    size = 24

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))  # (N, 28, 11, 11)
        x = self.pool2(self.prelu2(self.conv2(x)))  # (N, 48, 4, 4)
        x = self.prelu3(self.conv3(x))  # (N, 64, 3, 3)
        x = self.prelu4(self.dense4(self.flatten(x)))  # (N, 128)
        return self.dense5_1(x).softmax(dim=1)[:, 1], self.dense5_2(x)


class OutputNetwork(Stage):
    """Windows (N, 3, 48, 48) -> the probability of a face (N,), how to move the corners (N, 4), and five landmarks.

    The landmarks, (N, 10), are in shares of the window: five times across, then five times down, for the eyes, the
    nose and the corners of the mouth.
    """

    size = 48

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.pool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.pool3 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2, self.dense6_3 = nn.Linear(256, 2), nn.Linear(256, 4), nn.Linear(256, 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.pool1(self.prelu1(self.conv1(x)))  # (N, 32, 23, 23)
        x = self.pool2(self.prelu2(self.conv2(x)))  # (N, 64, 10, 10)
        x = self.pool3(self.prelu3(self.conv3(x)))  # (N, 64, 4, 4)
        x = self.prelu4(self.conv4(x))  # (N, 128, 3, 3)
        x = self.prelu5(self.dense5(self.flatten(x)))  # (N, 256)
        return self.dense6_1(x).softmax(dim=1)[:, 1], self.dense6_2(x), self.dense6_3(x)


class MTCNN(nn.Module):
    """The three networks together, frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = ProposalNetwork(), RefinementNetwork(), OutputNetwork()
        self.requires_grad_(False).eval()

    @staticmethod
    def prepare(pixels: Tensor) -> Tensor:
        """Return uint8 pixels (3, H, W) as the networks want them, (1, 3, H, W)."""
        return ((pixels.float() - 127.5) / 128)[None].to(torch.float32)
