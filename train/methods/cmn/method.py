"""The contrastive magnification network of patent CN115049957A (Southeast University, 2022), without its encoder.

Differences from the patent: the encoder is frozen (see `train.clips.embeddings`), and it is also the g whose
distances choose the negatives; far frames are likelier negatives, as the text wants and the formula does not (see
`train.methods.cmn.sampling`); the first frame's embedding may be subtracted from all (see
`train.methods.cmn.network`); half of the clips end soon after the apex, for early answers. "Remaining frames" are all
other frames of the event, also those behind such an end. The published CMNet (AAAI 2023) is another network, and an
option: see `train.methods.cmn.cmnet`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from realtime.config import ROOT
from realtime.engine.engine import Engine
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL, Manifest, Precision, load
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train.clips.embeddings import EmbeddedClip, embed, open_encoder
from train.clips.fields import moving
from train.clips.paced import paced
from train.clips.stored import StoredClip
from train.datasets.folds import Fold
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.config import CmnConfig, HeadKind
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.job import CmnJob
from train.methods.cmn.moved import beside
from train.methods.cmn.network import CmnHead
from train.methods.method import Answer, Method, Stage
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.packaging.step import step_graph
from train.sources.source import ClipSource, Split

HEADS: dict[HeadKind, type[CmnHead]] = {"patent": CmnHead, "cmnet": CmnetHead}

Clips = Sequence[EmbeddedClip]


class CmnMethod(Method[CmnConfig, Clips]):
    """Clips as an encoder's embeddings of their frames, with how the face moved behind each."""

    config = CmnConfig
    card = MethodCard(
        "A contrastive magnification network over the embeddings of an event's frames.",
        (
            "It sees an event through an encoder of still expressions, in whose embeddings small movements are faint. "
            "With any other encoder, or the same one in INT8, its answers mean nothing.",
            "An onset or offset that the detector tells wrongly changes what it is shown.",
        ),
    )
    outputs = (LOGITS, "clip")
    answers = ("final", "early")
    calibrates = ("final", "early")
    chunk = 4096  # a head is small
    shapes = ("encoder", "encoder_hz", "views", "motion", "jitter_s")

    def representation(self, config: CmnConfig) -> EmbeddingSequence:
        """Of the encoder's own package: no other's embeddings mean the same."""
        encoder = _package(config)
        width = next(spec.shape[-1] for spec in encoder.outputs if spec.name == EMBEDDING)
        return EmbeddingSequence(encoder.name, encoder.files[MODEL], config.frames, width, config.motion.cells)

    def network(self, config: CmnConfig, classes: int) -> CmnHead:
        """Its scale is 1 until it knows what it learns from, and its weights bring their own."""
        return HEADS[config.head](self.representation(config).row, classes, config.reference, 1.0)

    def see(self, config: CmnConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        """The events and what lies up to `jitter_s` around them.

        Those that calibrate and test as the live encoder sees them, at its rate; what is learned from has every frame.
        """
        encoder, given = open_encoder(Path(config.encoder)), source.split(fold)
        live = replace(given, train=()).seen(
            lambda clips: _embedded(config, clips, encoder, config.encoder_hz, workers)
        )
        return replace(live, train=tuple(_embedded(config, clips, encoder, 0.0, workers) for clips in given.train))

    def stages(self, config: CmnConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        head = self.network(config, len(split.vocabulary.labels))
        return [(CmnJob(self, config, head, split, seed), config.optimiser)]

    def inputs(self, config: CmnConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        if not clips:
            return {EMBEDDINGS: torch.zeros(0, config.frames, self.representation(config).row)}
        events = EmbeddedEvents(clips)
        lengths = events.early(config.early.middle_s) if answer == "early" else events.lengths
        return {EMBEDDINGS: events.sequences(lengths, config.frames)}

    def golden(self, config: CmnConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config), open_encoder(Path(config.encoder)), frames=config.frames)

    def classifier(self, network: nn.Module) -> nn.Linear:
        return _head(network).classifier

    def files(self, config: CmnConfig) -> Mapping[str, str]:
        return {"encoder": _package(config).files[MODEL]}

    def step(self, config: CmnConfig, network: nn.Module, golden: Mapping[str, Tensor]) -> Any:
        return step_graph(_head(network), golden[EMBEDDINGS])


def _package(config: CmnConfig) -> Manifest:
    return load(ROOT / config.encoder)


def _head(network: nn.Module) -> CmnHead:
    assert isinstance(network, CmnHead)
    return network


def _embedded(
    config: CmnConfig, clips: Sequence[StoredClip], encoder: Engine, rate_hz: float, workers: int | None
) -> Clips:
    """Cut and embedded one after another: their pictures do not all fit into memory."""
    cuts = (paced(clip, config.jitter_s, rate_hz) for clip in clips)
    found = embed(cuts, encoder, config.views, Path(config.cache))
    if not config.motion.cells:
        return found
    both = zip(found, moving(clips, workers), strict=True)
    return [beside(clip, moved, config.motion, config.views.seed) for clip, moved in both]
