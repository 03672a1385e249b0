"""The macro-expressions of a fold: what the source makes of the people to train on, and recorded sets beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.clips.stored import StoredClip
from train.config.recorded import Rates
from train.methods.quintuplet.config import QuintupletConfig
from train.sources.collection import Collection, gather
from train.sources.source import ClipSource, Split

OWN_RATE = Rates(train_hz=(0.0,), test_hz=(0.0,), seed=1)


def macro_clips(
    config: QuintupletConfig, source: ClipSource, split: Split[Any], workers: int | None = None
) -> list[StoredClip]:
    """Clips of nobody whom `split` holds back; what the cache lacks of them is made."""
    people = sorted(_people(split.train))
    own = source.macros(people, config.macro.each, workers) if config.macro.each else ()
    held = _people((split.calibration, *split.test))
    beside = recorded(config, workers)
    others = beside.of(beside.ids(), 0.0) if beside else []
    return [*own, *(clip for clip in others if clip.case.subject not in held)]


def recorded(config: QuintupletConfig, workers: int | None = None) -> Collection | None:
    """The sets that are named; None where none is."""
    data = config.macro.data
    return gather(data, OWN_RATE, Path(config.cache), workers) if data else None


def _people(takes: Sequence[Any]) -> set[str]:
    return {subject(clip) for take in takes for clip in take}


def subject(clip: Any) -> str:
    """Whose it is, under the name of their case, of a clip that is stored or of one that is seen."""
    return str(clip.case.subject if isinstance(clip, StoredClip) else clip.sample.subject)
