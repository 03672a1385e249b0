"""How far the faces of stored clips moved between two moments, as serving sees an event: see `ApexField`.

Of each clip its event as it is annotated; the same as the detector might cut it; and any two moments at all, which show
faces at rest, blinks, speech, turns, and movements that are half over. What moved between them only a generator knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.records import Floats, Times
from realtime.representation.apex_field import ApexField, apex_field
from realtime.representation.movement.motion import Flow, layout
from train.clips.stored import StoredClip
from train.storage.digest import digest
from train.storage.parts import made_once
from train.storage.workers import Work, run

VERSION = 1
EVENT, CUT, ANY = 0, 1, 2  #: what a pair of moments is
SHORTEST_S = 0.06  #: between two moments: hardly anything moves in less


@dataclass(frozen=True, slots=True)
class PairsAsked:
    """How many pairs of moments of each clip are looked at, beside its event."""

    cuts: int
    any: int
    jitter_s: float  #: by so much at most the moments of a cut differ from the event's


@dataclass(frozen=True, slots=True, eq=False)
class ApexFields:
    """N fields, of several for each clip; the moments are those of the frames that were looked at."""

    fields: npt.NDArray[np.float16]  #: (N, 2, FIELD_PX, FIELD_PX), outer eye distances
    begins: Times  #: (N,)
    ends: Times  #: (N,)
    kinds: npt.NDArray[np.int64]  #: (N,) EVENT, CUT or ANY
    clips: npt.NDArray[np.int64]  #: (N,) which of the clips


def apex_fields(
    clips: Sequence[StoredClip], made: ApexField, shown: PairsAsked, cache: Path, workers: int | None = None
) -> ApexFields:
    """Of all `clips`; they are made once and kept in `cache`."""
    path = cache / f"apex-fields-{digest(VERSION, made, shown, [clip.path.name for clip in clips])}.npz"
    tasks = {clip.case.id: (number, clip) for number, clip in enumerate(clips)}
    return made_once(path, ApexFields, lambda: run(partial(_looking, made, shown), tasks, "apex fields", workers))


@contextmanager
def _looking(made: ApexField, shown: PairsAsked) -> Iterator[Work[tuple[int, StoredClip], ApexFields]]:
    flow, place = Flow(), layout(made.crop_px)

    def work(task: tuple[int, StoredClip]) -> ApexFields:
        number, clip = task
        times, crops = clip.times(), clip.crops()
        fields, begins, ends, kinds = list[Floats](), list[float](), list[float](), list[int]()
        for kind, begin, end in _moments(clip, times, shown):
            first = min(int(np.searchsorted(times, begin)), len(times) - 2)
            seen = slice(first, None)
            fields.append(apex_field(times[seen], crops[seen], end, made.around_s, flow, place))
            begins.append(times[first])
            ends.append(times[np.abs(times - end).argmin()])
            kinds.append(kind)
        count = len(fields)
        stacked = np.stack(fields).astype(np.float16)
        return ApexFields(stacked, np.array(begins), np.array(ends), np.array(kinds), np.full(count, number))

    yield work


def _moments(clip: StoredClip, times: Times, shown: PairsAsked) -> Iterator[tuple[int, float, float]]:
    """Kinds and pairs of moments; drawn from the clip's own name, so that no other clip changes them."""
    sample = clip.sample
    yield EVENT, sample.onset_s, sample.apex_s
    rng = np.random.default_rng(int(digest("apex-fields", clip.case.id), 16) % 2**63)
    for _ in range(shown.cuts):
        early, late = rng.uniform(-shown.jitter_s, shown.jitter_s, 2)
        yield CUT, sample.onset_s + early, max(sample.apex_s + late, sample.onset_s + early + SHORTEST_S)
    for _ in range(shown.any):
        begin, end = np.sort(rng.uniform(times[0], times[-1], 2))
        if end - begin >= SHORTEST_S:
            yield ANY, float(begin), float(end)
