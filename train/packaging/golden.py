"""Golden inputs: what a package is checked with wherever it goes, so they must be free to pass on: of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import Precision
from realtime.records import Floats, Image, Times
from realtime.representation.movement.motion import Flow, grey, layout, measure
from realtime.representation.representation import Representation
from train.clips.embeddings import embed_images
from train.clips.prepare import sample_crops
from train.training.augment import StillAugment

ROWS = 4
EVENT_FRAMES = 7
INT8_ROWS = 50  # judged by labels, of which 98 % must stay: of fewer, that would be all
CANDIDATES = 60  # of which those are kept that torch is surest of

#: Far beyond what any training shows: the sample's one face gets answers of several kinds, and close ones.
VARIED = StillAugment(turn_deg=40.0, scale=0.3, shift=0.2, contrast=0.6, tint=0.3, hide=1.0, soften=0.0, noise=0.0)


def golden_crops(precision: Precision) -> list[Image]:
    """Crops of the sample stream for a package that computes in `precision`."""
    return varied(sample_crops(CANDIDATES)) if precision == "int8" else sample_crops(ROWS)


@dataclass(frozen=True, slots=True, eq=False)
class GoldenEvent:
    """Crops a tenth of a second apart as an event; fields and embeddings are made where a representation wants them."""

    images: Sequence[Image]
    encoder: Engine | None

    @property
    def times(self) -> Times:
        return np.arange(len(self.images)) / 10

    @property
    def fields(self) -> Floats:
        return golden_motion(self.images)

    @property
    def embeddings(self) -> Floats:
        if self.encoder is None:
            raise ValueError("golden embeddings want the encoder that makes them: give it")
        return embed_images(self.images, self.encoder)

    @property
    def embedded(self) -> GoldenEvent:
        return self


def golden_inputs(
    made: Representation, encoder: Engine | None = None, *, frames: int = EVENT_FRAMES, rows: int = ROWS
) -> dict[str, Tensor]:
    """By input, what `made` makes of `rows` events of the sample's face, (rows, ...).

    Each has `frames` crops, its apex last, and begins with a later crop than the one before.
    """
    crops = sample_crops(frames + rows - 1)
    events = [GoldenEvent(crops[row : row + frames], encoder) for row in range(rows)]
    found = [made.of_event(event, float(event.times[-1])) for event in events]
    return {name: torch.from_numpy(np.concatenate([row[name] for row in found])) for name in found[0]}


def golden_motion(crops: Sequence[Image]) -> Floats:
    """How the face of `crops` has moved since the first of them: (T, 2, FIELD_PX, FIELD_PX)."""
    pictures = [grey(image) for image in crops]
    place, flow = layout(len(pictures[0])), Flow()
    return np.stack([measure(0.0, flow(pictures[0], picture), place).field for picture in pictures])


def surest(logits: Floats) -> npt.NDArray[np.intp]:
    """The rows of (N, C) to keep for INT8, in order: what is next to a tie falls to either side on any machine."""
    ranked = np.sort(logits, axis=1)
    return np.sort(np.argsort(ranked[:, -2] - ranked[:, -1], kind="stable")[:INT8_ROWS])


def varied(crops: Sequence[Image]) -> list[Image]:
    """Crops (S, S, 3) turned, moved, tinted and partly hidden: that like pictures keep their label proves little."""
    pictures = torch.from_numpy(np.stack(crops)).float().mean(3)[:, None] / 255
    changed = VARIED(pictures, torch.Generator().manual_seed(1))
    return list((changed * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy())
