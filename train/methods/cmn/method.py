"""The contrastive magnification network of patent CN115049957A (Southeast University, 2022).

`configs/methods/paper-cmn.toml` has the patent's settings, with which the losses train the encoder too. Differences
with it: far frames are likelier negatives, as the text wants and the formula does not (see
`train.methods.cmn.sampling`); what it leaves open is chosen here, which is all numbers. Remaining frames are all other
frames of the event.

Differences of `cmn.toml` beside these: the encoder is frozen (see `train.clips.embeddings`), and is also the g whose
distances choose the negatives; behind the embedding of each frame stands how the face had moved by it, a second input
of which the patent knows nothing (see `train.methods.cmn.moved`), and without which little is left on synthetic clips;
the first frame's embedding is subtracted from all (see `train.methods.cmn.network`); half of the clips end soon after
the apex, for early answers, and remaining frames are also those behind such an end. The published CMNet (AAAI 2023) is
another network, and an option: see `train.methods.cmn.cmnet`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.engine import Engine
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL, Manifest, Precision, load
from realtime.representation.clip_images import CLIPS
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from realtime.representation.sampled_clip import SampledClip
from train.clips.clip import event
from train.clips.embeddings import EmbeddedClip, embed, open_encoder
from train.clips.movement.fields import moving
from train.clips.paced import paced
from train.clips.stored import StoredClip
from train.datasets.folds import Fold
from train.methods.cmn import trained
from train.methods.cmn.cmnet import CmnetHead
from train.methods.cmn.config import CmnConfig, HeadKind
from train.methods.cmn.events import EmbeddedEvents
from train.methods.cmn.job import CmnJob
from train.methods.cmn.moved import beside
from train.methods.cmn.network import CmnHead
from train.methods.cmn.picture_job import PictureJob
from train.methods.cmn.pictured import PicturedClip, looked_at, pictured
from train.methods.cmn.trained import CmnClips, head_of
from train.methods.method import Answer, Method, Stage
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.packaging.step import step_graph
from train.sources.source import ClipSource, Split

GOLDEN_ROWS = 2  # of pictures, which are large

HEADS: dict[HeadKind, type[CmnHead]] = {"patent": CmnHead, "cmnet": CmnetHead}

Clips = Sequence[EmbeddedClip]


class CmnMethod(Method[CmnConfig, Clips]):
    """Clips as an encoder's embeddings of their frames, with how the face moved behind each."""

    config = CmnConfig
    card = MethodCard(
        "A contrastive magnification network over the embeddings of an event's frames.",
        (
            "It sees an event through an encoder of still expressions, in whose embeddings small movements are faint. "
            "Where that is a package of its own, with any other encoder, or the same one in INT8, its answers mean "
            "nothing.",
            "An onset or offset that the detector tells wrongly changes what it is shown.",
        ),
    )
    outputs = (LOGITS, "clip")
    answers = ("final", "early")
    calibrates = ("final", "early")
    shapes = ("encoder", "encoder_hz", "encoder_trained", "initial", "size_px", "views", "motion", "jitter_s")

    def representation(self, config: CmnConfig) -> EmbeddingSequence | SampledClip:
        """Of the encoder's own package, for no other's embeddings mean the same; pictures where it is trained along."""
        return _embeddings(config) if config.encoder_trained == "none" else _clip(config)

    def network(self, config: CmnConfig, classes: int) -> CmnHead | CmnClips:
        """Its scale is 1 until it knows what it learns from, and its weights bring their own."""
        kind = HEADS[config.head]
        if config.encoder_trained == "none":
            return kind(_embeddings(config).row, classes, config.reference, 1.0)
        encoder = trained.encoder(config.initial)
        return CmnClips(encoder, kind(encoder.width, classes, config.reference, 1.0), config.encoder_trained)

    def see(self, config: CmnConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        """The events and what lies up to `jitter_s` around them.

        Those that calibrate and test as the live encoder sees them, at its rate; what is learned from has every frame.
        An encoder that is trained along has no rate of its own.
        """
        if config.encoder_trained != "none":
            return _seen(config, source.split(fold))
        encoder, given = open_encoder(Path(config.encoder)), source.split(fold)
        live = replace(given, train=()).seen(
            lambda clips: _embedded(config, clips, encoder, config.encoder_hz, workers)
        )
        return replace(live, train=tuple(_embedded(config, clips, encoder, 0.0, workers) for clips in given.train))

    def stages(self, config: CmnConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        network = self.network(config, len(split.vocabulary.labels))
        if isinstance(network, CmnClips):
            picture = _clip(config).picture
            return [(PictureJob(self, config, network, picture, split, seed), config.optimiser)]
        return [(CmnJob(self, config, network, split, seed), config.optimiser)]

    def inputs(self, config: CmnConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        if config.encoder_trained != "none":
            return {CLIPS: _clips(_clip(config), clips, config.early.middle_s if answer == "early" else math.inf)}
        if not clips:
            return {EMBEDDINGS: torch.zeros(0, config.frames, _embeddings(config).row)}
        events = EmbeddedEvents(clips)
        lengths = events.early(config.early.middle_s) if answer == "early" else events.lengths
        return {EMBEDDINGS: events.sequences(lengths, config.frames)}

    def golden(self, config: CmnConfig, precision: Precision) -> Mapping[str, Tensor]:
        if config.encoder_trained != "none":
            return golden_inputs(_clip(config), frames=config.frames, rows=GOLDEN_ROWS)
        return golden_inputs(self.representation(config), open_encoder(Path(config.encoder)), frames=config.frames)

    def classifier(self, network: nn.Module) -> nn.Linear:
        return head_of(network).classifier

    def files(self, config: CmnConfig) -> Mapping[str, str]:
        if config.encoder_trained != "none":
            return {"initial": checkpoints.fingerprint(config.initial)}
        return {"encoder": _package(config).files[MODEL]}

    def step(self, config: CmnConfig, network: nn.Module, golden: Mapping[str, Tensor]) -> Any:
        """Of a head alone: where the encoder is trained along, all pictures of an event go through it at once."""
        return None if isinstance(network, CmnClips) else step_graph(head_of(network), golden[EMBEDDINGS])


def _package(config: CmnConfig) -> Manifest:
    return load(ROOT / config.encoder)


def _embeddings(config: CmnConfig) -> EmbeddingSequence:
    encoder = _package(config)
    width = next(spec.shape[-1] for spec in encoder.outputs if spec.name == EMBEDDING)
    return EmbeddingSequence(encoder.name, encoder.files[MODEL], config.frames, width, config.motion.cells)


def _clip(config: CmnConfig) -> SampledClip:
    crop_px = realtime_config.load().align.size_px
    return SampledClip(config.frames, CropImages(crop_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD), "centres")


def _seen(config: CmnConfig, given: Split[Sequence[StoredClip]]) -> Split[Clips]:
    """What is learned from as the frozen encoder sees it, too."""
    frozen, made_by = trained.frozen(config.initial), checkpoints.fingerprint(config.initial)
    picture, cache = _clip(config).picture, Path(config.cache)

    def look(clips: Sequence[StoredClip]) -> Clips:
        return [looked_at(clip, frozen, made_by, picture, cache) for clip in pictured(clips, config.jitter_s)]

    asked: Split[Clips] = replace(given, train=()).seen(lambda clips: pictured(clips, config.jitter_s))
    return replace(asked, train=tuple(look(clips) for clips in given.train))


def _clips(made: SampledClip, clips: Clips, after_s: float) -> Tensor:
    """What serving gives to the network of each event up to `after_s` behind its apex: (K, 3, frames, S, S)."""
    rows = [np.zeros((0, *made.inputs()[0].shape[1:]), np.float32)]
    for clip in clips:
        assert isinstance(clip, PicturedClip)
        inside = event(clip.times, clip.sample)
        times, images = clip.times[inside], clip.images[inside]
        seen = max(int(np.searchsorted(times, clip.sample.apex_s + after_s, side="right")), 1)
        rows.append(made.of_event(EventFrames(times[:seen], images=images[:seen]), clip.sample.apex_s)[CLIPS])
    return torch.from_numpy(np.concatenate(rows))


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
