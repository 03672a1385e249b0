"""configs/train/*.toml, strictly read. `method` decides which struct the rest must match."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from realtime.config import Count, NotNegative, Positive, Section, Share, convert, merge, parse_override, read_toml
from realtime.errors import ConfigError

Sampling = Literal["far", "uniform", "patent_dot"]
HeadKind = Literal["patent", "cmnet"]
Reference = Literal["none", "first"]
Part = Annotated[float, msgspec.Meta(ge=0, le=1)]
Backbone = Literal["c3d", "r3d18", "resnet18-gru"]
FrameSampling = Literal["random", "segments", "tim"]
Cameras = Annotated[tuple[NotNegative, ...], msgspec.Meta(min_length=1)]  #: frames a second; 0 is the recording's own
ApexSource = Literal["annotation", "quang", "detector"]
Precision = Literal["f32", "bf16"]
#: The fields of `Distractors`.
Distractor = Literal["blink", "gaze", "speech", "mouth", "turn", "hand", "macro", "flicker", "sway"]


class Stage(Section, frozen=True):
    """Part of a training: so many epochs at one picture size. Small pictures first cost less and end as well."""

    epochs: Count
    size_px: Annotated[int, msgspec.Meta(ge=24)]  #: a last map of 1x1, at 16 px, gets wild bfloat16 gradients


class Optimiser(Section, frozen=True):
    kind: Literal["sgd", "adamw"]
    rate: Positive  #: highest learning rate
    weight_decay: NotNegative
    batch: Count
    warmup: Share  #: share of all steps during which the rate rises
    average: NotNegative  #: decay of the moving average of the weights that is kept; 0 keeps the last weights


class Machine(Section, frozen=True):
    accelerator: Literal["auto", "cpu", "cuda"]  #: "auto" is "cuda" where a GPU is found
    devices: Count  #: that share each batch: GPUs, or processes on the CPU


class Augment(Section, frozen=True):
    turn_deg: NotNegative
    scale: NotNegative
    shift: NotNegative
    contrast: NotNegative
    tint: NotNegative
    hide: Part
    soften: Part
    noise: NotNegative


class Teaching(Section, frozen=True):
    """What other encoders say of each picture, mixed into the votes (Hinton et al. 2015, arXiv 1503.02531)."""

    engines: tuple[str, ...]  #: folders of their packages, whose word is averaged; none leaves the votes alone
    weight: Part  #: the teachers' share of what is learned


class ExpressionConfig(Section, frozen=True, tag="expression", tag_field="method"):
    """The encoder, trained to tell still expressions apart."""

    seed: int
    name: str  #: of the run's folder and of the engine package
    ferplus: str  #: path of ferplus.npz
    cache: str
    runs: str
    crop_px: Count
    network: Literal["resnet10", "resnet18"]
    precision: Precision  #: of the training's arithmetic; bf16 is faster where the processor has it
    dropout: NotNegative
    sampling: Part  #: 0 draws each expression as often as it is there, 1 all equally often
    prior: Part  #: 0 expects each expression as often as FER+ has it, 1 all equally often
    stages: tuple[Stage, ...]
    optimiser: Optimiser
    machine: Machine
    augment: Augment
    teaching: Teaching

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(stage.epochs for stage in self.stages)


class Distractors(Section, frozen=True):
    """What happens in synthetic clips that is no micro-expression, each kind so often a minute; 0 leaves it out."""

    blink: NotNegative
    gaze: NotNegative
    speech: NotNegative
    mouth: NotNegative  #: it chews, or licks, bites or purses its lips
    turn: NotNegative  #: and nods, shakes of the head, leaning to and fro
    hand: NotNegative  #: before the face; never with a micro-expression
    macro: NotNegative  #: never in a clip with a micro-expression, which it would hide
    flicker: NotNegative  #: not a rate: most amplitude of lamps at twice the mains' frequency, share of the light
    sway_deg: NotNegative  #: most slow turning of a head that is held still


AT_REST = Distractors(*[0.0] * len(Distractors.__struct_fields__))


class Film(Section, frozen=True):
    """The cameras that synthetic clips are filmed with; each clip has one of its own."""

    rates_hz: Annotated[tuple[Annotated[float, msgspec.Meta(ge=5, le=500)], ...], msgspec.Meta(min_length=1)]
    shutter: tuple[Part, Part]  #: share of the time between frames that it is open, at least and at most
    noise: NotNegative  #: most standard deviation at full light, grey levels
    quality: Annotated[int, msgspec.Meta(ge=10, le=100)]  #: lowest of the compression, as JPEG counts it; 100 has none


class Clips(Section, frozen=True):
    """The synthetic clips that a training sees."""

    seed: int  #: of the clips, of the split by person and of the views; the training's own seed leaves them alone
    head: str  #: path of ict_facekit.npz, whose action units move the faces
    ferplus: str  #: path of ferplus.npz, whose neutral faces are moved; "" takes none
    portraits: tuple[str, ...]  #: pictures, videos (their first good face) and folders of them; a file is a person
    rendered: Part  #: share of the people that are rendered heads, not pictures
    people: Count  #: faces that are used, each in several clips
    per_person: Count
    held_out: Share  #: share of the people that only the evaluation sees
    calibration: Share  #: share of the other people that only the temperature of the logits sees
    none: Part  #: share of the clips without a micro-expression of any class; above 0, "none" is one more label
    intensities: Annotated[tuple[Literal["A", "B", "C", "D", "E"], ...], msgspec.Meta(min_length=1)]
    framing: Literal["camera", "crop"]  #: a face with its surroundings, or as `align` would cut it
    size_px: Annotated[int, msgspec.Meta(ge=48)]  #: side of the pictures
    seconds: Positive
    distractors: Distractors
    film: Film


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
    trend: NotNegative  #: weight of the calibration of the intensities; read only if the head is "cmnet"


class Data(Section, frozen=True):
    """A data set of recorded clips; several of one label set make a composite."""

    name: str  #: in `train.datasets.corpora.catalogue.LOADERS`
    root: str  #: folder that it was unpacked to
    table: str  #: its annotation table; "" is the one that is found there
    labels: str  #: label set in `train.datasets.annotation.labels`; "" is the data set's usual one


class Rates(Section, frozen=True):
    """The cameras that recorded clips are seen through, none faster than it says: see `train.clips.rates`."""

    train_hz: Cameras  #: each epoch shows each clip through one of them; one that stands there twice is drawn as often
    test_hz: Cameras  #: each test clip is judged through each; the first one's scores are the headline
    seed: int  #: of the moment at which each clip's first exposure begins

    def __post_init__(self) -> None:
        if len(set(self.test_hz)) < len(self.test_hz):
            raise ValueError(f"a rate stands twice in test_hz, {list(self.test_hz)}; each clip is judged once at each")


class Protocol(Section, frozen=True, tag_field="protocol"):
    """Base of the protocols: each fold has a seed that is made of this one and of its name."""

    seed: int
    threads: Count  #: of torch in each fold: sums differ in their last bits with their number


class LeaveOneSubjectOut(Protocol, frozen=True, tag="loso"):
    pass


class Composite(Protocol, frozen=True, tag="composite"):
    pass


class KFold(Protocol, frozen=True, tag="k-fold"):
    k: Annotated[int, msgspec.Meta(ge=2)]


class Lists(Protocol, frozen=True, tag="lists"):
    """The folds that the data set's authors fixed."""


