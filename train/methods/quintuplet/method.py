"""Pictures and flow under a mask of action units, taught by quintuplets of micro- and macro-expressions.

After the second part of G. Q. Sun's thesis (2023, "Research on micro-expression recognition algorithms based on
spatio-temporal analysis with deep learning"), of which an abstract alone is known: a network MNet makes a mask of
action units that the clip is multiplied by; hard classes follow Plutchik; an anchor has a positive and a hard negative
partner among micro-expressions and among macro-expressions (CK+), which makes the cross-modal quintuplet; pictures and
flow are two views that are held against each other; both are fused and judged by a fully connected layer.

All formulas, layers, margins and weights are this project's, for the abstract has none. Choices that it leaves open:
the mask is taught where units act on the face (Gaussians around centres by landmarks, binary cross-entropy) and stays
as it is while the branches learn; it is made of the onset's picture, and multiplies flow as well; macro-expressions go
through the same branches as whole sequences, and are not judged themselves; flow is as
`realtime.representation.flow_clip` has it; a share of the clips is cut soon after the apex, as early answers are. For
synthetic people the source itself makes macro-expressions. No annotated apex is wanted but for those cuts: in SMIC, and
wherever nobody gave one, they follow the one that its reader estimates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.representation.clip_and_flow import ClipAndFlow
from realtime.representation.clip_images import ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages
from realtime.representation.flow_clip import FlowClip
from train.clips.movement.flowing import FlowingClip, flowing
from train.config.sections import Optimiser
from train.datasets.folds import Fold
from train.methods.method import Answer, Method, Stage
from train.methods.quintuplet.config import QuintupletConfig
from train.methods.quintuplet.job import QuintupletJob
from train.methods.quintuplet.macro import macro_clips, recorded
from train.methods.quintuplet.mask_job import MaskJob
from train.methods.quintuplet.network import QuintupletNet
from train.networks import checkpoints
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split

GOLDEN_ROWS = 2

Clips = Sequence[FlowingClip]


class QuintupletMethod(Method[QuintupletConfig, Clips]):
    """Clips as pictures and flow."""

    config = QuintupletConfig
    card = MethodCard(
        "Two shallow 3-D convolutional branches over an event's pictures and flow, both under a mask of action units, "
        "trained with cross-modal quintuplets and a contrast between the modes: after part 2 of G. Q. Sun's thesis "
        "(2023), of whose formulas, layers and margins nothing is published; they are this project's.",
        (
            "It sees the skin as well as the movement, so it knows people and lights better than a network of flow.",
            "The mask is made of the onset alone: a face that is hidden or turned there is attended to wrongly.",
            "The thesis says that its accuracy is competitive on SDU, MMEW, SAMM and CASME II, and no figure is known: "
            "there is nothing to reproduce.",
        ),
    )
    outputs = ("feature", LOGITS)
    answers = ("final", "early")
    calibrates = ("final",)
    chunk = 8

    def representation(self, config: QuintupletConfig) -> ClipAndFlow:
        crop_px = realtime_config.load().align.size_px
        picture = CropImages(crop_px, config.size_px, IMAGENET_MEAN, IMAGENET_STD)
        flow = FlowClip(crop_px, config.flow_px, (config.flow_steps,), config.pair_s, config.pairs)
        return ClipAndFlow(ClipImages(config.pictures, picture), flow)

    def network(self, config: QuintupletConfig, classes: int) -> QuintupletNet:
        """With other weights of another number of classes, all but the last layer are taken."""
        network = QuintupletNet(classes, config)
        if config.initial:
            checkpoints.load(network, Path(config.initial))
        return network

    def see(self, config: QuintupletConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Clips]:
        """The macro-expressions that `stages` takes are seen too."""
        split, made = source.split(fold), self.representation(config).flow
        flowing(macro_clips(config, source, split, workers), made, workers)
        return split.seen(lambda clips: flowing(clips, made, workers))

    def stages(self, config: QuintupletConfig, split: Split[Clips], source: ClipSource, seed: int) -> Sequence[Stage]:
        """The mask first; then the branches, which find it learned and leave it so."""
        torch.manual_seed(seed)
        network, made = self.network(config, len(split.vocabulary.labels)), self.representation(config)
        macro = flowing(macro_clips(config, source, split), made.flow)
        faces = [*split.train[0], *macro]

        def branches() -> tuple[QuintupletJob, Optimiser]:
            network.mask.requires_grad_(False)
            return QuintupletJob(self, config, network, made, split, macro, seed), config.optimiser

        return [(MaskJob(config, network.mask, made, faces, seed), config.mask.optimiser), branches]

    def inputs(self, config: QuintupletConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        made, after_s = self.representation(config), config.early.middle_s if answer == "early" else np.inf
        rows = [made.of_event(clip.seen(after_s), clip.sample.apex_s) for clip in clips]
        nothing = {spec.name: np.zeros((0, *spec.shape[1:]), np.float32) for spec in made.inputs()}
        return {
            name: torch.from_numpy(np.concatenate([none, *(row[name] for row in rows)]))
            for name, none in nothing.items()
        }

    def golden(self, config: QuintupletConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config), frames=config.pictures, rows=GOLDEN_ROWS)

    def files(self, config: QuintupletConfig) -> Mapping[str, str]:
        beside = recorded(config)
        return {"initial": checkpoints.fingerprint(config.initial), "macro": beside.key() if beside else ""}
