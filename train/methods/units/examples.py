"""What a read-out is shown: fields as live flow measures them, and exact ones upon what else moves; with what moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Floats
from realtime.representation.apex_field import ApexField
from realtime.representation.movement.fields import on_face
from train.clips.movement.apex_fields import ANY, apex_fields
from train.clips.movement.mixtures import Mixtures
from train.clips.stored import StoredClip
from train.methods.units.config import MixturesShown, UnitsConfig
from train.sources.source import ClipSource

MIXED = 3  #: kind of an exact mixture upon a field of nothing but all else, beside those of `apex_fields`


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """N fields, and what moved in each."""

    fields: Floats  #: float32 (N, 2, S, S), eye distances
    amounts: Floats  #: float32 (N, K) of `channels.NAMES`; less than 0 where something went back
    kinds: npt.NDArray[np.int64]  #: (N,) of `apex_fields`, or MIXED
    people: npt.NDArray[np.str_]  #: (N,)

    def __len__(self) -> int:
        return len(self.people)

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Examples:
        """Those that are chosen (N,)."""
        return Examples(*(getattr(self, field.name)[chosen] for field in fields(self)))


def examples(
    config: UnitsConfig, made: ApexField, source: ClipSource, clips: Sequence[StoredClip], workers: int | None
) -> Examples:
    """Measured pairs of moments of `clips`, and exact mixtures of their people; DataError where nobody knows any."""
    mixed = source.mixtures(config.mixtures.each, workers)
    if mixed is None:
        raise DataError("action units are learned from a source that knows them: give configs/data/synthetic.toml")
    measured = _measured(config, made, source, clips, workers)
    return joined(measured, upon(mixed, measured, config.mixtures, config.seed))


def _measured(
    config: UnitsConfig, made: ApexField, source: ClipSource, clips: Sequence[StoredClip], workers: int | None
) -> Examples:
    if not clips:
        raise DataError("no clip shows a face from onset to apex; give more people, or a larger calibration")
    found = apex_fields(clips, made, config.shown.pairs, Path(config.cache), workers)
    amounts = []
    for number, *moments in zip(found.clips.tolist(), found.begins, found.ends, strict=True):
        begin, end = _known(source.amounts(clips[number], np.array(moments)))
        amounts.append(end - begin)
    people = np.array([clips[number].case.subject for number in found.clips])
    return Examples(found.fields.astype(np.float32), np.stack(amounts), found.kinds, people)


def _known(amounts: Floats | None) -> Floats:
    if amounts is None:
        raise DataError("nobody knows what moved in these clips: give a source that is made, such as synthetic.toml")
    return amounts


def upon(mixed: Mixtures, measured: Examples, shown: MixturesShown, seed: int) -> Examples:
    """Mixtures of the same people, as much of each as flow finds, upon fields between any two moments of any of them.

    So they have the noise, the turns and the blinks of real flow; what moved in those fields counts as well.
    """
    rng = np.random.default_rng(seed)
    known = np.flatnonzero(np.isin(mixed.people, np.unique(measured.people)))
    under = measured.rows(measured.kinds == ANY)
    drawn = rng.integers(len(under), size=len(known))
    found = shown.found * np.exp(shown.uneven * rng.standard_normal(len(known)))
    moved = on_face(mixed.fields[known].astype(np.float32)) * found[:, None, None, None]
    return Examples(
        np.asarray(moved + under.fields[drawn], np.float32),
        np.asarray(mixed.amounts[known].astype(np.float32) + under.amounts[drawn], np.float32),
        np.full(len(known), MIXED),
        mixed.people[known],
    )


def joined(*some: Examples) -> Examples:
    """All of them in one."""
    return Examples(*(np.concatenate([getattr(each, field.name) for each in some]) for field in fields(Examples)))
