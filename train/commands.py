"""What `prepare`, `fit`, `evaluate`, `export` and the like do for each method: the only place that knows them all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from torch import nn

from realtime.bench.engines import Speed
from realtime.config import ROOT, read_toml
from realtime.engine.engine import Engine
from realtime.engine.package.manifest import MODEL, Manifest, Precision, Score
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import ConfigError
from train import registry
from train.clips.embeddings import open_encoder
from train.clips.fields import moving
from train.clips.stored import StoredClip, store
from train.clips.subject_split import Parts
from train.clips.takes import FEWEST_FRAMES
from train.config import old
from train.config.clips import SyntheticSettings
from train.config.old import KINDS, OnSynthetic, Recorded, TrainConfig
from train.config.recipe import Recipe, Settings
from train.config.recorded import RecordedSettings
from train.config.sections import Machine
from train.evaluation import ablation, protocols, report
from train.evaluation import evaluate as evaluation
from train.evaluation.evaluate import Plan
from train.evaluation.metrics import Scores
from train.evaluation.runners import FitPredict, Runner
from train.evaluation.scoring import by_rate, figures
from train.methods import folds
from train.methods.apexnet import apex_frames
from train.methods.apexnet import recorded as apexnet_recorded
from train.methods.apexnet import synthetic as apexnet_synthetic
from train.methods.apexnet.config import ApexnetConfig, ApexnetRecordedConfig
from train.methods.apexnet.pairs import Filmed, filmed
from train.methods.apexnet.recorded import Apexes, ApexnetFitPredict
from train.methods.cmn import cmn, events
from train.methods.cmn import recorded as cmn_recorded
from train.methods.cmn.config import CmnConfig, CmnRecordedConfig
from train.methods.cmn.recorded import CmnFitPredict
from train.methods.comparison import compare
from train.methods.experiment import Experiment
from train.methods.expression import expression
from train.methods.expression.config import ExpressionConfig
from train.methods.spotter import spotter
from train.methods.spotter.config import SpotterTraining
from train.networks.checkpoints import fingerprint
from train.packaging import torch_tensorrt
from train.packaging.graph import rounded
from train.registry import experiment
from train.sources.collection import Collection, gather
from train.synthesis.synthetic import Synthetic
from train.tuning import tune as tuning
from train.tuning.config import TuneConfig
from train.tuning.report import Tuned

log = logging.getLogger(__name__)

NO_TRAINING = "{} trains nothing: it is for `python -m train tune`"


@dataclass(frozen=True, slots=True)
class Method:
    """Its three commands, each of which gives the folder or package that it made; and the network that it trained."""

    prepare: Callable[[Any, int | None], Path]
    fit: Callable[[Any], Path]
    export: Callable[[Any, Path, Precision], Manifest]
    network: Callable[[Any], nn.Module]


Given = TrainConfig | Recipe[Settings]


def load(paths: Sequence[Path], overrides: Iterable[str]) -> Given:
    """A recipe of a method's and a source's files; of one file, a configuration of a method that has no such yet."""
    tree = [read_toml(path) for path in paths]
    return registry.load(paths, overrides) if len(tree) > 1 or "source" in tree[0] else old.load(paths[0], overrides)


def prepare(config: Given, workers: int | None = None) -> Path:
    """Make the cache that `fit` reads, with `workers` processes (see `workers.run`); what is there already is kept."""
    if isinstance(config, Recipe):
        return experiment(config, workers).prepare()
    return _method(config).prepare(config, workers)


def fit(config: Given) -> Path:
    """Train; goes on after the last whole epoch if it was interrupted. The run's folder."""
    if isinstance(config, Recipe):
        return experiment(config).fit()
    return _method(config).fit(config)


