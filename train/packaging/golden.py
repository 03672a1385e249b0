"""Golden pictures: what a package of pictures is checked with wherever it goes, so they must be free to pass on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from realtime.engine.package.manifest import Precision
from realtime.records import Floats, Image
from realtime.representation.motion import Flow, grey, layout, measure
from realtime.representation.preprocess import ApexChange, FlowFields, apex_change, flow_fields
from train.clips.prepare import sample_crops
from train.training.augment import StillAugment

ROWS = 4
EVENT_FRAMES = 6
INT8_ROWS = 50  # judged by labels, of which 98 % must stay: of fewer, that would be all
CANDIDATES = 60  # of which those are kept that torch is surest of

#: Far beyond what any training shows: the sample's one face gets answers of several kinds, and close ones.
VARIED = StillAugment(turn_deg=40.0, scale=0.3, shift=0.2, contrast=0.6, tint=0.3, hide=1.0, soften=0.0, noise=0.0)


def golden_crops(precision: Precision) -> list[Image]:
    """Crops of the sample stream for a package that computes in `precision`."""
    return varied(sample_crops(CANDIDATES)) if precision == "int8" else sample_crops(ROWS)


def golden_fields(representation: FlowFields) -> Floats:
    """Movements of the sample's face, each from another frame to some later ones: (ROWS, frames, 3, S, S)."""
    crops, rows = sample_crops(ROWS + EVENT_FRAMES), []
    for first in range(ROWS):
        fields = golden_motion(crops[first : first + 1 + EVENT_FRAMES])[1:]
        rows.append(flow_fields(np.arange(EVENT_FRAMES, dtype=np.float64), fields, EVENT_FRAMES - 1.0, representation))
    return np.concatenate(rows)


def golden_motion(crops: Sequence[Image]) -> Floats:
    """How the face of `crops` has moved since the first of them: (T, 2, FIELD_PX, FIELD_PX)."""
    pictures = [grey(image) for image in crops]
    place, flow = layout(len(pictures[0])), Flow()
    return np.stack([measure(0.0, flow(pictures[0], picture), place).field for picture in pictures])


def golden_changes(representation: ApexChange) -> Floats:
    """What changed in the sample's face, each from another frame to a later one: (ROWS, 3, S, S)."""
    pictures = sample_crops(ROWS + EVENT_FRAMES)
    times = np.arange(EVENT_FRAMES + 1, dtype=np.float64)
    events = [pictures[first : first + len(times)] for first in range(ROWS)]
    return np.concatenate([apex_change(times, event, float(EVENT_FRAMES), representation) for event in events])


def surest(logits: Floats) -> npt.NDArray[np.intp]:
    """The rows of (N, C) to keep for INT8, in order: what is next to a tie falls to either side on any machine."""
    ranked = np.sort(logits, axis=1)
    return np.sort(np.argsort(ranked[:, -2] - ranked[:, -1], kind="stable")[:INT8_ROWS])


def varied(crops: Sequence[Image]) -> list[Image]:
    """Crops (S, S, 3) turned, moved, tinted and partly hidden: that like pictures keep their label proves little."""
    pictures = torch.from_numpy(np.stack(crops)).float().mean(3)[:, None] / 255
    changed = VARIED(pictures, torch.Generator().manual_seed(1))
    return list((changed * 255).round().byte().permute(0, 2, 3, 1).contiguous().numpy())
