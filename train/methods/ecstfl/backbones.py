"""The networks of clips that there are to choose from: what each is made by, filled with and fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor, nn

from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD
from train.methods.ecstfl.c3d import C3D
from train.methods.ecstfl.config import Backbone as Kind
from train.methods.ecstfl.resnet_gru import ResNetGru
from train.networks.r3d import R3D18

#: Colour statistics of Kinetics-400, which torchvision's `video.r3d_18` was trained with.
KINETICS_MEAN, KINETICS_STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)


@dataclass(frozen=True, slots=True)
class Backbone:
    """A network of clips: (B, 3, T, S, S) -> the feature that the loss clusters, and logits."""

    build: Callable[[int, float], nn.Module]  #: classes, dropout
    body: Callable[[nn.Module], nn.Module]  #: the part that a public checkpoint fills
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    clip: tuple[int, int] | None  #: frames and px, where no others fit


def _whole(network: nn.Module) -> nn.Module:
    return network


BACKBONES: dict[Kind, Backbone] = {
    "c3d": Backbone(C3D, _whole, IMAGENET_MEAN, IMAGENET_STD, (16, 112)),
    "r3d18": Backbone(R3D18, _whole, KINETICS_MEAN, KINETICS_STD, None),
    "resnet18-gru": Backbone(ResNetGru, attrgetter("encoder"), IMAGENET_MEAN, IMAGENET_STD, None),
}


def standardise(x: Tensor, backbone: Backbone) -> Tensor:
    """(B, 3, T, S, S) in [0, 1] -> as `crop_images` makes each frame."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (backbone.mean, backbone.std))
    return (x - mean) / std
