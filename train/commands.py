"""What `prepare`, `fit`, `evaluate` and `export` do for each method: the only place that knows them all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realtime.config import ROOT
from realtime.engine import Engine
from realtime.errors import ConfigError, GlimpseError
from realtime.manifest import MODEL, Manifest, Score
from realtime.manifest import load as load_manifest
from train import apex_frames, protocols, report
from train import evaluate as evaluation
from train import prepare as preparation
from train.clips import ClipCrops, event
from train.collection import FEWEST_FRAMES, Collection, gather
from train.config import (
    ApexnetConfig,
    CmnConfig,
    CmnRecordedConfig,
    EcstflConfig,
    ExpressionConfig,
    Recorded,
    TrainConfig,
    digest,
)
from train.datasets.synthetic import Synthetic
from train.embeddings import open_encoder
from train.evaluate import Plan
from train.methods import apexnet, cmn, cmn_recorded, ecstfl, expression
from train.methods.apexnet import ApexnetFitPredict
from train.methods.cmn_recorded import CmnFitPredict
from train.methods.ecstfl import EcstflFitPredict
from train.metrics import Scores, scores
from train.networks.checkpoints import fingerprint
from train.predictions import Prediction, classes
from train.runners import FitPredict, Runner

log = logging.getLogger(__name__)


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


def evaluate(config: TrainConfig, runner: Runner) -> tuple[Path, Scores]:
    """Fit and test the folds that are missing, and write the report: its path, and the scores of all folds pooled."""
    if not isinstance(config, Recorded):
        raise ConfigError(
            f"{config.name} has no [[data]] and no [evaluate]: its scores come with `fit` and `export`. Give a "
            "configuration that has them, such as configs/train/cmn-casme2-5.toml"
        )
    collection = _collection(config)
    plan, folder = _plan(config, collection)
    pooled = evaluation.evaluate(plan, FOLDS[type(config)](config, collection), folder, runner)
    return report.write(plan, pooled, folder, protocols.benchmark(config)), _scores(plan, pooled)


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
    return open_encoder(Path(config.encoder))


def _prepare_cmn(config: CmnConfig) -> Path:
    cmn.prepare(config, _clips(config), _encoder(config))
    return Path(config.cache)


def _fit_cmn(config: CmnConfig) -> Path:
    return cmn.fit(config, _clips(config), _encoder(config))


def _export_cmn(config: CmnConfig, folder: Path) -> Manifest:
    encoder = _encoder(config)
    return cmn.export(config, cmn.prepare(config, _clips(config), encoder), encoder, folder)


def _collection(config: Recorded) -> Collection:
    return gather(config.data, Path(config.cache))


def _plan(config: Recorded, collection: Collection) -> tuple[Plan, Path]:
    """The plan, and the folder that is its own."""
    if isinstance(config, CmnRecordedConfig):
        made_of = {"encoder": load_manifest(ROOT / config.encoder).files[MODEL]}
    else:
        made_of = {"initial": fingerprint(config.initial)}
    plan = protocols.plan(config, collection, made_of)
    return plan, Path(config.runs) / config.name / f"evaluation-{plan.key()}"


def _evaluated(config: Recorded, collection: Collection) -> tuple[Score, ...]:
    """For the manifest: the figures of the finished evaluation by the same configuration; none before it."""
    plan, folder = _plan(config, collection)
    if not (folder / report.REPORT).exists():
        log.warning("%s is exported without scores; python -m train evaluate makes them", config.name)
        return ()
    found = _scores(plan, evaluation.load(plan, folder))
    protocol = f"{plan.protocol}; pooled over {len(plan.folds)} folds, {config.epochs} epochs, fixed in advance"
    return tuple(
        Score(name=name, value=round(value, 4), protocol=protocol, counts=found.counts)
        for name, value in found.figures().items()
    )


def _scores(plan: Plan, pooled: Sequence[Prediction]) -> Scores:
    return scores(*classes(pooled, plan.labels), plan.labels)


def _prepare_recorded(config: Recorded) -> Path:
    _collection(config)
    return Path(config.cache)


def _prepare_cmn_recorded(config: CmnRecordedConfig) -> Path:
    cmn_recorded.prepare(config, _collection(config))
    return Path(config.cache)


def _fit_cmn_recorded(config: CmnRecordedConfig) -> Path:
    return cmn_recorded.fit(config, _collection(config))


def _fit_ecstfl(config: EcstflConfig) -> Path:
    return ecstfl.fit(config, _collection(config))


def _fit_apexnet(config: ApexnetConfig) -> Path:
    collection = _collection(config)
    return apexnet.fit(config, collection, apex_frames.choose(collection.clips, config.apex, config.quang))


def _export_apexnet(config: ApexnetConfig, folder: Path) -> Manifest:
    collection = _collection(config)
    return apexnet.export(config, collection, _evaluated(config, collection), folder)


def _export_ecstfl(config: EcstflConfig, folder: Path) -> Manifest:
    raise GlimpseError(
        f"{config.name} takes clips of pictures, and the live process makes none: its representations are single "
        "crops and sequences of embeddings (realtime/preprocess.py). Evaluate it, or export cmn or apexnet"
    )


def _export_cmn_recorded(config: CmnRecordedConfig, folder: Path) -> Manifest:
    collection = _collection(config)
    return cmn_recorded.export(config, collection, _evaluated(config, collection), folder)


def _cmn_folds(config: CmnRecordedConfig, collection: Collection) -> FitPredict:
    cmn_recorded.prepare(config, collection)
    return CmnFitPredict(config, collection)


def _apexnet_folds(config: ApexnetConfig, collection: Collection) -> FitPredict:
    frames = apex_frames.choose(collection.clips, config.apex, config.quang)
    return ApexnetFitPredict(config, collection, frames)


METHODS: dict[type[TrainConfig], Method] = {
    ExpressionConfig: Method(expression.prepare, expression.fit, expression.export),
    CmnConfig: Method(_prepare_cmn, _fit_cmn, _export_cmn),
    CmnRecordedConfig: Method(_prepare_cmn_recorded, _fit_cmn_recorded, _export_cmn_recorded),
    EcstflConfig: Method(_prepare_recorded, _fit_ecstfl, _export_ecstfl),
    ApexnetConfig: Method(_prepare_recorded, _fit_apexnet, _export_apexnet),
}

#: What predicts the folds of an evaluation; it may compute what all folds share.
FOLDS: dict[type[Recorded], Callable[[Any, Collection], FitPredict]] = {
    CmnRecordedConfig: _cmn_folds,
    EcstflConfig: EcstflFitPredict,
    ApexnetConfig: _apexnet_folds,
}