def evaluate(config: Given, runner: Runner) -> tuple[Path, dict[float, Scores]]:
    """Fit and test the folds that are missing, and write the report: its path, and the pooled scores by frame rate."""
    if isinstance(config, Recipe) and isinstance(config.source, RecordedSettings):
        return folds.evaluate(experiment(config), runner)
    if not isinstance(config, Recorded):
        raise ConfigError(
            f"{config.name} has no [[data]] and no [evaluate]: its scores come with `fit` and `export`. Give a "
            "configuration that has them, such as configs/train/cmn-casme2-5.toml"
        )
    collection = _collection(config)
    plan, folder = _plan(config, collection)
    pooled = evaluation.evaluate(plan, FOLDS[type(config)](config, collection), folder, runner)
    return report.write(plan, pooled, folder, protocols.benchmark(config)), by_rate(pooled, plan.labels)


def export(config: Given, engines: Path, precision: Precision) -> Manifest:
    """The trained network as an engine package of `engines`, proven before it is written.

    Its folder is the configuration's name, followed by the precision if it is not fp32: they live beside each other.
    What `evaluate` tested fold by fold has no network of all clips yet: it is trained first, unless `fit` has.
    """
    _require_servable(config)
    if isinstance(config, Recipe):
        return _exported(experiment(config), _package(config, engines, precision), precision)
    if isinstance(config, Recorded):
        fit(config)
    return _method(config).export(config, _package(config, engines, precision), precision)


def rebuild(config: Given, engines: Path, precision: Precision, workers: int | None = None) -> Manifest:
    """From the data to the engine package: prepare, fit and export, each of which goes on where it was interrupted."""
    _require_servable(config)
    log.info("%s is prepared in %s", config.name, prepare(config, workers))
    log.info("%s is trained in %s", config.name, fit(config))
    return export(config, engines, precision)


def convert(config: Given, engines: Path, precision: Precision) -> Speed:
    """The trained network by torch-tensorrt, held against the package that `export` made of it; how fast it is."""
    torch_tensorrt.library()  # or all that follows is in vain
    network = experiment(config).restored() if isinstance(config, Recipe) else _method(config).network(config)
    network = rounded(network)
    return torch_tensorrt.convert(network, _package(config, engines, precision))


def ablate(config: Given, vary: Sequence[str], seeds: int) -> list[ablation.Row]:
    """Train anew for each combination of settings, such as "head=patent,cmnet", and each of seeds 1, 2 ..."""
    if isinstance(config, Recipe) and not isinstance(config.source, RecordedSettings):
        return compare(experiment(config), vary, range(1, seeds + 1))
    method = None if isinstance(config, Recipe) else COMPARED.get(type(config))
    if isinstance(config, Recipe) or method is None:
        methods = " or ".join(name for name, kind in KINDS.items() if kind in COMPARED)
        raise ConfigError(
            f"{config.name} is no {methods} with [clips], whose settings are what can be compared; give "
            "configs/train/cmn.toml, motion.toml, apexnet.toml or spotter.toml, or a copy"
        )
    return ablation.ablate(method, ablation.variants(config, vary, method.shared), range(1, seeds + 1))


def synthetic(config: Given) -> Synthetic:
    """The people and clips of a configuration that has [clips]."""
    if isinstance(config, Recipe) and isinstance(config.source, SyntheticSettings):
        return Synthetic(config.source.clips)
    if not isinstance(config, OnSynthetic):
        methods = " or ".join(method for method, kind in KINDS.items() if kind in get_args(OnSynthetic))
        raise ConfigError(
            f"{config.name} has no [clips] to make faces of; give a configuration of {methods} that has, such as "
            "configs/train/cmn.toml"
        )
    return Synthetic(config.clips)


def tune(config: Given, workers: int | None = None) -> Tuned:
    """Settings of the detector, found on one side and measured on both."""
    if not isinstance(config, TuneConfig):
        raise ConfigError(f"{config.name} is no search for settings; give configs/train/tune.toml or a copy")
    return tuning.tune(config, workers)


def machine(config: Given) -> Machine:
    """What a training runs on."""
    if isinstance(config, TuneConfig):
        raise ConfigError(NO_TRAINING.format(config.name))
    return config.method.machine if isinstance(config, Recipe) else config.machine


def _method(config: TrainConfig) -> Method:
    if isinstance(config, TuneConfig):
        raise ConfigError(NO_TRAINING.format(config.name))
    return METHODS[type(config)]


