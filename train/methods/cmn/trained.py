"""The whole network of CN115049957A, claim 5: the encoder, which the three losses train, and the head on it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from train.methods.cmn.network import CmnHead
from train.networks import checkpoints
from train.networks.resnet import ResNet, ResNet18

Part = Literal["layer4", "all"]


def encoder(initial: str) -> ResNet:
    """ResNet-18 without its last layer, filled from the checkpoint `initial`."""
    made = ResNet18(1)
    del made.fc  # frames are not judged, and a parameter without a gradient only misleads
    checkpoints.load(made, Path(initial))
    return made


class CmnClips(nn.Module):
    """Pictures (B, 3, N, S, S) of N source frames in order -> logits (B, classes) and the clip's vector v (B, 128).

    What of the encoder is not `part` stays as it was, its normalisation too. ("layer4" alone is what the patent's first
    author trains in AMAN.)
    """

    def __init__(self, encoder: ResNet, head: CmnHead, part: Part) -> None:
        super().__init__()
        self.encoder, self.head, self.part = encoder, head, part
        for module in self._still():
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> CmnClips:
        super().train(mode)
        for module in self._still():
            module.eval()
        return self

    def embed(self, pictures: Tensor) -> Tensor:
        """In training: (..., 3, S, S) -> (..., width)."""
        return self.encoder.embed(pictures.flatten(0, -4)).view(*pictures.shape[:-3], self.encoder.width)

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        frames = clips.transpose(1, 2)  # and no `embed`: a tracer does not unpack a shape
        embeddings = self.encoder.embed(frames.flatten(0, 1)).view(frames.shape[0], frames.shape[1], self.encoder.width)
        answer: tuple[Tensor, Tensor] = self.head(embeddings)
        return answer

    def _still(self) -> list[nn.Module]:
        if self.part == "all":
            return []
        whole = self.encoder
        return [whole.conv1, whole.bn1, whole.layer1, whole.layer2, whole.layer3]


def head_of(network: nn.Module) -> CmnHead:
    """Of a network with an encoder, or a head alone."""
    found = network.head if isinstance(network, CmnClips) else network
    assert isinstance(found, CmnHead)
    return found


def frozen(initial: str) -> ResNet:
    """The encoder as it begins, which nothing trains."""
    torch.manual_seed(0)  # what the checkpoint does not fill there is none of
    return encoder(initial).requires_grad_(False).eval()
