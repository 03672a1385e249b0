"""The events of many clips as tensors: frames from onset to offset, one event after another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from realtime.representation.contract.event import EventFrames
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train.clips.clip import event
from train.clips.embeddings import EmbeddedClip
from train.methods.cmn.config import Reference


class EmbeddedEvents:
    """K events with F frames in all, of V views each; frames are counted from their event's onset."""

    def __init__(self, clips: Sequence[EmbeddedClip]) -> None:
        self.clips = [(clip, event(clip.times, clip.sample)) for clip in clips]  #: and which of their frames
        self.clean = torch.from_numpy(np.concatenate([clip.clean[span] for clip, span in self.clips]))  # (F, width)
        times = [torch.from_numpy(clip.times[span]) for clip, span in self.clips]
        self._times = pad_sequence(times, batch_first=True, padding_value=torch.inf)  # (K, longest)
        self.lengths = torch.tensor([len(t) for t in times])  # (K,)
        self._begin = self.lengths.cumsum(0) - self.lengths
        self.apex_s = torch.tensor([clip.sample.apex_s for clip in clips], dtype=torch.float64)  # (K,)

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def views(self) -> Tensor:
        """(V, F, width); only training asks for them."""
        return torch.from_numpy(np.concatenate([clip.views[:, span] for clip, span in self.clips], axis=1))

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
