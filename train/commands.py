"""What `prepare`, `fit` and `export` do for each method: the only place that knows them all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realtime import config as realtime_config
from realtime.engine import Engine, open_engine
from realtime.manifest import Manifest
from train import prepare as preparation
from train.clips import ClipCrops, event
from train.config import CmnConfig, ExpressionConfig, TrainConfig, digest
from train.datasets.synthetic import Synthetic
from train.methods import cmn, expression

log = logging.getLogger(__name__)

FEWEST_FRAMES = 4  # of an event that is worth training on


@dataclass(frozen=True, slots=True)
class Method:
    """Its three commands; each gives the folder, or the package, that it made."""

    prepare: Callable[[Any], Path]
    fit: Callable[[Any], Path]
    export: Callable[[Any, Path], Manifest]


def prepare(config: TrainConfig) -> Path:
    """Make the cache that `fit` reads; what is there already is kept."""
    return METHODS[type(config)].prepare(config)


def fit(config: TrainConfig) -> Path:
    """Train; goes on after the last whole epoch if it was interrupted. The run's folder."""
    return METHODS[type(config)].fit(config)


def export(config: TrainConfig, engines: Path) -> Manifest:
    """The trained network as an engine package `engines`/<name>, proven before it is written."""
    return METHODS[type(config)].export(config, engines / config.name)


def _clips(config: CmnConfig) -> list[ClipCrops]:
    """The synthetic clips, each cut to its event, without those in which tracking lost the face during it."""
    found = preparation.clip_crops(Synthetic(config.clips), digest(config.clips), Path(config.cache))
    cut = [_cut(clip) for clip in found]
    whole = [clip for clip in cut if len(clip.times) >= FEWEST_FRAMES]
    if len(whole) < len(cut):
        log.warning("%d of %d clips are left out: the face was lost in them", len(cut) - len(whole), len(cut))
    return whole


def _cut(clip: ClipCrops) -> ClipCrops:
    frames = event(clip.times, clip.sample)
    return replace(clip, times=clip.times[frames], crops=clip.crops[frames])


def _encoder(config: CmnConfig) -> Engine:
    """In f32: what bf16 rounds away depends on the processor, and a training should not."""
    settings = realtime_config.load(overrides=["engines.precision=f32", "engines.threads=2"])
    return open_engine(Path(config.encoder), settings.engines)


def _prepare_cmn(config: CmnConfig) -> Path:
    cmn.prepare(config, _clips(config), _encoder(config))
    return Path(config.cache)


def _fit_cmn(config: CmnConfig) -> Path:
    return cmn.fit(config, _clips(config), _encoder(config))


def _export_cmn(config: CmnConfig, folder: Path) -> Manifest:
    encoder = _encoder(config)
    return cmn.export(config, cmn.prepare(config, _clips(config), encoder), encoder, folder)


METHODS: dict[type[ExpressionConfig] | type[CmnConfig], Method] = {
    ExpressionConfig: Method(expression.prepare, expression.fit, expression.export),
    CmnConfig: Method(_prepare_cmn, _fit_cmn, _export_cmn),
}
