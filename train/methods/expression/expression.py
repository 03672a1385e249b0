"""The encoder: a ResNet that tells still expressions apart, trained on FER+ and by other encoders.

CN115049957A pre-trains its encoder, and the network g that measures distances between frames,
on FER+; it gives no recipe. This one follows Barsoum et al. 2016 (arXiv 1608.01041) in training on
the shares of the ten votes, and differs in the network (a ResNet for VGG-13), in the faces being
cut by the live process's own stages, in colouring the grey pictures at random, in what teachers say
of them (see `train.methods.expression.teaching`), and in how rare expressions count (see `ExpressionJob.loss`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime.config import ROOT
from realtime.engine.package.manifest import MODEL, Manifest, Precision, Score
from realtime.engine.package.manifest import load as load_manifest
from realtime.labels import FERPLUS
from realtime.records import Image
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from realtime.representation.embedding_sequence import spread
from train.clips.prepare import ferplus_crops
from train.config.old import shaping
from train.datasets.ferplus import SPLITS, FerPlus
from train.evaluation.metrics import scores
from train.methods.expression.config import ExpressionConfig
from train.methods.expression.teaching import taught
from train.methods.expression.votes import vote_cross_entropy
from train.networks.resnet import ResNet, ResNet10, ResNet18
from train.packaging.export import WEIGHTS, Draft, trained, trained_by
from train.packaging.export import export as write_package
from train.packaging.golden import golden_crops
from train.packaging.quantise import Trial
from train.storage.digest import digest
from train.training import loop
from train.training.augment import StillAugment, standardise
from train.training.curves import CURVE

log = logging.getLogger(__name__)

Batch = tuple[Tensor, Tensor]

NETWORKS: dict[str, Callable[[int, float], ResNet]] = {"resnet10": ResNet10, "resnet18": ResNet18}
RAREST = 1e-4  # share of an expression that a part of FER+ may lack
CALIBRATION = 256  # training pictures, spread over the split, that give INT8 its ranges
DATA = ("FER-2013 pictures with FER+ votes, training split",)
PROTOCOL = "FER+ test split, most voted of the eight emotions after single votes are dropped; epochs fixed in advance"
AGREED = f"{PROTOCOL}; only pictures on which more than half of the votes agree, as in the FER+ paper"
TERMS = "FER+ labels: MIT. FER-2013's pictures have no clear licence and are not part of this package."


class Stills:
    """One FER+ split as tensors: grey crops uint8 (N, 1, S, S) and vote shares (N, 8)."""

    def __init__(self, config: ExpressionConfig, split: str, workers: int | None = None) -> None:
        crops, data = _cut(config, split, config.stages[-1].size_px, workers)
        self.images = torch.from_numpy(np.array(crops))[:, None]
        self.shares = torch.from_numpy(data.targets)
        self.agreed = data.agreed

    def __len__(self) -> int:
        return len(self.images)


def _cut(
    config: ExpressionConfig, split: str, size_px: int, workers: int | None = None
) -> tuple[npt.NDArray[np.uint8], FerPlus]:
    return ferplus_crops(Path(config.ferplus), split, config.crop_px, size_px, Path(config.cache), workers)


def network_of(config: ExpressionConfig) -> ResNet:
    """What `config` trains, as it begins."""
    return NETWORKS[config.network](len(FERPLUS), config.dropout)


def targets(config: ExpressionConfig, votes: Tensor, workers: int | None = None) -> Tensor:
    """What each training picture shows, (N, 8): its `votes`, and the teachers' share of what they say together."""
    teaching = config.teaching
    if not teaching.engines:
        return votes

    def crops(size_px: int) -> npt.NDArray[np.uint8]:
        return _cut(config, "train", size_px, workers)[0]

    said = torch.from_numpy(taught(teaching.engines, crops, config.crop_px, Path(config.cache)))
    return torch.lerp(votes, said, teaching.weight)