class Cross(Protocol, frozen=True, tag="cross"):
    train: tuple[str, ...]  #: names of data sets
    test: tuple[str, ...]


Evaluation = LeaveOneSubjectOut | Composite | KFold | Lists | Cross


class MotionInput(Section, frozen=True):
    """What stands behind the embedding of each frame: see `train.methods.cmn.moved`."""

    cells: Literal[0, 4, 7, 14]  #: the side of the grid that its displacement field is pooled to; 0: embeddings alone
    gain: NotNegative  #: standard deviation of the logarithm by which a view's movement is more or less
    noise: NotNegative  #: standard deviation of the noise on a view's cells

    @property
    def row(self) -> int:
        """Numbers of one frame."""
        return 2 * self.cells**2


class CmnSettings(Section, frozen=True):
    """The contrastive magnification head on a trained encoder, whatever clips it sees."""

    seed: int  #: of the weights, the order and the draws
    name: str
    encoder: str  #: folder of the encoder's engine package
    cache: str
    runs: str
    head: HeadKind  #: the patent's, or that of the published CMNet
    frames: Count  #: N source frames
    negatives: Count  #: S negatives for each
    sampling: Sampling
    sharpness: NotNegative  #: beta of the far sampling
    reference: Reference  #: what is subtracted from every embedding: nothing, or the first source frame's
    views: Views
    motion: MotionInput
    early: Early
    loss: CmnLoss
    epochs: Count
    optimiser: Optimiser
    machine: Machine


