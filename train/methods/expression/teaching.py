"""What encoders that are trained already say of FER+ pictures: targets for one that learns from them.

A teacher sees each picture and its mirror image, as clear as it is; the learner sees it distorted and is told the same.
That an average of differently seeded networks teaches more than any of them is Hinton et al. 2015 (arXiv 1503.02531).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.engine.engine import Engine
from realtime.engine.package.kind import of_kind
from realtime.engine.package.manifest import LOGITS, MODEL
from realtime.errors import EngineError
from realtime.labels import FERPLUS
from realtime.recognition.encode import softmax
from realtime.records import Floats
from realtime.representation.crop_images import CropImages
from train.clips.embeddings import open_encoder, told
from train.clips.prepare import save_array
from train.storage.digest import digest

log = logging.getLogger(__name__)

Greys = npt.NDArray[np.uint8]


def taught(folders: Sequence[str], crops: Callable[[int], Greys], crop_px: int, cache: Path) -> Floats:
    """The mean of what the packages in `folders` say of each picture, float32 (N, 8), in the order of `FERPLUS`.

    `crops(size_px)` gives the pictures, grey uint8 (N, size, size), at a teacher's own size. What a teacher said stays
    in `cache`. EngineError if one judges other labels or takes other crops.
    """
    return np.asarray(np.mean([_told(open_encoder(Path(each)), crops, crop_px, cache) for each in folders], axis=0))


def _told(teacher: Engine, crops: Callable[[int], Greys], crop_px: int, cache: Path) -> Floats:
    wanted = _require_teacher(teacher, crop_px)
    pictures = crops(wanted.size_px)
    seen = hashlib.sha256(np.ascontiguousarray(pictures).tobytes()).hexdigest()
    path = cache / f"taught-{digest(1, teacher.manifest.files[MODEL], wanted, seen)}.npy"
    if not path.exists():
        log.info("%s tells %d pictures apart", teacher.manifest.name, len(pictures))
        save_array(path, _judged(teacher, pictures, wanted))
    said: Floats = np.load(path)
    return said


def _judged(teacher: Engine, greys: Greys, wanted: CropImages) -> Floats:
    """Probabilities (N, 8): the mean over each picture and its mirror image."""
    both = ((np.repeat(grey[..., None], 3, axis=-1) for grey in each) for each in (greys, greys[..., ::-1]))
    found = [softmax(told(images, teacher, wanted, LOGITS)) for images in both]
    return np.asarray(np.mean(found, axis=0), np.float32)


def _require_teacher(engine: Engine, crop_px: int) -> CropImages:
    manifest, wanted = engine.manifest, of_kind(CropImages, engine.manifest)
    reasons = []
    if tuple(manifest.labels) != FERPLUS:
        reasons.append(f"it tells {', '.join(manifest.labels)}; wanted {', '.join(FERPLUS)}")
    if wanted is None or wanted.crop_px != crop_px:
        reasons.append(f"it takes {manifest.representation}, wanted pictures of crops of {crop_px} px")
    if reasons or wanted is None:
        raise EngineError(f"{manifest.name} cannot be a teacher: name another in [teaching]", reasons)
    return wanted
