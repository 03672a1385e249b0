"""What each choice of the contrastive magnification network is worth: the same clips and split, other settings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec

from realtime.engine import Engine
from realtime.manifest import Score
from train.clips import ClipCrops
from train.config import CmnConfig, Reference, Sampling
from train.methods import cmn

SAMPLINGS: tuple[Sampling, ...] = ("far", "uniform", "patent_dot")


def ablate(
    config: CmnConfig,
    found: Sequence[ClipCrops],
    encoder: Engine,
    seeds: Sequence[int],
    samplings: Sequence[Sampling] = SAMPLINGS,
    references: Sequence[Reference] = ("first",),
) -> list[dict[str, Any]]:
    """One row for each sampling, reference and seed: these three, and the scores of early and final answers.

    The held-out people are the same in every row; so rows of one seed may be compared in pairs. To choose
    a setting by these rows would be to choose it on the test: they are reported, the default was set before.
    """
    parts = cmn.prepare(config, found, encoder)
    rows = []
    for sampling, reference, seed in itertools.product(samplings, references, seeds):
        variant = msgspec.structs.replace(config, sampling=sampling, reference=reference, seed=seed)
        folder = cmn.fit_parts(variant, parts)
        scores = msgspec.json.decode((folder / "scores.json").read_bytes(), type=tuple[Score, ...])
        figures = {score.name: score.value for score in scores}
        rows.append({"sampling": sampling, "reference": reference, "seed": seed, **figures})
    return rows
