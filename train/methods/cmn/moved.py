"""Embeddings with the same frame's displacement field behind them: motion as a second input of an event's head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from realtime.representation.movement.pooling import pooled
from train.clips.embeddings import EmbeddedClip
from train.clips.movement.fields import MovingClip
from train.methods.cmn.config import MotionInput
from train.storage.digest import digest


def beside(clip: EmbeddedClip, moving: MovingClip, shown: MotionInput, seed: int) -> EmbeddedClip:
    """`clip` with rows of width + 2 * cells**2; `moving` has its frames, and may have more.

    Each view's movement has noise of its own in every frame. How much it is, all views of a clip have alike: the
    contrast inside a clip holds them to be of one intensity (see `CmnJob.made`).
    """
    rows = np.searchsorted(moving.times, clip.times)
    fields = pooled(moving.fields[rows].astype(np.float32), shown.cells)
    rng = np.random.default_rng(int(digest("moved", seed, clip.sample.id), 16))
    varied = fields + shown.noise * rng.standard_normal((len(clip.views), *fields.shape))
    return replace(
        clip,
        clean=np.concatenate([clip.clean, fields], axis=1),
        views=np.concatenate([clip.views, varied.astype(np.float32)], axis=2),
    )
