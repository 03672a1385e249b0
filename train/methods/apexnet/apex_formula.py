"""The apex finder of Quang et al. 2019 (CapsuleNet for micro-expression recognition, FG), as Ren et al. 2024 use it.

It is not causal: it looks at the whole clip from the onset to the offset, and so it serves to label clips. Live the
onset term alone may name the apex (`realtime.spotting.formula_apex`): the arithmetic is the same. Differences from the
authors' code, which finds the landmarks anew in every frame and compares pixels that a moving head has moved: the
frames are first registered to the onset frame, and the landmarks are the onset frame's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from realtime.errors import DataError
from realtime.records import Floats, Image
from realtime.spotting.apex_formula import Registration, change, region_means, regions

Terms = Literal["onset", "offset", "both"]  #: "both" is equation 6 of Ren et al.; the authors' code has "onset" alone
ENDS: dict[Terms, tuple[int, ...]] = {"onset": (0,), "offset": (-1,), "both": (0, -1)}


def find_apex(images: Sequence[Image], landmarks: Floats, lag: int, terms: Terms) -> int:
    """Which of `images` uint8 (S, S, 3), a clip from onset to offset, is its apex: the first with the highest score.

    Only frames that have one `lag` before them can be it. The formula leaves open what stands for that where there is
    none: with the first frame in its place the change is 0 there, the denominator 1, and noise alone makes it win. The
    score of a frame is the mean of `region_scores`; `landmarks` (468, 2+) are those of the first, in its px.
    `lag` counts frames, as the formula does: 3 in Ren et al. (equation 5), 1 in the authors' code.
    """
    first = min(lag, len(images) - 1)
    return first + int(region_scores(register(images), landmarks, lag, terms)[first:].mean(1).argmax())


def register(images: Sequence[Image]) -> Floats:
    """Grey frames float32 (T, S, S) on which the head stands as in the first of `images`, uint8 (S, S, 3) crops."""
    if not images:
        raise DataError("a clip of 0 frames has no apex; give the frames from its onset to its offset")
    placed = Registration(images[0])
    return np.stack([placed.first, *(placed.of(image) for image in images[1:])])


def region_scores(frames: Floats, landmarks: Floats, lag: int, terms: Terms) -> Floats:
    """M of every frame and region, float32 (T, 10) in the order of `rectangles`, from registered grey frames (T, H, W).

    It is how far a frame is from the clip's ends, seen against how fast the picture changes there:
    M_i = f(i, onset) + f(i, offset), f(i, j) = (|frame_i - frame_j| + 1) / (|frame_i - frame_(i - lag)| + 1)
    for each pixel, then the mean over the region. A frame that has none `lag` before it takes the first one.
    """
    before = frames[np.maximum(np.arange(len(frames)) - lag, 0)]
    far = np.stack([change(frames, frames[end]) for end in ENDS[terms]]).sum(0)
    height, width = frames.shape[1:]
    return region_means(far / change(frames, before), regions(landmarks, width, height))
