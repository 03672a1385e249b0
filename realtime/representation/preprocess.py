"""Crops and what stages made of them -> an engine's input array. Training and serving make inputs here alone.

The set of representations is closed: an engine's manifest names one of them with all of
its parameters, so an engine can never be fed what it was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import msgspec
import numpy as np

from realtime.records import Floats, Image
from realtime.representation.change import Images, changed, mean_grey, upon
from realtime.representation.fields import Scale, Times, moments, normalised, sampled

TURNS = 3  # yaw, pitch, roll
#: What brings the numbers of a tick near 1: eye distances of a small movement, of none, and degrees of a small turn.
SMALL, LEAST, SMALL_DEG, MOST_TURNS = 0.002, 1e-4, 3.0, 3.0

#: Colour statistics of ImageNet, which the public checkpoints of these networks expect.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class CropImages(msgspec.Struct, frozen=True, tag="crop-images", forbid_unknown_fields=True):
    """Aligned crops as pictures, each on its own: float32 (B, 3, size, size), RGB, (x / 255 - mean) / std."""

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side that the network sees
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class EmbeddingSequence(msgspec.Struct, frozen=True, tag="embedding-sequence", forbid_unknown_fields=True):
    """An encoder's embeddings of frames spread evenly over an event: float32 (B, frames, width)."""

    encoder: str  #: name of the engine package that makes the embeddings
    encoder_sha256: str  #: of its model.onnx: another encoder's embeddings mean something else
    frames: int
    width: int  #: of an embedding
    cells: int = 0  #: the side of the grid that each frame's field is pooled to, behind its embedding; 0: no field

    @property
    def row(self) -> int:
        """Numbers of one frame."""
        return self.width + 2 * self.cells**2


class ClipImages(msgspec.Struct, frozen=True, tag="clip-images", forbid_unknown_fields=True):
    """Pictures of an event from its first frame to its last: float32 (B, 3, frames, size, size)."""

    frames: int
    picture: CropImages  #: each of them


class FlowFields(msgspec.Struct, frozen=True, tag="flow-fields", forbid_unknown_fields=True):
    """How the face had moved at moments between onset and apex: float32 (B, frames, 3, size, size), u, v, strain.

    See `fields`, which says over how long, how moments are chosen, and how sizes are taken.
    """

    crop_px: int  #: the side of the crops that the flow was found between
    size_px: int  #: the side of the fields
    frames: int
    scale: Scale  #: "each" of u and v is divided by its own size, or "both" by one
    floor: float  #: least size, eye distances: below it is noise
    limit: float  #: values beyond so many sizes are cut


class ApexChange(msgspec.Struct, frozen=True, tag="apex-change", forbid_unknown_fields=True):
    """An event's onset, its apex, and what changed between them, in grey: float32 (B, 3, size, size).

    See `change`. Who somebody is, both pictures show alike: what changed is left.
    """

    crop_px: int  #: the side of the crop that `align` makes
    size_px: int  #: the side that the network sees
    around_s: float  #: frames so near to either moment are averaged: fast cameras lose their noise
    gain: float  #: of the change, when pictures go from -2 to 2


class MotionTicks(msgspec.Struct, frozen=True, tag="motion-ticks", forbid_unknown_fields=True):
    """How the face moved in the last `lag_s`, tick by tick, behind the network's own memory: float32 (B, width).

    See `motion_ticks` for one tick, and `spotter` for how they come about.
    """

    crop_px: int  #: the side of the crops that the flow was found between
    size_px: int  #: the side of the fields
    cells: int  #: the side of the grid that a field is pooled to
    lag_s: float  #: a crop is held against one from so long before
    tick_s: float
    lookback_s: float  #: the network speaks of the moment that lies so long before the end of its newest tick
    memory: int  #: numbers that it gives from tick to tick

    @property
    def width(self) -> int:
        """Of one row, memory first."""
        return self.memory + 3 * self.cells**2 + 1 + TURNS


Representation = CropImages | EmbeddingSequence | ClipImages | FlowFields | ApexChange | MotionTicks


def crop_images(images: Sequence[Image], representation: CropImages) -> Floats:
    """uint8 (S, S, 3) crops -> float32 (B, 3, size, size)."""
    size = representation.size_px
    resized = [
        image if image.shape[0] == size else cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
        for image in images
    ]
    scale = np.float32(1) / (np.float32(255) * np.asarray(representation.std, np.float32))
    shift = np.asarray(representation.mean, np.float32) / np.asarray(representation.std, np.float32)
    batch = np.stack(resized).astype(np.float32) * scale - shift
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def spread(length: int, frames: int) -> list[int]:
    """The centres of `frames` equal parts of `length` frames: floor((i - 0.5) * length / frames), i = 1 ... frames.

    Shorter spans repeat frames, and order is kept. (Source frames of the contrastive magnification
    network at test time, CN115049957A.)
    """
    if length < 1:
        raise ValueError(f"a span of {length} frames has nothing to spread over; at least 1 is needed")
    return [int((i + 0.5) * length / frames) for i in range(frames)]


