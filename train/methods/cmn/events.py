"""The events of many clips as tensors, split by person: frames from onset to offset, one event after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from realtime.representation.event import EventFrames
from train.clips.clip import event
from train.clips.embeddings import EmbeddedClip
from train.datasets.folds import hold_out
from train.methods.cmn.config import Reference
from train.storage.digest import digest


class Events:
    """K events with F frames in all, of V views each; frames are counted from their event's onset."""

    def __init__(self, clips: Sequence[EmbeddedClip], labels: tuple[str, ...]) -> None:
        self.vocabulary = labels
        spans = [event(clip.times, clip.sample) for clip in clips]
        pairs = list(zip(clips, spans, strict=True))
        self.clean = torch.from_numpy(np.concatenate([clip.clean[span] for clip, span in pairs]))  # (F, width)
        self.views = torch.from_numpy(np.concatenate([clip.views[:, span] for clip, span in pairs], axis=1))
        times = [torch.from_numpy(clip.times[span]) for clip, span in pairs]
        self._times = pad_sequence(times, batch_first=True, padding_value=torch.inf)  # (K, longest)
        self.lengths = torch.tensor([len(t) for t in times])  # (K,)
        self._begin = self.lengths.cumsum(0) - self.lengths
        self.labels = torch.tensor([labels.index(clip.sample.label) for clip in clips])  # (K,)
        self.apex_s = torch.tensor([clip.sample.apex_s for clip in clips], dtype=torch.float64)  # (K,)

    def __len__(self) -> int:
        return len(self.lengths)

    def shown(self, generator: Generator) -> Events:
        """What one epoch sees of these events: here the same in all. As many, in the same order."""
        return self

    def rows(self, events: Tensor, frames: Tensor) -> Tensor:
        """Where frames (B, ...) of events (B,) lie in `clean` and in each of `views`."""
        return frames + self._begin[events].view(-1, *[1] * (frames.ndim - 1))

    def since_apex_s(self, events: Tensor, frames: Tensor) -> Tensor:
        """Seconds from the apex to each of frames (B, N) of events (B,): negative before it."""
        return self._times[events].gather(1, frames) - self.apex_s[events, None]

    def until(self, end_s: Tensor) -> Tensor:
        """How many frames of each event lie no later than `end_s` (K,); at least 1."""
        return (self._times <= end_s[:, None]).sum(1).clamp(min=1)

    def early(self, after_s: float) -> Tensor:
        """How many frames an answer sees that comes `after_s` after the apex: (K,)."""
        return self.until(self.apex_s + after_s)

    def sequences(self, lengths: Tensor, frames: int) -> Tensor:
        """What serving gives to the head when it has seen `lengths` (K,) frames: (K, frames, width)."""
        made, rows = EmbeddingSequence("", "", frames, self.clean.shape[1]), []  # of whichever encoder they are
        for begin, times, apex_s, length in zip(self._begin, self._times, self.apex_s, lengths, strict=True):
            seen = EventFrames(times[:length].numpy(), embeddings=self.clean[begin : begin + length].numpy())
            rows.append(torch.from_numpy(made.of_event(seen, float(apex_s))[EMBEDDINGS]))
        return torch.cat(rows)

    def scale(self, reference: Reference, behind: int = 0) -> Tensor:
        """One over the root mean square of what the projector is given: (width,).

        Of the last `behind` numbers of each row, and of those before them, apart.
        """
        own = torch.repeat_interleave(self._begin, self.lengths)
        x = self.clean - self.clean[own] if reference == "first" else self.clean
        kinds = [x[:, : x.shape[1] - behind], x[:, x.shape[1] - behind :]] if behind else [x]
        return torch.cat([(1.0 / kind.square().mean().sqrt().clamp(min=1e-6)).expand(kind.shape[1]) for kind in kinds])


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The events of three groups of people."""

    train: Events
    calibration: Events  #: sets the temperature of the logits, and nothing else
    test: Events  #: is scored once, when all else is fixed
    key: str  #: changes with the clips, their embeddings and the split


def split(
    clips: Sequence[EmbeddedClip], labels: tuple[str, ...], held_out: float, calibration: float, seed: int
) -> Parts:
    """`held_out` of the people for the test, `calibration` of the others for the temperature, the rest to train on."""
    test = hold_out((clip.sample.subject for clip in clips), held_out, seed)
    others = {clip.sample.subject for clip in clips} - test
    calibrating = hold_out(others, calibration, seed)
    sides = [others - calibrating, calibrating, test]
    train, valid, last = (Events([clip for clip in clips if clip.sample.subject in side], labels) for side in sides)
    shaped = [(clip.key, clip.sample, clip.times.tolist()) for clip in clips]
    return Parts(train, valid, last, digest(*shaped, *(sorted(side) for side in sides)))
