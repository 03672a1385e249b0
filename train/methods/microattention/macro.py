"""Pictures of macro-expressions, for the first training: of FER+, of CK+, or of clips in which FER+ pictures play them.

All go under FER+'s eight emotions. FER+ says each by the shares of its votes; of CK+'s sequences, which begin neutral
and end at their peak, the first picture is neutral and the last what the sequence is labelled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.config import ROOT, read_toml
from realtime.errors import ConfigError, DataError
from realtime.labels import FERPLUS
from realtime.records import Floats, Image
from realtime.representation.movement.motion import grey
from train.clips.stored import StoredClip
from train.config import recipe
from train.config.clips import EnactedSettings
from train.config.recorded import Data, LeaveOneSubjectOut, Rates, RecordedSettings
from train.config.stills import StillsSettings
from train.methods.microattention.config import MicroAttentionConfig, Places
from train.methods.microattention.enacted_apexes import apexes
from train.sources.enacted import EnactedSource
from train.sources.recorded import RecordedSource
from train.sources.source import ClipSource
from train.sources.stills import Faces, StillsSource
from train.synthesis.enacted import Cast

NEUTRAL = FERPLUS[0]

Labelled = tuple[Image, Floats]  #: grey crops uint8 (N, size, size), and float32 (N, 8), what they show


@dataclass(frozen=True, slots=True, eq=False)
class MacroPictures:
    """N pictures and what they show."""

    images: Tensor  #: grey crops uint8 (N, 1, size, size)
    shares: Tensor  #: float32 (N, 8), of FER+'s emotions

    def __len__(self) -> int:
        return len(self.images)


def keys(config: MicroAttentionConfig) -> dict[str, str]:
    """What changes with the pictures of each set that is named; DataError where one is not at hand."""
    return {name: _key(name, source, config) for name, source in _sources(config).items()}


def prepare(config: MicroAttentionConfig, workers: int | None = None) -> None:
    """Make what the cache lacks of the pictures; DataError where they are not at hand."""
    keys(config)
    for source in _sources(config).values():
        _shown(source, config.size_px, workers)


def pictures(config: MicroAttentionConfig, workers: int | None = None) -> MacroPictures:
    """Those to train on of all sets that are named."""
    found = [_shown(source, config.size_px, workers) for source in _sources(config).values()]
    images, shares = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return MacroPictures(torch.from_numpy(images)[:, None], torch.from_numpy(shares))


def _key(name: str, source: ClipSource, config: MicroAttentionConfig) -> str:
    try:
        return source.key()
    except (DataError, ConfigError) as error:
        raise DataError(
            f"macro names {name!r}, and its pictures are not at hand: {error}\nSay where they are as places.{name}, "
            f"name other sets, or begin from nothing with macro=[], in the file of {config.name}"
        ) from None


def _sources(config: MicroAttentionConfig) -> Mapping[str, ClipSource]:
    return {name: _source(name, config.places, Path(config.cache)) for name in config.macro}


def _source(name: str, places: Places, cache: Path) -> ClipSource:
    if name == "ferplus":
        crop_px = realtime_config.load().align.size_px
        return StillsSource(StillsSettings(set="", ferplus=places.ferplus, crop_px=crop_px), cache)
    if name == "enacted":
        path = ROOT / places.enacted
        return EnactedSource(recipe.own(read_toml(path), EnactedSettings, path), cache)
    data = Data(name="ckplus", root=places.ckplus, table="", labels="emotion-7")
    rates = Rates(train_hz=(0.0,), test_hz=(0.0,), seed=1)
    evaluate = LeaveOneSubjectOut(seed=1, threads=1)  # nobody is tested
    return RecordedSource(
        RecordedSettings(set="", calibration=0.0, data=(data,), rates=rates, evaluate=evaluate), cache
    )


def _shown(source: ClipSource, size_px: int, workers: int | None) -> Labelled:
    (found,) = source.split(source.whole()).train
    if isinstance(found, Faces):
        images, votes = found.cut(size_px, workers)
        return images, votes.targets
    if isinstance(found, Cast):
        return labelled(apexes(found, workers), size_px)
    return labelled([shown for clip in found for shown in _ends(clip)], size_px)


def _ends(clip: StoredClip) -> list[tuple[Image, str]]:
    """A sequence's first picture, and its peak."""
    inside, crops, times = clip.event(), clip.crops(), clip.times()
    peak = inside[int(np.abs(times[inside.start : inside.stop] - clip.sample.apex_s).argmin())]
    return [(grey(crops[inside[0]]), NEUTRAL), (grey(crops[peak]), clip.sample.label)]


def labelled(shown: Sequence[tuple[Image, str]], size_px: int) -> Labelled:
    """Grey pictures uint8 (S, S) at one size, each with all its share for one emotion."""
    small = [cv2.resize(image, (size_px, size_px), interpolation=cv2.INTER_AREA) for image, _ in shown]
    numbers = [FERPLUS.index(label) for _, label in shown]
    return np.stack(small).astype(np.uint8), np.eye(len(FERPLUS), dtype=np.float32)[numbers]
