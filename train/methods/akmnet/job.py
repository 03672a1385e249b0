"""How the network learns which frames matter: cross-entropy, and the two losses of what it chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from realtime.records import Floats
from realtime.representation.clip_images import CLIPS
from realtime.representation.contract.event import EventFrames
from realtime.representation.grey_clip import THERE, GreyClip
from train.clips.stored import StoredClip
from train.clips.takes import jittered
from train.methods.akmnet.config import AkmnetConfig, WindowAugment
from train.methods.akmnet.key_frames import few, mining
from train.methods.clip_job import ClipJob
from train.methods.method import Method
from train.sources.source import Split
from train.training import augment

Batch = tuple[Tensor, Tensor, Tensor]
Clips = Sequence[StoredClip]


class AkmnetJob(ClipJob[AkmnetConfig, StoredClip]):
    """Implements `loop.Job`."""

    def __init__(
        self,
        method: Method[AkmnetConfig, Clips],
        config: AkmnetConfig,
        network: nn.Module,
        made: GreyClip,
        split: Split[Clips],
        seed: int,
    ) -> None:
        super().__init__(method, config, network, split, seed)
        self.made = made

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator, clips, parts = self.begin(epoch)
        for rows in parts:
            seen = [self._seen(clips[row], generator) for row in rows.tolist()]
            pictures, there = (torch.from_numpy(np.concatenate([row[name] for row in seen])) for name in (CLIPS, THERE))
            yield varied(pictures, self.config.augment, generator), there, self.labels[rows]

    def loss(self, batch: Batch) -> Tensor:
        """L = CE + apart * L_bw + few * L_b, the authors' weights being 1 and 0.1."""
        clips, there, labels = batch
        with torch.autocast(clips.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            logits, near, chosen = self.network(clips, there)
        weights = self.config.loss
        mined = weights.apart * mining(near.float(), there) + weights.few * few(chosen.float())
        return F.cross_entropy(logits.float(), labels) + mined

    def _seen(self, clip: StoredClip, generator: Generator) -> Mapping[str, Floats]:
        """What serving sees of an event that is cut a little elsewhere; some end soon after their apex."""
        early, times = self.config.early, clip.times()
        sample = jittered(clip.sample, times, self.config.jitter_s, generator)
        share, place = torch.rand(2, generator=generator, dtype=torch.float64).tolist()
        end = sample.offset_s
        if share < early.share:
            end = sample.apex_s + early.after_s[0] + place * (early.after_s[1] - early.after_s[0])
        return shown(clip, sample.onset_s, min(end, sample.offset_s), self.made)


def shown(clip: StoredClip, onset: float, end: float, made: GreyClip) -> Mapping[str, Floats]:
    """What serving feeds the network with for the frames from `onset` to `end`, at least one: a row of each input."""
    times = clip.times()
    first = min(int(np.searchsorted(times, onset)), len(times) - 1)
    behind = max(int(np.searchsorted(times, end, side="right")), first + 1)
    event = EventFrames(times[first:behind], images=clip.crops()[first:behind])
    return made.of_event(event, end)


def varied(x: Tensor, a: WindowAugment, generator: Generator) -> Tensor:
    """Clips (B, 1, T, S, S) in [0, 1] as other cameras might have shown them, all frames of one alike."""
    count, _, frames, side, _ = x.shape
    lit = augment.light(x.flatten(1, 2), a.light, generator) if a.light else x.flatten(1, 2)
    larger = round(a.enlarged * side)
    chances = torch.rand((count, 2), generator=generator) < torch.tensor([a.probability, a.mirrored])
    places = torch.randint(larger - side + 1, (count, 2), generator=generator).tolist()
    rows = []
    for clip, (enlarged, mirrored), (top, left) in zip(lit, chances.tolist(), places, strict=True):
        if enlarged:
            wide = F.interpolate(clip[None], size=(larger, larger), mode="bilinear", align_corners=False)[0]
            clip = wide[:, top : top + side, left : left + side]
        rows.append(clip.flip(-1) if mirrored else clip)
    return torch.stack(rows).view(count, 1, frames, side, side)