class CmnConfig(CmnSettings, frozen=True, tag="cmn", tag_field="method"):
    """On synthetic clips."""

    clips: Clips


class CmnRecordedConfig(CmnSettings, frozen=True, tag="cmn", tag_field="method"):
    """On recorded clips."""

    calibration: Share  #: share of the people to train on that only the temperature of the logits sees
    jitter_s: NotNegative  #: onset and offset of a training clip are moved by up to so much in each epoch
    data: tuple[Data, ...]
    rates: Rates
    evaluate: Evaluation


class RecordedConfig(Section, frozen=True):
    """What the other methods on recorded clips share."""

    seed: int  #: of `fit`; the folds of an evaluation have seeds of their own
    name: str
    initial: str  #: path of a public checkpoint, whose classifier is left out; "" starts from random weights
    cache: str
    runs: str
    size_px: Count  #: what the network sees
    dropout: Part
    precision: Precision  #: of the arithmetic in training; weights are always f32
    epochs: Count
    jitter_s: NotNegative  #: the moments that cut a training clip are moved by up to so much in each epoch
    data: tuple[Data, ...]
    rates: Rates
    evaluate: Evaluation
    optimiser: Optimiser
    machine: Machine


class EcstflLoss(Section, frozen=True):
    weight: NotNegative  #: lambda; the cross-entropy's is 1
    variant: Literal["paper", "official"]
    p: Literal[1, 2]  #: of the norm of "paper"; "official" is in L1


class ClipAugment(Section, frozen=True):
    area: tuple[Share, Share]  #: of the crop that is seen, at least and at most


class EcstflConfig(RecordedConfig, frozen=True, tag="ecstfl", tag_field="method"):
    """A network of clips with the expression-clustering loss."""

    backbone: Backbone
    frames: Count
    sampling: FrameSampling  #: in training; "tim" in tests too
    loss: EcstflLoss
    augment: ClipAugment


class Enactment(Section, frozen=True):
    """The clips of dynamic expressions: FER+ pictures brought into motion."""

    seed: int  #: of the pictures, of what they play and of the cameras
    head: str  #: path of ict_facekit.npz
    ferplus: str  #: path of ferplus.npz
    agreed: Part  #: least share of the votes for what a picture shows
    expressive: Count  #: clips of each expression that pictures of it play, in the training split
    neutral: Count  #: neutral pictures that play every class once
    resting: Count  #: neutral pictures that stay neutral
    held_out: Share  #: the validation and the test split have this share of all of these
    most_takes: Count  #: clips of one picture of a rare expression
    back: tuple[Part, Part]  #: share of full strength that is taken from a picture with an expression
    forward: tuple[Part, Part]  #: and that a neutral picture plays
    size_px: Annotated[int, msgspec.Meta(ge=48)]  #: side of the crops
    frames: Annotated[int, msgspec.Meta(ge=4)]  #: of each clip, evenly over its whole length
    distractors: Distractors
    film: Film


class Shown(Section, frozen=True):
    """Which part of a clip an epoch shows."""

    before_s: NotNegative  #: it begins up to so long before the onset,
    late_s: NotNegative  #: or after it


class DynamicConfig(Section, frozen=True, tag="dynamic", tag_field="method"):
    """A recurrent head on the encoder's embeddings, for expressions of any length."""

    seed: int
    name: str
    encoder: str  #: folder of the encoder's engine package
    precision: Precision  #: that the encoder computes the embeddings in
    cache: str
    runs: str
    frames: Count  #: that the head sees of an event
    fades: NotNegative  #: clips of `train.methods.dynamic.fades`, new in each epoch, for each clip that was filmed
    dropout: Part
    epochs: Count
    loss: EcstflLoss
    early: Early
    shown: Shown
    clips: Enactment
    optimiser: Optimiser
    machine: Machine


class FocalLoss(Section, frozen=True):
    gamma: NotNegative
    alpha: Literal["none", "inverse-frequency"]


class ApexAugment(Section, frozen=True):
    turn_deg: NotNegative
    grey_probability: Part


class Quang(Section, frozen=True):
    """Read only if the apex is theirs."""

    lag_frames: Count
    terms: Literal["onset", "offset", "both"]