def _require_servable(config: Given) -> None:
    """An error where the live process could not feed the network; hours before it is trained."""
    if isinstance(config, Recipe):
        experiment(config).method.representation(config.method)


def _exported(asked: Experiment, folder: Path, precision: Precision) -> Manifest:
    """What was tested fold by fold has no network of all clips yet: it is trained first, unless `fit` has."""
    if isinstance(asked.recipe.source, RecordedSettings):
        asked.fit()
        return asked.export(folder, precision, folds.evaluated(asked))
    return asked.export(folder, precision, asked.scores())


def _package(config: Given, engines: Path, precision: Precision) -> Path:
    return engines / (config.name if precision == "fp32" else f"{config.name}-{precision}")


def _whole(config: CmnConfig | ApexnetConfig, workers: int | None = None) -> list[StoredClip]:
    """The synthetic clips without those in which tracking lost the face during the event."""
    clips = store(Synthetic(config.clips), Path(config.cache), workers)
    whole = [clip for clip in clips if len(clip.event()) >= FEWEST_FRAMES]
    if len(whole) < len(clips):
        log.warning("%d of %d clips are left out: the face was lost in them", len(clips) - len(whole), len(clips))
    return whole


def _events(config: CmnConfig, workers: int | None = None) -> events.Parts:
    """The synthetic clips, each cut to its event."""
    whole = _whole(config, workers)
    moved = moving(whole, workers) if config.motion.cells else ()
    return cmn.prepare(config, [clip.cut() for clip in whole], _encoder(config), moved)


def _encoder(config: CmnConfig) -> Engine:
    return open_encoder(Path(config.encoder))


def _prepare_cmn(config: CmnConfig, workers: int | None) -> Path:
    _events(config, workers)
    return Path(config.cache)


def _fit_cmn(config: CmnConfig) -> Path:
    return cmn.fit(config, _events(config))


def _export_cmn(config: CmnConfig, folder: Path, precision: Precision) -> Manifest:
    return cmn.export(config, _events(config), _encoder(config), folder, precision)


def _network_cmn(config: CmnConfig) -> nn.Module:
    return cmn.load(cmn.run_folder(config, _events(config)))


def _network_cmn_recorded(config: CmnRecordedConfig) -> nn.Module:
    return cmn_recorded.restored(config, _collection(config), open_encoder(Path(config.encoder)))


def _filmed(config: ApexnetConfig, workers: int | None = None) -> Parts[Filmed]:
    return apexnet_synthetic.split(config, filmed(_whole(config, workers)))


def _prepare_apexnet(config: ApexnetConfig, workers: int | None) -> Path:
    _whole(config, workers)
    return Path(config.cache)


def _fit_apexnet(config: ApexnetConfig) -> Path:
    return apexnet_synthetic.fit(config, _filmed(config))


def _export_apexnet(config: ApexnetConfig, folder: Path, precision: Precision) -> Manifest:
    return apexnet_synthetic.export(config, _filmed(config), folder, precision)


def _network_apexnet(config: ApexnetConfig) -> nn.Module:
    return apexnet_synthetic.restored(config, _filmed(config))


def _prepare_spotter(config: SpotterTraining, workers: int | None) -> Path:
    spotter.parts(config, workers)
    return Path(config.cache)


def _fit_spotter(config: SpotterTraining) -> Path:
    return spotter.fit(config, spotter.parts(config))


def _collection(config: Recorded, workers: int | None = None) -> Collection:
    return gather(config.data, config.rates, Path(config.cache), workers)


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
    found = by_rate(evaluation.load(plan, folder), plan.labels)
    protocol = f"{plan.protocol}; pooled over {len(plan.folds)} folds, {config.epochs} epochs, fixed in advance"
    counts = next(iter(found.values())).counts  # the same at all rates
    return tuple(
        Score(name=name, value=round(value, 4), protocol=protocol, counts=counts)
        for name, value in figures(found).items()
    )


