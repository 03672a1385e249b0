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
from realtime.engine.engine import Engine
from realtime.engine.factory import open_engine
from realtime.engine.package.kind import require
from realtime.engine.package.manifest import EMBEDDING, LOGITS, MODEL
from realtime.engine.package.manifest import load as load_manifest
from realtime.errors import DataError, EngineError
from realtime.faces.mesh import MediaPipe
from realtime.representation.crop_images import CropImages
from train.datasets.ferplus import SPLITS
from train.methods.dynamic.config import DynamicConfig
from train.storage.atomic import writing
from train.storage.digest import digest
from train.storage.workers import run
from train.synthesis.enacted import Clip, Role, Stage, cast
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


def encoder_of(config: DynamicConfig) -> Engine:
    """The encoder, as `prepare` asks it; EngineError if it does not take the crops that are made."""
    overrides = [f"engines.precision={config.precision}", "engines.threads=1", "engines.device=cpu"]
    encoder = open_engine(Path(config.encoder), realtime_config.load(overrides=overrides).engines)
    wanted = require(CropImages, encoder.manifest, "the encoder")
    if wanted.crop_px != config.clips.size_px:
        reasons = [f"it takes {wanted}, [clips] size_px makes crops of {config.clips.size_px} px: make them equal"]
        raise EngineError(f"engine {encoder.manifest.name} cannot see these clips:", reasons)
    return encoder


def prepare(config: DynamicConfig, workers: int | None = None) -> dict[str, Enactments]:
    """The clips of all three splits, by name; those that are not in the cache are made, by `workers` processes."""
    return {split: _gathered(config, split, workers) for split in SPLITS}


def _gathered(config: DynamicConfig, split: str, workers: int | None) -> Enactments:
    folder, roles = _folder(config), cast(config.clips, split)
    missing = {role.id: role for role in roles if not _path(folder, role).exists()}
    if missing:
        run(partial(_filming, config, folder), missing, f"clips of {split}", workers)
    return read([_path(folder, role) for role in roles])


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


def _folder(config: DynamicConfig) -> Path:
    """Named by everything that shapes a role's clips, but not by how many roles there are."""
    clips, stages = config.clips, realtime_config.load()
    played = (clips.seed, clips.back, clips.forward, clips.size_px, clips.frames, clips.distractors, clips.film)
    files = [Path(path).stat().st_size if Path(path).is_file() else 0 for path in (clips.head, clips.ferplus)]
    encoder = load_manifest(Path(config.encoder)).files[MODEL]
    return Path(config.cache) / f"enacted-{digest(1, *played, files, encoder, config.precision, stages.track)}"


def _path(folder: Path, role: Role) -> Path:
    return folder / f"{role.id}-{digest(role.shown, role.plays)}.npz"


@contextmanager
def _filming(config: DynamicConfig, folder: Path) -> Iterator[Callable[[Role], None]]:
    landmarker, encoder = MediaPipe(realtime_config.load().track), encoder_of(config)
    stage = Stage(config.clips, landmarker)
    yield lambda role: _save(_path(folder, role), list(stage.clips(role)), encoder)
    landmarker.close()


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
