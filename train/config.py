"""configs/train/*.toml, strictly read. `method` decides which struct the rest must match."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share, convert, read_toml
from realtime.errors import ConfigError

SCHEDULE = "linear warm-up, then cosine to zero"

Sampling = Literal["far", "uniform", "patent_dot"]
Reference = Literal["none", "first"]
Part = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Stage(Section, frozen=True):
    """Part of a training: so many epochs at one picture size. Small pictures first cost less and end as well."""

    epochs: Count
    size_px: Count


class Optimiser(Section, frozen=True):
    rate: Positive  #: highest learning rate
    weight_decay: NotNegative
    batch: Count
    warmup: Share  #: share of all steps during which the rate rises
    average: NotNegative  #: decay of the moving average of the weights that is kept; 0 keeps the last weights


class Augment(Section, frozen=True):
    turn_deg: NotNegative
    scale: NotNegative
    shift: NotNegative
    contrast: NotNegative
    tint: NotNegative
    hide: NotNegative


class ExpressionConfig(Section, frozen=True, tag="expression", tag_field="method"):
    """The encoder, trained to tell still expressions apart."""

    seed: int
    name: str  #: of the run's folder and of the engine package
    ferplus: str  #: path of ferplus.npz
    cache: str
    runs: str
    crop_px: Count
    dropout: NotNegative
    stages: tuple[Stage, ...]
    optimiser: Optimiser
    augment: Augment


class Clips(Section, frozen=True):
    """The synthetic clips a cmn training sees."""

    seed: int  #: of the clips, of the split by person and of the views; the training's own seed leaves them alone
    ferplus: str  #: path of ferplus.npz, whose neutral faces are moved
    people: Count  #: faces that are used, each in several clips
    per_person: Count
    held_out: Share  #: share of the people that only the evaluation sees
    calibration: Share  #: share of the other people that only the temperature of the logits sees
    rate_hz: Positive
    seconds: Positive


class Views(Section, frozen=True):
    """The augmented versions of each clip, of which a training step takes two."""

    count: Annotated[int, msgspec.Meta(ge=2)]
    noise: NotNegative  #: most standard deviation of the Gaussian noise, pictures in [0, 1]
    noise_probability: Part
    grey_probability: Part


class Early(Section, frozen=True):
    """Clips that end soon after their apex, as those do that an early answer judges."""

    share: Part  #: of the training clips that are cut so in each epoch
    after_s: tuple[NotNegative, NotNegative]  #: the cut lies so long after the apex, at least and at most

    @property
    def middle_s(self) -> float:
        """The delay of the early answers that are scored."""
        return sum(self.after_s) / 2


class CmnLoss(Section, frozen=True):
    temperature: Positive
    intra: NotNegative  #: weight of the contrast inside a clip
    inter: NotNegative  #: weight of the contrast between classes
    classify: NotNegative  #: weight of the cross-entropy


class CmnConfig(Section, frozen=True, tag="cmn", tag_field="method"):
    """The contrastive magnification head on a trained encoder."""

    seed: int  #: of the weights, the order and the draws
    name: str
    encoder: str  #: folder of the encoder's engine package
    cache: str
    runs: str
    frames: Count  #: N source frames
    negatives: Count  #: S negatives for each
    sampling: Sampling
    sharpness: NotNegative  #: beta of the far sampling
    reference: Reference  #: what is subtracted from every embedding: nothing, or the first source frame's
    views: Views
    early: Early
    clips: Clips
    loss: CmnLoss
    epochs: Count
    optimiser: Optimiser


TrainConfig = ExpressionConfig | CmnConfig


def load(path: Path) -> TrainConfig:
    """The configuration in `path`; ConfigError names file, key and expectation."""
    tree = read_toml(path)
    kinds: dict[object, type[ExpressionConfig] | type[CmnConfig]] = {"expression": ExpressionConfig, "cmn": CmnConfig}
    if tree.get("method") not in kinds:
        raise ConfigError(f"{path}: method is {tree.get('method')!r}, wanted one of {sorted(map(str, kinds))}")
    return convert(tree, kinds[tree["method"]], path)


def digest(*parts: object) -> str:
    """16 hex digits that change when any part does; parts are structs, numbers or strings."""
    return hashlib.sha256(b"\0".join(msgspec.json.encode(part, order="sorted") for part in parts)).hexdigest()[:16]