def _prepare_recorded(config: Recorded, workers: int | None) -> Path:
    _collection(config, workers)
    return Path(config.cache)


def _prepare_cmn_recorded(config: CmnRecordedConfig, workers: int | None) -> Path:
    cmn_recorded.prepare(config, _collection(config, workers))
    return Path(config.cache)


def _fit_cmn_recorded(config: CmnRecordedConfig) -> Path:
    return cmn_recorded.fit(config, _collection(config))


def _fit_apexnet_recorded(config: ApexnetRecordedConfig) -> Path:
    collection = _collection(config)
    return apexnet_recorded.fit(config, collection, _apexes(config, collection))


def _export_recorded(export: Callable[..., Manifest]) -> Callable[[Any, Path, Precision], Manifest]:
    """The method's `export`, given the clips and the scores of their evaluation."""

    def with_scores(config: Recorded, folder: Path, precision: Precision) -> Manifest:
        collection = _collection(config)
        return export(config, collection, _evaluated(config, collection), folder, precision)

    return with_scores


def _export_apexnet_recorded(config: ApexnetRecordedConfig, folder: Path, precision: Precision) -> Manifest:
    collection = _collection(config)
    int8 = precision == "int8"
    trial = apexnet_recorded.trial(config, collection, _apexes(config, collection)) if int8 else None
    return apexnet_recorded.export(config, collection, _evaluated(config, collection), folder, precision, trial)


def _network_recorded(restored: Callable[[Any, Collection], nn.Module]) -> Callable[[Any], nn.Module]:
    """The method's `restored`, given the clips."""
    return lambda config: restored(config, _collection(config))


def _cmn_folds(config: CmnRecordedConfig, collection: Collection) -> FitPredict:
    cmn_recorded.prepare(config, collection)
    return CmnFitPredict(config, collection)


def _apexnet_folds(config: ApexnetRecordedConfig, collection: Collection) -> FitPredict:
    return ApexnetFitPredict(config, collection, _apexes(config, collection))


def _apexes(config: ApexnetRecordedConfig, collection: Collection) -> Apexes:
    """Found anew at each rate: a slow camera shows the apex in another frame."""
    choose = apex_frames.choose
    return {hz: choose(tuple(clips.values()), config.apex, config.quang) for hz, clips in collection.at.items()}


METHODS: dict[type[TrainConfig], Method] = {
    ExpressionConfig: Method(expression.prepare, expression.fit, expression.export, expression.restored),
    CmnConfig: Method(_prepare_cmn, _fit_cmn, _export_cmn, _network_cmn),
    CmnRecordedConfig: Method(
        _prepare_cmn_recorded, _fit_cmn_recorded, _export_recorded(cmn_recorded.export), _network_cmn_recorded
    ),
    ApexnetConfig: Method(_prepare_apexnet, _fit_apexnet, _export_apexnet, _network_apexnet),
    ApexnetRecordedConfig: Method(
        _prepare_recorded,
        _fit_apexnet_recorded,
        _export_apexnet_recorded,
        _network_recorded(apexnet_recorded.restored),
    ),
    SpotterTraining: Method(_prepare_spotter, _fit_spotter, spotter.export, spotter.restored),
}

#: Those whose settings can be compared: on synthetic clips or films, of which some people are held out.
COMPARED: dict[type[TrainConfig], ablation.Compared] = {
    CmnConfig: ablation.Compared(_events, cmn.fit, data=("encoder", "views", "motion")),
    ApexnetConfig: ablation.Compared(_filmed, apexnet_synthetic.fit, data=("rest",)),
    SpotterTraining: ablation.Compared(
        spotter.parts,
        spotter.fit,
        data=("tick_s", "films", "known_people", "known_each"),
        shared=("test_films", "seconds", "micro_per_minute"),
    ),
}

#: What predicts the folds of an evaluation; it may compute what all folds share.
FOLDS: dict[type[Recorded], Callable[[Any, Collection], FitPredict]] = {
    CmnRecordedConfig: _cmn_folds,
    ApexnetRecordedConfig: _apexnet_folds,
}
