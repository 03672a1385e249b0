"""A data set that lies on disk as CASME II does, made of nobody's micro-expressions: to try the whole path without one.

    python -m train fabricate --root data/CASME2

The movements are `train.synthesis.synthetic`'s, at CASME II's 200 frames a second; the coding sheet has its columns,
and its labels by the action units that were played. All five classes come in turn, so that none is too rare to be
learned and tested: of 20 clips or more of 3 people or more each has at least 4, of at least 3 people. What a network
learns of them says nothing of CASME II, and the tree is marked so that nobody is told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import cv2
import msgspec
from tqdm import tqdm

from realtime.errors import DataError
from realtime.labels import VOCABULARIES
from realtime.records import Frame
from train.config.clips import AT_REST, Clips, FilmCameras
from train.datasets.annotation.sample import Sample
from train.datasets.annotation.table import write_table
from train.datasets.corpora.casme2 import RATE_HZ
from train.datasets.made_up import mark
from train.synthesis.synthetic import Synthetic

SECONDS = 1.0
UNUSED = 0.5  # the tree's reader decides who is held out
SHEET = "CASME2-coding-20140508.xlsx"
HEAD = ("Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion")
#: The first one that was played decides (table 4 of Yan et al. 2014, which no negative movement can follow wholly).
EMOTION_OF = {1: "surprise", 12: "happiness", 9: "disgust", 10: "disgust", 4: "others"}
EMOTION_OF |= {5: "surprise", 15: "repression", 17: "repression"}
LABELS = VOCABULARIES["casme2-5"]


def fabricate(root: Path, head: str, ferplus: str, people: int, per_person: int, seed: int) -> Path:
    """Write `people` x `per_person` clips and their coding sheet below `root`, which must be empty or new; the sheet.

    `head` is the path of ict_facekit.npz, `ferplus` that of ferplus.npz, whose neutral faces it moves.
    DataError if `root` holds anything.
    """
    if root.exists() and any(root.iterdir()):
        raise DataError(f"{root} is not empty; name a new folder, so that no recording is overwritten")
    clips = Synthetic(_settings(head, ferplus, people, per_person, seed))
    rows = []
    for number, sample in enumerate(tqdm(chosen(clips, per_person), "clips")):
        person, take = number // per_person + 1, number % per_person + 1
        name = f"EP{take:02d}_{person:02d}"
        _write(clips.frames(sample), root / "CASME2_RAW_selected" / f"sub{person:02d}" / name)
        rows.append((f"{person:02d}", name, *_moments(sample), _units(sample), emotion(sample)))
    write_table(root / SHEET, [HEAD, *rows])
    mark(root)
    return root / SHEET


def chosen(clips: Synthetic, per_person: int) -> list[Sample]:
    """Of every person so many clips, which show the classes in turn: of each the next takes that show what is wanted.

    No picture is made of those that are passed over.
    """
    found = []
    for number, person in enumerate(clips.people):
        wanted = [LABELS[(number * per_person + place) % len(LABELS)] for place in range(per_person)]
        takes = {label: _showing(clips, person, label) for label in set(wanted)}
        found += [next(takes[label]) for label in wanted]
    return found


def _showing(clips: Synthetic, person: str, label: str) -> Iterator[Sample]:
    """The takes of `person` that a coder would call `label`, without an end: all classes come again and again."""
    samples = (clips.sample(person, take) for take in count())
    return (sample for sample in samples if emotion(sample) == label)


def _settings(head: str, ferplus: str, people: int, per_person: int, seed: int) -> Clips:
    return Clips(
        seed=seed,
        head=head,
        ferplus=ferplus,
        portraits=(),
        rendered=0.0,
        people=people,
        per_person=per_person,
        held_out=UNUSED,
        calibration=UNUSED,
        none=0.0,
        intensities=("A", "B", "C"),
        framing="camera",
        size_px=288,
        seconds=SECONDS,
        distractors=msgspec.structs.replace(AT_REST, blink=10.0, gaze=6.0, flicker=0.01, sway_deg=3.0),
        film=FilmCameras(rates_hz=(RATE_HZ,), shutter=(0.5, 1.0), noise=3.0, quality=100),
    )


def emotion(sample: Sample) -> str:
    """The label that a coder of CASME II might have given."""
    played = {unit.number for unit in sample.action_units}
    return next((label for unit, label in EMOTION_OF.items() if unit in played), "others")


def _units(sample: Sample) -> str:
    return "+".join(f"{unit.side}{unit.number}" for unit in sample.action_units)


def _moments(sample: Sample) -> tuple[int, int, int]:
    """Numbers of the pictures, from 1."""
    onset, apex, offset = (round(t * RATE_HZ) + 1 for t in (sample.onset_s, sample.apex_s, sample.offset_s))
    return onset, apex, offset


def _write(frames: list[Frame], folder: Path) -> None:
    folder.mkdir(parents=True)
    for frame in frames:
        cv2.imwrite(str(folder / f"img{frame.index + 1}.jpg"), cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
