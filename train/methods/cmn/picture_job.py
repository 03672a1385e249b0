"""How the whole network learns: as the head does, from pictures that go through the encoder in every step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from realtime.records import Image
from realtime.representation.crop_images import CropImages, crop_images
from train.clips.embeddings import apply_view, draw_view
from train.methods.cmn.config import CmnConfig
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.job import Batch, Clips, CmnJob
from train.methods.cmn.pictured import PicturedClip
from train.methods.cmn.trained import CmnClips
from train.methods.method import Method
from train.sources.source import Split


class PictureBatch(NamedTuple):
    """B clips of one step, as `Batch`, each frame a picture (3, S, S)."""

    views: Tensor  #: (B, 2, N, 3, S, S)
    first: Tensor  #: (B, 1, 1, 3, S, S)
    negatives: Tensor  #: (B, N, S, 3, S, S)
    since_apex_s: Tensor  #: (B, N)
    labels: Tensor  #: (B,)


class PictureJob(CmnJob):
    """Views are drawn anew in every step, and negatives chosen by the frozen encoder, which is part of the clips."""

    def __init__(
        self,
        method: Method[CmnConfig, Clips],
        config: CmnConfig,
        network: CmnClips,
        picture: CropImages,
        split: Split[Clips],
        seed: int,
    ) -> None:
        super().__init__(method, config, network.head, split, seed)
        self.network, self.whole, self.picture = network, network, picture

    def made(
        self, data: EmbeddedEvents, events: Tensor, sources: Tensor, negatives: Tensor, generator: Generator
    ) -> PictureBatch:
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        views, first, others = [], [], []
        for event, source, negative in zip(events.tolist(), sources, negatives, strict=True):
            images = self._images(data, event)
            frames = [images[i] for i in source.tolist()]
            views.append(torch.stack([self._view(frames, rng) for _ in range(2)]))
            first.append(self._pictures(frames[:1])[None])
            held = self._pictures([images[i] for i in negative.flatten().tolist()])
            others.append(held.view(*negative.shape, *held.shape[1:]))
        since = data.since_apex_s(events, sources)
        return PictureBatch(torch.stack(views), torch.stack(first), torch.stack(others), since, self.labels[events])

    def loss(self, batch: PictureBatch) -> Tensor:  # type: ignore[override]
        """All pictures of a step go through the encoder at once: batch normalisation sees them together."""
        parts = (batch.views, batch.first, batch.negatives)
        found = self.whole.embed(torch.cat([part.flatten(0, -4) for part in parts]))
        each = torch.split(found, [part.shape[:3].numel() for part in parts])
        views, first, negatives = (rows.view(*part.shape[:3], -1) for rows, part in zip(each, parts, strict=True))
        return super().loss(Batch(views, first, negatives, batch.since_apex_s, batch.labels))

    def _images(self, data: EmbeddedEvents, event: int) -> Image:
        clip, span = data.clips[event]
        assert isinstance(clip, PicturedClip)
        return np.array(clip.images[span])

    def _view(self, frames: Sequence[Image], rng: np.random.Generator) -> Tensor:
        """One view of one clip: colour and noise of all frames alike, so that it stays coherent (N, 3, S, S)."""
        view = draw_view(self.config.views, rng)
        return self._pictures([apply_view(image, view, rng) for image in frames])

    def _pictures(self, images: Sequence[Image]) -> Tensor:
        return torch.from_numpy(crop_images(images, self.picture))