def first_to_last(length: int, frames: int) -> list[int]:
    """`frames` indices from the first to the last of `length` frames, evenly; repeated where there are fewer.

    (Test clips of Jiang et al. 2020, arXiv 2008.05924, whose frames are picked and not interpolated.)
    """
    if length < 1:
        raise ValueError(f"an event of {length} frames has none to pick; at least 1 is needed")
    return [round(i * (length - 1) / max(frames - 1, 1)) for i in range(frames)]


def embedding_sequence(
    embeddings: Sequence[Floats], fields: Sequence[Floats], representation: EmbeddingSequence
) -> Floats:
    """Embeddings (width,) and fields (2, S, S) of an event's frames in order -> float32 (1, frames, row)."""
    chosen = spread(len(embeddings), representation.frames)
    rows = np.stack([embeddings[i] for i in chosen])
    if representation.cells:
        moved = pooled(np.stack([fields[i] for i in chosen]), representation.cells)
        rows = np.concatenate([rows, moved], axis=1)
    return rows[None].astype(np.float32)


def pooled(fields: Floats, cells: int) -> Floats:
    """The mean of u and of v over each cell of fields (..., 2, S, S), compressed: float32 (..., 2 * cells**2)."""
    return np.asarray(np.arcsinh(_means(fields, cells) / SMALL).reshape(*fields.shape[:-3], -1), np.float32)


def clip_images(images: Sequence[Image], representation: ClipImages) -> Floats:
    """Crops uint8 (S, S, 3) of an event's frames in order -> float32 (1, 3, frames, size, size)."""
    chosen = [images[i] for i in first_to_last(len(images), representation.frames)]
    return np.ascontiguousarray(crop_images(chosen, representation.picture).swapaxes(0, 1)[None])


def flow_fields(times: Times, fields: Floats, apex: float, representation: FlowFields) -> Floats:
    """Fields (T, 2, S, S) of an event's frames at `times` (T,), from its onset on -> float32 (1, frames, 3, S, S)."""
    wanted = moments(float(times[0]), apex, representation.frames)
    return scaled(sampled(times, fields, wanted)[None], representation)


def scaled(events: Floats, representation: FlowFields) -> Floats:
    """Sampled events (B, frames, 2, S, S) eye distances -> float32 (B, frames, 3, S, S)."""
    return normalised(events, representation.scale, representation.floor, representation.limit)


def apex_change(times: Times, images: Images, apex: float, representation: ApexChange) -> Floats:
    """Crops uint8 (S, S, 3) of an event's frames at `times` (T,), from its onset on -> float32 (1, 3, size, size)."""
    return changed(apex_pair(times, images, apex, representation)[None], representation.gain)


def apex_pair(times: Times, images: Images, apex: float, representation: ApexChange) -> Floats:
    """Onset and apex of such an event in grey, one upon the other: float32 (2, size, size) in [0, 1]."""
    around_s, size_px = representation.around_s, representation.size_px
    onset, peak = (mean_grey(times, images, moment, around_s, size_px) for moment in (float(times[0]), apex))
    return np.stack([onset, upon(onset, peak)])


def motion_ticks(fields: Floats, head: Floats, turns: Floats, cells: int) -> Floats:
    """Ticks as a network of `MotionTicks` sees them, without its memory: (..., 3 * cells**2 + 1 + TURNS).

    `fields` (..., 2, S, S) in eye distances become the means of u and v over each cell and the root mean square
    of their lengths, all compressed, for movements differ a hundredfold; `head` (...,) is the size of the movement
    that was taken away, in eye distances, `turns` (..., TURNS) that of the head in degrees.
    """
    squares = np.square(fields[..., 0, :, :]) + np.square(fields[..., 1, :, :])
    lengths = np.sqrt(_means(squares, cells)).reshape(*fields.shape[:-3], -1)
    sizes = np.log((np.concatenate([lengths, head[..., None]], -1) + LEAST) / SMALL)
    turned = np.clip(turns / SMALL_DEG, -MOST_TURNS, MOST_TURNS)
    return np.asarray(np.concatenate([pooled(fields, cells), sizes, turned], -1), np.float32)


def _means(values: Floats, cells: int) -> Floats:
    """(..., S, S) -> (..., cells, cells). By sums of slices: numpy's mean over two axes takes twice as long."""
    side = values.shape[-1] // cells
    parts = [values[..., i::side, j::side] for i in range(side) for j in range(side)]
    return np.asarray(sum(parts[1:], parts[0]) / np.float32(side * side))
