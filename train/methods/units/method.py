"""Which action units moved, how strongly and on which side: a linear read-out of what the generator knows exactly.

Micro-expressions are coded in action units (FACS), and a unit is a reason that people can check where a class is not.
How fields follow from units is nearly linear as long as movements are small, so a linear map reads them back, as
discriminant functions did from the displacements of tracked points (Cohn, Zlochower, Lien and Kanade 1999, "Automated
face analysis by feature point tracking has high concurrent validity with manual FACS coding"). What is ours: that it is
fitted to units in every combination upon fields of everything else, so that none is told because another mostly comes
with it; that a reading is held against what no reading explains of the field; and that a unit is told only from where
it is wrong too seldom to matter, on people whom the map was not fitted to. Where that cannot be had it is never told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from realtime import config as realtime_config
from realtime.engine.package.manifest import LOGITS, STRENGTH, Precision, Score, Task
from realtime.labels import OWN
from realtime.representation.apex_field import FIELD, ApexField
from realtime.representation.movement.fields import FIELD_PX
from train.datasets.folds import Fold
from train.methods.method import Answer, Method, Stage
from train.methods.units.config import UnitsConfig
from train.methods.units.examples import Examples, examples
from train.methods.units.network import UnitNet
from train.methods.units.readings import Readings
from train.methods.units.scores import report
from train.methods.units.solution import UnitsSolution
from train.packaging.golden import golden_inputs
from train.packaging.limits import MethodCard
from train.sources.source import ClipSource, Split, Vocabulary


class UnitsMethod(Method[UnitsConfig, Examples]):
    """Pairs of moments as fields, and the amounts of all that moved between them."""

    config = UnitsConfig
    card = MethodCard(
        "A linear read-out of the field by which a face moved from onset to apex: which action units of FACS moved.",
        (
            "What a unit does to a face it knows of one 3-D head whose shapes were fitted to faces; how people's skin "
            "moves it was never shown. Its figures are of made-up faces alone.",
            "It sees movement on a coarse grid and nothing else: no wrinkles, no colour, and of the eyelids too little "
            "to say much of them.",
            "It sees the face against its onset: where that is late, all is weaker than it was, and what comes back to "
            "rest is not told.",
            "A mouth that speaks lifts its corners and opens the jaw too: that is told as such, whatever it means.",
            "A unit that is not told may have moved all the same. Strengths are rough: half as strong or twice is "
            "possible.",
        ),
    )
    sources = ("synthetic",)
    task: Task = "action-units"
    outputs = (LOGITS, STRENGTH)
    chunk = 1024
    shapes = ("told",)

    def representation(self, config: UnitsConfig) -> ApexField:
        return ApexField(realtime_config.load().align.size_px, FIELD_PX, config.around_s)

    def network(self, config: UnitsConfig, classes: int) -> UnitNet:
        return UnitNet(Readings(config.told), FIELD_PX, config.floor, classes)

    def vocabulary(self, config: UnitsConfig, source: Vocabulary) -> Vocabulary:
        return Vocabulary(OWN, Readings(config.told).labels)

    def see(self, config: UnitsConfig, source: ClipSource, fold: Fold, workers: int | None = None) -> Split[Examples]:
        made = self.representation(config)
        return source.split(fold).seen(lambda clips: examples(config, made, source, clips, workers))

    def stages(self, config: UnitsConfig, split: Split[Examples], source: ClipSource, seed: int) -> Sequence[Stage]:
        network = self.network(config, len(self.vocabulary(config, split.vocabulary).labels))
        return [UnitsSolution(config, Readings(config.told), network, split.train[0], split.calibration)]

    def inputs(self, config: UnitsConfig, clips: Examples, answer: Answer) -> Mapping[str, Tensor]:
        return {FIELD: torch.from_numpy(clips.fields)}

    def golden(self, config: UnitsConfig, precision: Precision) -> Mapping[str, Tensor]:
        return golden_inputs(self.representation(config))

    def report(self, config: UnitsConfig, network: nn.Module, split: Split[Examples]) -> tuple[Score, ...]:
        (test,) = split.test
        return report(config, Readings(config.told), network, test)
