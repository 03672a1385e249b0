"""What an epoch shows of each clip: frames that are picked as serving picks them, of a part of the face, mirrored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from realtime.representation.clip_images import CLIPS, ClipImages
from realtime.representation.contract.event import EventFrames
from train.clips.stored import StoredClip
from train.clips.takes import draw, jittered
from train.methods.menet.config import MenetConfig
from train.training.augment import resized_crop

Clips = Sequence[StoredClip]


@dataclass(frozen=True, slots=True, eq=False)
class ShownClips:
    """The clips that are trained on, in batches of at least two: what is estimated needs two clips to compare."""

    config: MenetConfig
    made: ClipImages
    takes: tuple[Clips, ...]  #: the same clips through each camera
    seed: int

    @property
    def size(self) -> int:
        """Of a batch."""
        return min(self.config.optimiser.batch, len(self.takes[0]))

    @property
    def steps(self) -> int:
        """In an epoch."""
        return len(self.takes[0]) // self.size

    def clips(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Clips (B, 3, T, S, S) and their rows (B,)."""
        yield from self._batches(epoch, lambda clip, generator: clip_of(self._moved(clip, generator), self.made))

    def onsets(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The first picture of each (B, 3, S, S), and the rows (B,)."""
        for x, rows in self._batches(epoch, lambda clip, generator: onset_of(clip, self.made)):
            yield x[:, :, 0], rows

    def _batches(self, epoch: int, show: Callable[[StoredClip, Generator], Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        generator = Generator().manual_seed(self.seed * 1000 + epoch)
        clips = draw(self.takes, generator)
        order = torch.randperm(len(clips), generator=generator)
        for rows in torch.split(order, self.size)[: self.steps]:
            x = torch.stack([show(clips[row], generator) for row in rows.tolist()])
            yield resized_crop(x, self.config.area, self.config.size_px, generator), rows

    def _moved(self, clip: StoredClip, generator: Generator) -> StoredClip:
        return replace(clip, sample=jittered(clip.sample, clip.times(), self.config.jitter_s, generator))


def clip_of(clip: StoredClip, made: ClipImages) -> Tensor:
    """What serving makes of its event: (3, T, S, S)."""
    inside = clip.event()
    part = slice(inside.start, inside.stop)
    event = EventFrames(clip.times()[part], images=clip.crops()[part])
    return torch.from_numpy(made.of_event(event, clip.sample.apex_s)[CLIPS][0])


def onset_of(clip: StoredClip, made: ClipImages) -> Tensor:
    """The first picture of that: (3, 1, S, S)."""
    onset = clip.crops()[clip.event().start]
    return torch.from_numpy(made.picture.of_images([onset])[made.picture.inputs()[0].name][0])[:, None]