class PairAugment(Section, frozen=True):
    """Half of the events are mirrored; onset and apex are changed alike, but for `slip` and `noise`."""

    turn_deg: NotNegative
    scale: NotNegative  #: up to this share larger or smaller
    shift: NotNegative  #: up to this share of the side
    slip: NotNegative  #: of the apex against the onset: shift as a share of the side, scale, and radians
    light: NotNegative  #: most logarithm of contrast and of gamma
    tint: NotNegative  #: most logarithm of each colour's own gamma; read only if the apex is shown alone
    noise: NotNegative  #: most standard deviation of the noise, pictures in [0, 1]
    rising: Part  #: share of the events whose apex is taken for earlier than it is, up to the middle of the rise


class ApexnetConfig(Section, frozen=True, tag="apexnet", tag_field="method"):
    """On synthetic clips, with or without "none" as one more class."""

    seed: int
    name: str
    initial: str  #: path of weights to begin with, whose classifier may be of other classes; "" is none
    cache: str
    runs: str
    shows: Literal["apex", "change"]  #: the apex alone, or what changed since the onset too
    size_px: Annotated[int, msgspec.Meta(ge=32)]  #: what the network sees
    around_s: NotNegative  #: see `realtime.representation.preprocess.ApexChange`; read only if the change is shown
    gain: Positive  #: likewise
    blocks: tuple[Count, Count, Count, Count]  #: of each stage
    groups: Annotated[int, msgspec.Meta(ge=2)]  #: of the convolutions; all widths are in proportion
    dropout: Part
    precision: Precision  #: of the arithmetic in training; weights are always f32
    rest: Part  #: share of each batch that shows stretches of the clips without an event; 0: "none" is no class
    jitter_s: NotNegative  #: onset and apex are moved by up to so much in each epoch
    epochs: Count
    loss: FocalLoss
    augment: PairAugment
    optimiser: Optimiser
    machine: Machine
    clips: Clips


class ApexnetRecordedConfig(RecordedConfig, frozen=True, tag="apexnet", tag_field="method"):
    """On recorded clips: a network of the apex frame alone."""

    apex: ApexSource
    blocks: Literal["standard", "ren"]
    frozen_norm: bool  #: whether batch normalisation keeps the checkpoint's statistics
    loss: FocalLoss
    augment: ApexAugment
    quang: Quang


class FieldsShown(Section, frozen=True):
    """What the network sees of an event: see `realtime.representation.preprocess.FlowFields`."""

    frames: Count  #: moments between onset and apex
    scale: Literal["each", "both"]  #: u and v are divided by a size each, or by one for both
    floor: Positive  #: least size, eye distances
    limit: Positive  #: values beyond so many sizes are cut


class MotionAugment(Section, frozen=True):
    """Half of the events are mirrored; sizes are shares of the event's own."""

    turn_deg: NotNegative
    scale: NotNegative  #: of the places: up to this share larger or smaller, across and down of their own
    shift: NotNegative  #: up to this share of the side
    gain: NotNegative  #: standard deviation of the logarithm by which places move more or less
    drift: NotNegative  #: most that is left of the head's movement
    noise: NotNegative  #: most size of smooth noise, new in each frame
    stretch: NotNegative  #: most logarithm of the exponent that bends the time from onset to apex
    late: Part  #: share of the events whose reference is a picture from after the onset


class Exact(Section, frozen=True):
    """Movements that are known exactly, mixed with those that the stages found: see `train.clips.exact`."""

    share: Part  #: of each batch; 0 makes none
    each: Count  #: of each person to train on


class MotionSettings(Section, frozen=True):
    """A network of displacement fields, whatever clips it sees."""

    seed: int
    name: str
    initial: str  #: path of weights to begin with, such as the `weights.pt` of another run; "" is none
    cache: str
    runs: str
    fields: FieldsShown
    dropout: Part
    jitter_s: NotNegative  #: onset, apex and offset are moved by up to so much in each epoch
    epochs: Count
    early: Early
    loss: FocalLoss
    augment: MotionAugment
    optimiser: Optimiser
    machine: Machine


class MotionConfig(MotionSettings, frozen=True, tag="motion", tag_field="method"):
    """On synthetic clips, with "none" as one more class."""

    clips: Clips
    rest: Part  #: share of each batch that shows stretches of the clips without an event, as "none"
    exact: Exact


class MotionRecordedConfig(MotionSettings, frozen=True, tag="motion", tag_field="method"):
    """On recorded clips, with their labels."""

    data: tuple[Data, ...]
    rates: Rates
    evaluate: Evaluation


