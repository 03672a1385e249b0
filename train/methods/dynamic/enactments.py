"""Clips of dynamic expressions as the encoder sees them: embeddings of every frame, made once and kept.

No picture is stored: a role is filmed, embedded and forgotten. A killed run goes on with the roles that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.engine import Engine
from realtime.engine.factory import open_engine
from realtime.engine.landmarker import open_landmarker, sight
from realtime.engine.package.kind import require
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL, Manifest
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import DataError, EngineError
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages
from train.config.clips import Enactment
from train.methods.dynamic.config import DynamicConfig
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run
from train.synthesis.enacted import Cast, Clip, Role, Studio
from train.synthesis.script.emotions import LABELS

MANNERS = ("forward", "backward", "still", "fade")  #: those of `enact`, and that of `train.methods.dynamic.fades`


@dataclass(frozen=True, slots=True, eq=False)
class Enactments:
    """K clips of T frames."""

    embeddings: Tensor  #: float32 (K, T, width)
    logits: Tensor  #: float32 (K, T, C): what the encoder itself says of each frame
    times: Tensor  #: float64 (K, T) s
    moments: Tensor  #: float64 (K, 3) s: onset, apex, offset
    labels: Tensor  #: int64 (K,), indices into `LABELS`
    manners: Tensor  #: int64 (K,), indices into `MANNERS`

    def __len__(self) -> int:
        return len(self.labels)

    def events(self, begin: Tensor, end: Tensor) -> Iterator[EventFrames]:
        """The frames of each clip from `begin` to `end` (K,)."""
        for k, (first, length) in enumerate(zip(*self._inside(begin, end), strict=True)):
            part = slice(int(first), int(first + length))
            yield EventFrames(self.times[k, part].numpy(), embeddings=self.embeddings[k, part].numpy())

    def sequences(self, begin: Tensor, end: Tensor, frames: int) -> Tensor:
        """What serving makes of them, all at once, for training: (K, frames, width)."""
        first, length = self._inside(begin, end)
        places = torch.arange(frames, dtype=torch.float64) + 0.5
        chosen = first[:, None] + (places * length[:, None] / frames).long()
        return self.embeddings[torch.arange(len(self))[:, None], chosen]

    def _inside(self, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
        """The first frame and how many there are; the one at `begin`, or before it, if there is none."""
        first = (self.times < begin[:, None]).sum(1).clamp(max=self.times.shape[1] - 1)
        return first, ((self.times <= end[:, None]).sum(1) - first).clamp(min=1)


def package(config: DynamicConfig) -> Manifest:
    """The encoder's: no other's embeddings mean the same."""
    return load_manifest(ROOT / config.encoder)


def opened(config: DynamicConfig) -> Engine:
    """The encoder, as it serves."""
    overrides = [f"engines.precision={config.precision}", "engines.threads=1", "engines.device=cpu"]
    return open_engine(Path(config.encoder), realtime_config.load(overrides=overrides).engines)


def filmed(config: DynamicConfig, cast: Cast, workers: int | None = None) -> Enactments:
    """The clips of `cast`; those that are not in its cache are made, by `workers` processes."""
    folder = _folder(config, cast)
    missing = {role.id: role for role in cast.roles if not _path(folder, role).exists()}
    if missing:
        run(partial(_filming, config, cast.clips, folder), missing, f"clips of {cast.split}", workers)
    return read([_path(folder, role) for role in cast.roles])


def read(paths: Sequence[Path]) -> Enactments:
    """The clips in files of `_save`, one after another; DataError if there are none."""
    parts: dict[str, list[Tensor]] = {name: [] for name in Enactments.__slots__}
    for path in paths:
        with np.load(path) as file:
            for name, rows in parts.items():
                if len(file["labels"]):
                    rows.append(torch.from_numpy(file[name]))
    if not parts["labels"]:
        raise DataError(f"no face is found in any of {len(paths)} pictures; give more of them in [clips]")
    return Enactments(**{name: torch.cat(rows) for name, rows in parts.items()})


def _folder(config: DynamicConfig, cast: Cast) -> Path:
    """Named by everything that shapes a role's clips, but not by how many roles there are."""
    encoder, seen = package(config).files[MODEL], sight(realtime_config.load())
    return cast.cache / f"enacted-{digest(1, *cast.films(), encoder, config.precision, *seen)}"


def _path(folder: Path, role: Role) -> Path:
    return folder / f"{role.id}-{digest(role.shown, role.plays)}.npz"


@contextmanager
def _filming(config: DynamicConfig, clips: Enactment, folder: Path) -> Iterator[Callable[[Role], None]]:
    landmarker, encoder = open_landmarker(realtime_config.load()), opened(config)
    _require_crops(encoder, clips.size_px)
    stage = Studio(clips, landmarker)
    yield lambda role: _save(_path(folder, role), list(stage.clips(role)), encoder)
    landmarker.close()


def _require_crops(encoder: Engine, size_px: int) -> None:
    wanted = require(CropImages, encoder.manifest, "the encoder")
    if wanted.crop_px != size_px:
        reasons = [f"it takes {wanted}, [clips] size_px makes crops of {size_px} px: make them equal"]
        raise EngineError(f"engine {encoder.manifest.name} cannot see these clips:", reasons)


def _save(path: Path, clips: Sequence[Clip], encoder: Engine) -> None:
    pictures = require(CropImages, encoder.manifest, "the encoder")
    found = [encoder.run(pictures.of_images(clip.crops)) for clip in clips]
    spans = [clip.enacted.span for clip in clips]
    arrays: dict[str, npt.NDArray[Any]] = {
        "embeddings": np.array([each[EMBEDDING] for each in found], np.float32),
        "logits": np.array([each[LOGITS] for each in found], np.float32),
        "times": np.array([clip.times for clip in clips], np.float64),
        "moments": np.array([(span.onset, span.apex, span.offset) for span in spans], np.float64),
        "labels": np.array([LABELS.index(clip.enacted.label) for clip in clips], np.int64),
        "manners": np.array([MANNERS.index(clip.enacted.manner) for clip in clips], np.int64),
    }
    with writing(path) as file:
        np.savez(file, **arrays)
