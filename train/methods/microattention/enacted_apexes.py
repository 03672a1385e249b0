"""The peaks of enacted macro-expressions: FER+ pictures play them, are filmed, and one frame of each clip is kept.

What was made lies in the cache, a file for each picture that plays; a killed run goes on with those that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from realtime import config as realtime_config
from realtime.engine.landmarker import open_landmarker, sight
from realtime.errors import DataError
from realtime.records import Image
from realtime.representation.movement.motion import grey
from train.clips.prepare import save_array
from train.config.clips import Enactment
from train.storage.digest import digest
from train.storage.workers import run
from train.synthesis.enacted import Cast, Clip, Role, Studio

VERSION = 1  # of what is kept


def apexes(cast: Cast, workers: int | None = None) -> list[tuple[Image, str]]:
    """Of every clip of `cast` the grey crop uint8 (S, S) that is nearest to its apex, and what it shows.

    Pictures in which no face is found, or one that is turned, play nothing; DataError if that is so of all.
    """
    folder = cast.cache / f"apexes-{digest(VERSION, *cast.films(), *sight(realtime_config.load()))}"
    paths = {role.id: folder / f"{role.id}-{digest(role.shown, role.plays)}.npy" for role in cast.roles}
    missing = {role.id: (role, paths[role.id]) for role in cast.roles if not paths[role.id].exists()}
    if missing:
        run(partial(_filming, cast.clips), missing, f"apexes of {cast.split}", workers)
    found = [
        (image, label) for role in cast.roles for image, label in zip(np.load(paths[role.id]), role.plays, strict=False)
    ]
    if not found:
        raise DataError(f"no face is found in any of {len(paths)} pictures; give more of them in [clips]")
    return found


@contextmanager
def _filming(clips: Enactment) -> Iterator[Callable[[tuple[Role, Path]], None]]:
    landmarker = open_landmarker(realtime_config.load())
    studio = Studio(clips, landmarker)
    yield lambda task: save_array(task[1], _peaks(list(studio.clips(task[0])), clips.size_px))
    landmarker.close()


def _peaks(clips: list[Clip], size_px: int) -> Image:
    """(N, S, S): none of a picture that plays nothing, one for each of its clips otherwise."""
    found = [grey(clip.crops[int(np.abs(np.array(clip.times) - clip.enacted.span.apex).argmin())]) for clip in clips]
    return np.stack(found) if found else np.zeros((0, size_px, size_px), np.uint8)