class SpotterTraining(Section, frozen=True, tag="spotter", tag_field="method"):
    """A network that says when an expression is under way, on long films."""

    seed: int
    name: str
    cache: str
    runs: str
    tick_s: Positive  #: of the network's clock
    lookback_s: NotNegative  #: it speaks of the moment that lies so long back
    cells: Literal[7, 14]  #: side of the grid that a field is pooled to
    members: Count  #: networks that are asked together
    memory: Count  #: of each
    dropout: Part
    films: Count  #: people to train on, a film each
    test_films: Count  #: people who are held out, a film each
    seconds: Annotated[float, msgspec.Meta(ge=10)]  #: of each film
    micro_per_minute: NotNegative  #: micro-expressions in films
    without: tuple[
        Distractor, ...
    ]  #: that training is to see none of: see `train.methods.spotter.chunks`; tests have all of them
    known_people: Count  #: people to train on whose exact movements are added to films,
    known_each: Count  #: and how many of each
    pasted_per_minute: tuple[NotNegative, NotNegative]  #: micro- and macro-expressions
    both: Part  #: share of the chunks that show two films at once
    gain: NotNegative  #: standard deviation of the logarithm by which everything moves more or less
    noise: NotNegative  #: most standard deviation of noise on what the network is fed
    weights: tuple[Positive, Positive, Positive]  #: of what is there against what is not: expression, micro, apex
    chunk_s: Positive
    epochs: Count
    steps: Count  #: in each epoch
    optimiser: Optimiser
    machine: Machine
    clips: Clips


class Prices(Section, frozen=True):
    """What makes settings of the detector better or worse: see `train.tuning.worth`."""

    macro: NotNegative
    false: NotNegative
    delay: NotNegative
    taken_back: NotNegative


class Range(Section, frozen=True):
    """One key of configs/realtime.toml, and where its value may lie."""

    key: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.key} from {self.low:g} to {self.high:g}; wanted low below high")


class TuneConfig(Section, frozen=True, tag="tune", tag_field="method"):
    """The search for settings of the detector; nothing is trained."""

    seed: int
    name: str
    cache: str
    runs: str
    data: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    held_out: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    rates_hz: Cameras
    trials: Count
    prices: Prices
    keys: Annotated[tuple[Range, ...], msgspec.Meta(min_length=1)]


#: With [[data]] and [evaluate].
Recorded = CmnRecordedConfig | EcstflConfig | ApexnetRecordedConfig | MotionRecordedConfig
OnSynthetic = CmnConfig | ApexnetConfig | MotionConfig | SpotterTraining  #: with [clips]
TrainConfig = ExpressionConfig | OnSynthetic | DynamicConfig | Recorded | TuneConfig

KINDS: dict[str, type[TrainConfig]] = {
    "expression": ExpressionConfig,
    "cmn": CmnConfig,
    "ecstfl": EcstflConfig,
    "apexnet": ApexnetConfig,
    "motion": MotionConfig,
    "spotter": SpotterTraining,
    "dynamic": DynamicConfig,
    "tune": TuneConfig,
}
#: Methods that have a second struct for [[data]].
ON_RECORDED: dict[str, type[TrainConfig]] = {
    "cmn": CmnRecordedConfig,
    "apexnet": ApexnetRecordedConfig,
    "motion": MotionRecordedConfig,
}


def load(path: Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """The configuration in `path`, then overrides such as "epochs=2" or "data.0.root=mine".

    ConfigError names file, key and expectation.
    """
    tree = read_toml(path)
    for override in overrides:
        tree = merge(tree, parse_override(override))
    if tree.get("method") not in KINDS:
        raise ConfigError(f"{path}: method is {tree.get('method')!r}, wanted one of {sorted(KINDS)}")
    kinds = KINDS | ON_RECORDED if "data" in tree else KINDS
    return convert(tree, kinds[tree["method"]], path)


def shaping(config: TrainConfig) -> dict[str, Any]:
    """What a run is named by: all but where it is computed and kept.

    Several devices count: each normalises its own share.
    """
    tree: dict[str, Any] = msgspec.to_builtins(config)
    devices = tree.pop("machine")["devices"]
    del tree["cache"], tree["runs"]
    return tree if devices == 1 else tree | {"devices": devices}


def digest(*parts: object) -> str:
    """16 hex digits that change when any part does; parts are structs, numbers or strings."""
    return hashlib.sha256(b"\0".join(msgspec.json.encode(part, order="sorted") for part in parts)).hexdigest()[:16]
