"""The frozen encoder's embeddings of every frame: of the clean clip and of its augmented views, cached.

The patent trains its encoder along. Here one encoder serves the live process's per-frame judgement and
this head, so it stays as it is, and an epoch costs the head alone. (The patent's first author freezes
most of the encoder too, in AMAN.)
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import msgspec
import numpy as np

from realtime import config as realtime_config
from realtime.engine.engine import Engine
from realtime.engine.factory import open_engine
from realtime.engine.package.kind import require
from realtime.engine.package.manifest import EMBEDDING, MODEL
from realtime.errors import DataError
from realtime.records import Floats, Image, Times
from realtime.representation.crop_images import CropImages
from train.clips.clip import ClipCrops
from train.clips.prepare import save_array
from train.config.sections import Views
from train.datasets.annotation.sample import Sample
from train.storage.digest import digest

log = logging.getLogger(__name__)

CHUNK = 64  # crops that go through the encoder at once


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedClip:
    """One clip as the head sees it."""

    sample: Sample
    times: Times  #: float64 (T,)
    clean: Floats  #: float32 (T, width)
    views: Floats  #: float32 (V, T, width)


@dataclass(frozen=True, slots=True)
class View:
    """One augmentation, the same for all frames of a clip, so that the head sees a coherent clip."""

    noise: float  #: standard deviation in grey levels; every frame gets noise of its own, as a camera's
    grey: bool


def open_encoder(folder: Path) -> Engine:
    """In f32: what bf16 rounds away depends on the processor, and a training should not."""
    return open_engine(folder, realtime_config.load(overrides=["engines.precision=f32", "engines.threads=2"]).engines)


def embed(clips: Iterable[ClipCrops], encoder: Engine, views: Views, cache: Path) -> list[EmbeddedClip]:
    """Embeddings of `clips`, one after another; what is in `cache` is read, the rest is computed and put there."""
    embedded = []
    for clip in clips:
        path = cache / f"embeddings-{_key(clip, encoder, views)}.npy"
        if not path.exists():
            log.info("embeds %s: %d frames, %d views", clip.sample.id, len(clip.crops), views.count)
            save_array(path, _compute(clip, encoder, views))
        clean, *others = np.load(path)
        embedded.append(EmbeddedClip(clip.sample, clip.times, clean, np.stack(others)))
    return embedded


def embed_images(images: Sequence[Image], encoder: Engine) -> Floats:
    """Crops -> embeddings (T, width); EngineError if `encoder` takes no crops, DataError if it takes others."""
    wanted = require(CropImages, encoder.manifest, "the encoder")
    found = {image.shape for image in images} - {(wanted.crop_px, wanted.crop_px, 3)}
    if found:
        raise DataError(f"crops of {sorted(found)}, {encoder.manifest.name} wants {wanted.crop_px} px; prepare anew")
    return told(images, encoder, wanted, EMBEDDING)


def told(images: Iterable[Image], encoder: Engine, wanted: CropImages, output: str) -> Floats:
    """What `encoder` says of T crops as its `output`, (T, ...), `CHUNK` of them at a time."""
    left = iter(images)
    chunks = iter(lambda: list(islice(left, CHUNK)), [])
    return np.concatenate([encoder.run(wanted.of_images(chunk))[output] for chunk in chunks])


def draw_view(views: Views, rng: np.random.Generator) -> View:
    """Noise and grey, each with its probability; nothing geometric, which would change the intensity."""
    noisy, grey = rng.random(2) < (views.noise_probability, views.grey_probability)
    return View(float(rng.uniform(0.0, views.noise)) * 255 * bool(noisy), bool(grey))


def apply_view(image: Image, view: View, rng: np.random.Generator) -> Image:
    """`image` uint8 (S, S, 3) with the colour and the noise of `view`."""
    if view.grey:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2).astype(np.uint8)
    if view.noise > 0:
        noise = np.float32(view.noise) * rng.standard_normal(image.shape, dtype=np.float32)
        image = np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)
    return image


def _key(clip: ClipCrops, encoder: Engine, views: Views) -> str:
    """Changes with everything that shapes the embeddings."""
    pixels = hashlib.sha256(b"".join(crop.tobytes() for crop in clip.crops)).hexdigest()
    made_by = (encoder.manifest.files[MODEL], encoder.manifest.representation, encoder.precision)
    drawn = msgspec.to_builtins(views)
    seed = drawn.pop("seed")
    return digest("embeddings", 1, clip.sample.id, pixels, *made_by, drawn, seed)


def _compute(clip: ClipCrops, encoder: Engine, views: Views) -> Floats:
    """(1 + V, T, width): clean first, then the views."""
    versions = [embed_images(clip.crops, encoder)]
    for number in range(views.count):
        rng = np.random.default_rng(int(digest("view", views.seed, clip.sample.id, number), 16))
        view = draw_view(views, rng)
        versions.append(embed_images([apply_view(crop, view, rng) for crop in clip.crops], encoder))
    return np.stack(versions)
