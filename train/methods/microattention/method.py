"""Macro-to-micro transfer and micro-attention: the apex frame, by a network that learned macro-expressions first.

Peng, Wu, Zhang, Chen, "From macro to micro expression recognition" (FG 2018): weights learned on pictures of
macro-expressions are the beginning of those of apex frames. Wang, Peng, Bi, Chen, "Micro-attention for
micro-expression recognition" (arXiv 1811.02360, Neurocomputing 2020): attention in each residual unit (see
`train.networks.preactivation`). With `attention = false` the transfer alone is left, by the same network.

Differences: there is no pre-training on ImageNet, as no public checkpoint has this network's parameters; the authors'
macro-expression sets are not listed, and FER+ and CK+ stand for them, each a cross-entropy against the votes' shares or
the label; the rate falls by half a cosine and not to a tenth every 500 steps, and the momentum is Nesterov's; faces are
cut by the live process's stages, so that a crop of 128 px is what there is to enlarge. Weights after the last step are
judged, as theirs are. Where nobody coded an apex, as in SMIC, the middle of the event stands for it, as in ATNet.
The held-out people of synthetic clips are neutral pictures of FER+, which the first training may have shown as neutral.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, Precision
from realtime.representation.crop_images import IMAGES, CropImages, crop_images
from train.datasets.folds import Fold
from train.methods.method import Answer, Method, Stage
from train.methods.microattention import macro
from train.methods.microattention.config import MicroAttentionConfig
from train.methods.microattention.macro_job import MacroTraining
from train.methods.microattention.micro_job import Clips, MicroJob, frames
from train.methods.microattention.network import MicroAttentionNetwork, begin_with
from train.packaging.golden import golden_crops
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split
from train.training.solved import Made

DARK, BRIGHT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)  # statistics that leave colours in [0, 1]: the network normalises


class MicroAttentionMethod(Method[MicroAttentionConfig, Clips]):
    """Clips as the picture of their apex, which stays on disk until it is asked for."""

    config = MicroAttentionConfig
    card = MethodCard(
        "A pre-activation residual network with micro-attention that judges the picture of the apex (Wang et al. "
        "2020), after it learned macro-expressions from pictures (Peng et al. 2018). The network is that of the "
        "authors' file; which macro-expressions they had is not known, and FER+ stands for them.",
        (
            "Shown the apex alone, it cannot tell an expression from a face that looks so at rest.",
            "A picture that is not of the apex is judged as if it were.",
            "Published: the authors' group names an accuracy of .643 with the attention and of .608 for the transfer "
            "alone on CASME II in four classes, in a table of another network whose own figures are of the epoch that "
            "was best on the test subject; and the transfer won the challenge of 2018. No figure of this package was "
            "measured on those clips.",
        ),
    )
    outputs = ("feature", LOGITS)
    calibrates = ("final",)
    chunk = 64

    def representation(self, config: MicroAttentionConfig) -> CropImages:
        return CropImages(realtime_config.load().align.size_px, config.size_px, DARK, BRIGHT)

    def network(self, config: MicroAttentionConfig, classes: int) -> MicroAttentionNetwork:
        return MicroAttentionNetwork(classes, attention=config.attention, width=config.width)

    def see(
        self, config: MicroAttentionConfig, source: ClipSource, fold: Fold, workers: int | None = None
    ) -> Split[Clips]:
        """The macro-expressions too are made where the cache lacks them; DataError where they are not at hand."""
        macro.prepare(config, workers)
        return source.split(fold)

    def stages(
        self, config: MicroAttentionConfig, split: Split[Clips], source: ClipSource, seed: int
    ) -> Sequence[Stage]:
        """On macro-expressions, if any are named, and from there on apex frames."""
        taught = MacroTraining(config) if config.macro else None

        def micro() -> Made:
            torch.manual_seed(seed)
            network = self.network(config, len(split.vocabulary.labels))
            if taught is not None:
                begin_with(network, taught.network)
            return MicroJob(self, config, network, self.representation(config), split, seed), config.optimiser

        return [micro] if taught is None else [taught, micro]

    def inputs(self, config: MicroAttentionConfig, clips: Clips, answer: Answer) -> Mapping[str, Tensor]:
        """The apex of each event, whenever it is asked for."""
        made = self.representation(config)
        rows = [np.zeros((0, 3, made.size_px, made.size_px), np.float32)]
        rows += [made.of_event(frames(clip), clip.sample.apex_s)[IMAGES] for clip in clips]
        return {IMAGES: torch.from_numpy(np.concatenate(rows))}

    def golden(self, config: MicroAttentionConfig, precision: Precision) -> Mapping[str, Tensor]:
        return {IMAGES: torch.from_numpy(crop_images(golden_crops(precision), self.representation(config)))}

    def files(self, config: MicroAttentionConfig) -> Mapping[str, str]:
        """The macro-expressions; DataError where they are not at hand."""
        return macro.keys(config)
