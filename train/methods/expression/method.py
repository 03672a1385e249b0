"""The encoder: a ResNet that tells still expressions apart, trained on FER+ and by other encoders.

CN115049957A pre-trains its encoder, and the network g that measures distances between frames,
on FER+; it gives no recipe. This one follows Barsoum et al. 2016 (arXiv 1608.01041) in training on
the shares of the ten votes, and differs in the network (a ResNet for VGG-13), in the faces being
cut by the live process's own stages, in colouring the grey pictures at random, in what teachers say
of them (see `train.methods.expression.teaching`), and in how rare expressions count (see `ExpressionJob.loss`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL, Precision, Score
from realtime.engine.package.manifest import load as load_manifest
from realtime.labels import FERPLUS
from realtime.records import Image
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, IMAGES, CropImages, crop_images
from realtime.representation.embedding_sequence import spread
from train.datasets.folds import Fold
from train.evaluation.metrics import scores
from train.evaluation.scoring import listed
from train.methods.expression.config import ExpressionConfig
from train.methods.expression.job import CHUNK, ExpressionJob, predict, shown
from train.methods.expression.stills import Stills, cut
from train.methods.expression.teaching import taught
from train.methods.method import Answer, Method, Stage
from train.networks.resnet import ResNet, ResNet10, ResNet18
from train.packaging.golden import golden_crops
from train.packaging.limits import MethodCard
from train.packaging.quantise import Trial
from train.sources.source import ClipSource, Split
from train.sources.stills import Faces

NETWORKS: dict[str, Callable[[int, float], ResNet]] = {"resnet10": ResNet10, "resnet18": ResNet18}
CALIBRATION = 256  # training pictures, spread over the split, that give INT8 its ranges
PROTOCOL = "FER+ test split, most voted of the eight emotions after single votes are dropped; epochs fixed in advance"
AGREED = f"{PROTOCOL}; only pictures on which more than half of the votes agree, as in the FER+ paper"


class ExpressionMethod(Method[ExpressionConfig, Stills]):
    """Faces as pictures, each on its own."""

    config = ExpressionConfig
    card = MethodCard(
        "A residual network that judges single pictures; its embeddings feed other engines.",
        (
            "It judges each frame for itself. What moves it does not know, nor how a face looks at rest: one that "
            "seems to smile at rest is happiness to it.",
            "It learned what a crowd took small grey pictures from the web for. Classes of which the scores count few "
            "pictures are known badly.",
        ),
    )
    task = "still-expression"
    sources = ("ferplus",)
    outputs = (EMBEDDING, LOGITS)
    chunk = CHUNK
    shapes = ("stages", "teaching")

    def representation(self, config: ExpressionConfig) -> CropImages:
        return CropImages(realtime_config.load().align.size_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD)

    def network(self, config: ExpressionConfig, classes: int) -> ResNet:
        return NETWORKS[config.network](classes, config.dropout)

    def see(
        self, config: ExpressionConfig, source: ClipSource, fold: Fold, workers: int | None = None
    ) -> Split[Stills]:
        """The teachers are asked too, of what is trained on; EngineError where one is missing or is none."""
        given = source.split(fold)
        seen = given.seen(lambda faces: cut(faces, config.size_px, workers))
        learned = tuple(_taught(config, *each, workers) for each in zip(given.train, seen.train, strict=True))
        return replace(seen, train=learned)

    def stages(self, config: ExpressionConfig, split: Split[Stills], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network: nn.Module = self.network(config, len(split.vocabulary.labels))
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return [(ExpressionJob(config, network, split, seed), config.optimiser)]

    def inputs(self, config: ExpressionConfig, clips: Stills, answer: Answer) -> Mapping[str, Tensor]:
        return {IMAGES: shown(clips.images, config.size_px)}

    def labels(self, clips: Stills) -> list[str]:
        """What most of the crowd say."""
        return [FERPLUS[number] for number in clips.shares.argmax(1).tolist()]

    def golden(self, config: ExpressionConfig, precision: Precision) -> Mapping[str, Tensor]:
        return {IMAGES: torch.from_numpy(crop_images(golden_crops(precision), self.representation(config)))}

    def files(self, config: ExpressionConfig) -> Mapping[str, str]:
        """The teachers; EngineError where one is missing."""
        return {folder: load_manifest(ROOT / folder).files[MODEL] for folder in config.teaching.engines}

    def report(self, config: ExpressionConfig, network: nn.Module, split: Split[Stills]) -> tuple[Score, ...]:
        (test,) = split.test
        return _scores(predict(network, test.images, config.size_px), test)

    def trial(self, config: ExpressionConfig, split: Split[Stills]) -> Trial:
        (train,), (test,) = split.train, split.test
        chosen = train.images[spread(len(train), min(CALIBRATION, len(train)))]
        truth = test.shares.argmax(1).numpy()
        return Trial(self.representation(config), _coloured(chosen), _coloured(test.images), truth, PROTOCOL)


def _taught(config: ExpressionConfig, faces: Faces, stills: Stills, workers: int | None) -> Stills:
    """What each picture shows: its votes, and the teachers' share of what they say together."""
    teaching = config.teaching
    if not teaching.engines:
        return stills
    said = taught(teaching.engines, lambda px: faces.cut(px, workers)[0], faces.crop_px, Path(config.cache))
    return replace(stills, targets=torch.lerp(stills.shares, torch.from_numpy(said), teaching.weight))


def _coloured(images: Tensor) -> list[Image]:
    """Grey uint8 (N, 1, S, S) -> N pictures (S, S, 3)."""
    return list(images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())


def _scores(said: Tensor, test: Stills) -> tuple[Score, ...]:
    truth, told = test.shares.argmax(1).numpy(), said.argmax(1).numpy()
    every, agreed = scores(truth, told, FERPLUS), scores(truth[test.agreed], told[test.agreed], FERPLUS)
    shown = {f"agreed_{name}": value for name, value in agreed.figures().items()}
    return listed(every.figures(), PROTOCOL, every.counts) + listed(shown, AGREED, agreed.counts)
