"""FER-2013's pictures and the FER+ votes, as users have them -> `ferplus.npz`, which `ferplus` reads.

    webp           uint8 (B,)      every picture's grey levels as lossless WebP, one after another
    offsets        int64 (N + 1,)  picture i is webp[offsets[i] : offsets[i + 1]]
    votes          uint8 (N, 10)   of ten voters, in the order of vote_names
    usage          uint8 (N,)      index into usage_names
    names          str (N,)        of the pictures, without their suffix; rising within a split
    usage_names    str (3,)        train, valid, test: FER-2013's Training, PublicTest, PrivateTest
    vote_names     str (10,)       `labels.FERPLUS`, unknown, NF

Which votes, and which pictures are left out, says `ferplus_votes`; of the official files 35709 remain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import DataError
from realtime.records import Image
from train.datasets.annotation.recorded import read_picture
from train.datasets.annotation.tree import Tree
from train.datasets.corpora.ferplus_images import BASES, VOTES, faceless, locate
from train.datasets.ferplus import SPLITS
from train.datasets.packing import pixels as ferplus_pixels
from train.datasets.packing import votes as ferplus_votes
from train.datasets.packing.pixels import SIDE_PX
from train.datasets.packing.votes import Key, Votes
from train.storage.atomic import writing
from train.storage.listing import first

LOSSLESS = (cv2.IMWRITE_WEBP_QUALITY, 101)  # OpenCV's sign for it: qualities end at 100

Pictures = Iterable[tuple[Key, Callable[[], Image]]]  # read when asked for; of one key, the last counts


@dataclass(frozen=True, slots=True)
class Packed:
    """What became of the rows."""

    pictures: Mapping[str, int]  #: split -> so many
    left_out: tuple[str, ...]  #: names whose votes may be another picture's


def pack(images: Path, votes: Path, target: Path) -> Packed:
    """Write `target`, whole or not at all; DataError lists what is missing or wrong.

    `images` is a folder as `ferplus_images` reads it, or FER-2013's CSV, `votes` what `ferplus_votes` reads.
    """
    if not images.exists():
        raise DataError(f"no {images}; give the folder that FER-2013 was unpacked to, or its CSV, with --images")
    ballots, left_out = ferplus_votes.read(votes)
    coded = _coded(_of_table(images, votes) if images.is_file() else _of_tree(images, ballots), ballots)
    _write(target, ballots, coded)
    counts = {split: sum(key.usage == usage for key in ballots) for usage, split in enumerate(SPLITS)}
    return Packed(counts, left_out)


def _of_tree(root: Path, keys: Iterable[Key]) -> Pictures:
    """All are looked for before the first is read."""
    tree, found, problems = Tree(root, *BASES), [], []
    for key in keys:
        try:
            found.append((key, partial(_grey, locate(tree, SPLITS[key.usage], key.name))))
        except DataError as error:  # noqa: PERF203  one that is missing must not hide the next
            problems.append(str(error))
    _refuse(problems, f"pictures with votes are not in {root}")
    return found


def _grey(path: Path) -> Image:
    """uint8 (48, 48)."""
    image = read_picture(path)
    if image.shape != (SIDE_PX, SIDE_PX, 3):
        raise DataError(f"{path} is {image.shape[1]} x {image.shape[0]} pixels")
    if (image != image[:, :, :1]).any():
        raise DataError(f"{path} is coloured")
    return np.ascontiguousarray(image[:, :, 0])


def _of_table(table: Path, votes: Path) -> Iterator[tuple[Key, Callable[[], Image]]]:
    """The n-th picture has the n-th name; DataError where the tables do not go together."""
    names, rows = ferplus_votes.named_rows(votes)
    for row, pixels in zip_longest(rows, ferplus_pixels.read(table)):
        if row is None or pixels is None:
            longer = table if row is None else names
            raise DataError(f"{table} and {names} go together row for row, but {longer} has more; fetch both anew")
        if row["usage"] != pixels.usage:
            raise DataError(
                f"{row.where} is {row['usage']}, but {pixels.where} is {pixels.usage!r}: they go together row for row; "
                "give FER-2013's table in its own order"
            )
        if not faceless(row):
            yield ferplus_votes.key(row), pixels.image


def _coded(pictures: Pictures, wanted: Mapping[Key, Votes]) -> dict[Key, bytes]:
    """Lossless WebP of every picture that is wanted."""
    coded, problems = {}, []
    for key, read in pictures:
        try:
            if key in wanted:
                coded[key] = cv2.imencode(".webp", read(), LOSSLESS)[1].tobytes()
        except DataError as error:  # noqa: PERF203  as above
            problems.append(str(error))
    _refuse(problems, f"pictures are not FER-2013's, wanted {SIDE_PX} x {SIDE_PX} grey pixels; unpack it anew")
    nameless = [key.name for key in wanted if key not in coded]
    _refuse(nameless, "names with votes are not in the table that names the pictures; fetch both anew")
    return coded


def _write(target: Path, ballots: Mapping[Key, Votes], coded: Mapping[Key, bytes]) -> None:
    keys = sorted(ballots)
    with writing(target) as file:
        np.savez(
            file,
            webp=np.frombuffer(b"".join(coded[key] for key in keys), np.uint8),
            offsets=np.cumsum([0, *(len(coded[key]) for key in keys)], dtype=np.int64),
            votes=np.array([ballots[key] for key in keys], np.uint8),
            usage=np.array([key.usage for key in keys], np.uint8),
            names=np.array([Path(key.name).stem for key in keys]),
            usage_names=np.array(SPLITS),
            vote_names=np.array(VOTES),
        )


def _refuse(problems: list[str], what: str) -> None:
    if problems:
        raise DataError(f"{len(problems)} {what}", first(problems))