class ExpressionJob:
    """Implements `loop.Job`."""

    def __init__(self, config: ExpressionConfig) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.network: nn.Module = network_of(config)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.train, self.valid = Stills(config, "train"), Stills(config, "valid")
        self.targets = targets(config, self.train.shares)
        self.often = self.train.shares.mean(0)  # (8,) how often FER+ has each expression
        self.sizes = [stage.size_px for stage in config.stages for _ in range(stage.epochs)]
        self.epochs = len(self.sizes)
        self.steps = max(len(self.train) // config.optimiser.batch, 1)
        a = config.augment
        self.augment = StillAugment(a.turn_deg, a.scale, a.shift, a.contrast, a.tint, a.hide, a.soften, a.noise)

    def batches(self, epoch: int) -> Iterator[Batch]:
        generator = torch.Generator().manual_seed(self.config.seed * 1000 + epoch)
        order = self._order(generator)
        for step in range(self.steps):
            rows = order[step * self.config.optimiser.batch : (step + 1) * self.config.optimiser.batch]
            x = resize(self.train.images[rows].float() / 255, self.sizes[epoch])
            yield standardise(self.augment(x, generator)), self.targets[rows]

    def _order(self, generator: torch.Generator) -> Tensor:
        """The rows of an epoch: each once, or drawn with replacement, the rarer its expression the likelier."""
        if not self.config.sampling:
            return torch.randperm(len(self.train), generator=generator)
        weights = self.often[self.train.shares.argmax(1)] ** -self.config.sampling
        return torch.multinomial(weights, len(self.train), replacement=True, generator=generator)

    def loss(self, batch: Batch) -> Tensor:
        """Cross-entropy of logits that are adjusted for how often each expression is drawn.

        (Menon et al. 2021, arXiv 2007.07314, equation 10.) What is drawn p**(1 - sampling) often is learned as if it
        were there p**(1 - prior) often.
        """
        images, shares = batch
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            _, logits = self.network(images)
        adjusted = (self.config.prior - self.config.sampling) * self.often.clamp(min=RAREST).log().to(images.device)
        return vote_cross_entropy(logits.float() + adjusted, shares)

    def evaluate(self, network: nn.Module) -> Mapping[str, float]:
        said = predict(network, self.valid.images, self.sizes[-1]).argmax(1)
        found = scores(self.valid.shares.argmax(1).numpy(), said.numpy(), FERPLUS).figures()
        return {f"valid_{name}": found[name] for name in ("accuracy", "uar")}


def resize(x: Tensor, size_px: int) -> Tensor:
    """(B, C, S, S) -> (B, C, size, size), area average."""
    return x if x.shape[-1] == size_px else F.interpolate(x, size=(size_px, size_px), mode="area")


@torch.no_grad()
def predict(network: nn.Module, images: Tensor, size_px: int) -> Tensor:
    """Class probabilities (N, 8) of grey crops uint8 (N, 1, S, S)."""
    network.eval()
    rows = []
    for chunk in torch.split(images, 128):
        x = standardise(resize(chunk.float() / 255, size_px).expand(-1, 3, -1, -1))
        rows.append(network(x)[1].softmax(1))
    return torch.cat(rows)


def prepare(config: ExpressionConfig, workers: int | None = None) -> Path:
    """Cut the faces of all three splits, and ask the teachers; the cache's folder."""
    stills = {split: Stills(config, split, workers) for split in SPLITS}
    targets(config, stills["train"].shares, workers)
    return Path(config.cache)


def fit(config: ExpressionConfig) -> Path:
    """Train, write `weights.pt` with the kept weights, and return the run's folder."""
    folder = run_folder(config)
    network = loop.fit(ExpressionJob(config), config.optimiser, folder, config.machine)
    torch.save(network.state_dict(), folder / WEIGHTS)
    return folder


def run_folder(config: ExpressionConfig) -> Path:
    """Named by everything that shapes the weights, the teachers' too; EngineError where one is missing."""
    teachers = [load_manifest(ROOT / folder).files[MODEL] for folder in config.teaching.engines]
    return Path(config.runs) / config.name / digest(shaping(config), *teachers)


def restored(config: ExpressionConfig) -> ResNet:
    """The network that `fit` made; DataError if there is none."""
    network = network_of(config)
    network.load_state_dict(torch.load(trained(run_folder(config)), weights_only=True))
    return network


def export(config: ExpressionConfig, folder: Path, precision: Precision) -> Manifest:
    """The engine package `folder`; DataError if nothing was trained. The test split is looked at here, once."""
    network = restored(config)
    network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    test = Stills(config, "test")
    representation = CropImages(config.crop_px, config.stages[-1].size_px, IMAGENET_MEAN, IMAGENET_STD)
    draft = Draft.of(
        folder,
        precision,
        trained_by(config, DATA, TERMS),
        task="still-expression",
        vocabulary="ferplus-8",
        labels=FERPLUS,
        representation=representation,
        scores=tuple(_scores(network, test, config)),
    )
    golden = {"images": torch.from_numpy(crop_images(golden_crops(precision), representation))}
    trial = _trial(config, representation, test) if precision == "int8" else None
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    curve = run_folder(config) / CURVE
    return write_package(network, golden, ("embedding", "logits"), draft, folder, curve, trial=trial)


def _trial(config: ExpressionConfig, representation: CropImages, test: Stills) -> Trial:
    train = Stills(config, "train").images
    chosen = train[spread(len(train), min(CALIBRATION, len(train)))]
    return Trial(representation, _coloured(chosen), _coloured(test.images), test.shares.argmax(1).numpy(), PROTOCOL)


def _coloured(images: Tensor) -> list[Image]:
    """Grey uint8 (N, 1, S, S) -> N pictures (S, S, 3)."""
    return list(images.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy())


def _scores(network: nn.Module, test: Stills, config: ExpressionConfig) -> Iterator[Score]:
    said = predict(network, test.images, config.stages[-1].size_px).argmax(1).numpy()
    truth = test.shares.argmax(1).numpy()
    for prefix, rows, protocol in (("", np.ones_like(test.agreed), PROTOCOL), ("agreed_", test.agreed, AGREED)):
        found = scores(truth[rows], said[rows], FERPLUS)
        for name, value in found.figures().items():
            yield Score(name=prefix + name, value=round(value, 4), protocol=protocol, counts=found.counts)
