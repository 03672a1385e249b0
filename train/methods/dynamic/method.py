"""Dynamic expressions of any length, judged by a recurrent head over the encoder's embeddings of 16 frames.

Trained with the clustering loss of CN112101119A and Jiang et al. 2020 (see `train.losses.ecstfl`), which both attach
to a network of clips. Here the frames come from the encoder that serves anyway, so that an event costs the head
alone; and there are no recorded clips: FER+ pictures are brought into motion (see `train.synthesis.script.enact`),
and neutral ones fade to others' expressions (see `train.methods.dynamic.fades`). What is learnt of how faces move is
what the generator plays; what is learnt of how they look is the pictures'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL, Precision, Score, Task
from realtime.representation.embedding_sequence import EMBEDDINGS, EmbeddingSequence
from train.datasets.folds import Fold
from train.methods.dynamic.config import DynamicConfig
from train.methods.dynamic.enactments import Enactments, filmed, opened, package
from train.methods.dynamic.fades import with_fades
from train.methods.dynamic.job import DynamicJob
from train.methods.dynamic.network import DynamicHead
from train.methods.dynamic.scores import report
from train.methods.method import Answer, Method, Stage, judge
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split
from train.synthesis.script.emotions import LABELS


class DynamicMethod(Method[DynamicConfig, Enactments]):
    """Clips as the encoder's embeddings of their frames; what is tested, and what calibrates, is half fades."""

    config = DynamicConfig
    card = MethodCard(
        "A recurrent head over the embeddings of 16 frames, trained with the expression-clustering loss.",
        (
            "It sees an event through an encoder of still expressions; with any other its answers mean nothing.",
            "It sees frames spread evenly over an event, however long that is: how fast a face moves it does not know.",
            "It learned from pictures that were moved towards and away from a neutral face by action units, or that "
            "fade from one face to another: what people do in between it was never shown.",
        ),
    )
    task: Task = "dynamic-expression"
    sources = ("enacted",)
    outputs = ("feature", LOGITS)
    answers = ("final", "early")
    calibrates = ("final", "early")
    chunk = 4096  # a head is small
    shapes = ("encoder", "precision")

    def representation(self, config: DynamicConfig) -> EmbeddingSequence:
        encoder = package(config)
        width = next(spec.shape[-1] for spec in encoder.outputs if spec.name == EMBEDDING)
        return EmbeddingSequence(encoder.name, encoder.files[MODEL], config.frames, width)

    def network(self, config: DynamicConfig, classes: int) -> DynamicHead:
        """Its scale is 1 until it knows what it learns from, and its weights bring their own."""
        return DynamicHead(self.representation(config).width, classes, config.dropout)

    def see(
        self, config: DynamicConfig, source: ClipSource, fold: Fold, workers: int | None = None
    ) -> Split[Enactments]:
        split = source.split(fold).seen(lambda cast: filmed(config, cast, workers))
        tests = tuple(with_fades(clips) for clips in split.test)
        return Split(split.vocabulary, split.train, with_fades(split.calibration), tests)

    def stages(self, config: DynamicConfig, split: Split[Enactments], source: ClipSource, seed: int) -> Sequence[Stage]:
        torch.manual_seed(seed)
        head = self.network(config, len(split.vocabulary.labels))
        head.bring_to_one(split.train[0].embeddings)
        return [(DynamicJob(self, config, head, split, seed), config.optimiser)]

    def inputs(self, config: DynamicConfig, clips: Enactments, answer: Answer) -> Mapping[str, Tensor]:
        """(K, frames, width): up to the offset, or to soon after the apex."""
        onset, apex, offset = clips.moments.unbind(1)
        end = torch.minimum(apex + config.early.middle_s, offset) if answer == "early" else offset
        events, made = zip(clips.events(onset, end), apex.tolist(), strict=True), self.representation(config)
        rows = [np.zeros((0, made.frames, made.row), np.float32)]
        rows += [made.of_event(event, apex_s)[EMBEDDINGS] for event, apex_s in events]
        return {EMBEDDINGS: torch.from_numpy(np.concatenate(rows))}

    def labels(self, clips: Enactments) -> list[str]:
        return [LABELS[row] for row in clips.labels.tolist()]

    def golden(self, config: DynamicConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config), opened(config), frames=config.frames)

    def files(self, config: DynamicConfig) -> Mapping[str, str]:
        return {"encoder": package(config).files[MODEL]}

    def report(self, config: DynamicConfig, network: nn.Module, split: Split[Enactments]) -> tuple[Score, ...]:
        """Also of the encoder alone, and of each manner by itself."""
        (clips,) = split.test
        logits: dict[str, Tensor] = {
            answer: judge(self, network, self.inputs(config, clips, answer)) for answer in self.answers
        }
        return report(logits, clips, config)
