"""FER+ (Barsoum et al. 2016, arXiv 1608.01041): 48x48 grey faces with ten crowd votes each, from `ferplus.npz`.

The votes are github.com/microsoft/FERPlus; the pictures are FER-2013's, which come without a
clear licence, so they are read from a path that the user gives and never shipped. `train.datasets.packing.ferplus`
makes the file and describes it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.labels import FERPLUS
from realtime.records import Floats, Image

SPLITS = ("train", "valid", "test")
TERMS = "FER+ labels: MIT. FER-2013's pictures have no clear licence and are not part of this package."
MADE_BY = (
    "`python -m train pack ferplus --images DIR --votes FILE` (see The two files that recipes need in train/README.md)"
)
_NEEDED = ("webp", "offsets", "votes", "vote_names", "usage", "usage_names")


@dataclass(frozen=True, slots=True, eq=False)
class FerPlus:
    """One split, decoded lazily; `targets` are the vote shares of the eight emotions."""

    offsets: npt.NDArray[np.int64]  #: (N, 2) begin and end of each picture in `packed`
    packed: npt.NDArray[np.uint8]  #: lossless WebP, one after another
    targets: Floats  #: float32 (N, 8), rows sum to 1, order of `labels.FERPLUS`
    agreed: npt.NDArray[np.bool_]  #: (N,) see `majority_agreed`

    def __len__(self) -> int:
        return len(self.targets)

    def image(self, index: int) -> Image:
        """uint8 (48, 48, 3), the grey level repeated."""
        begin, end = self.offsets[index]
        grey = cv2.imdecode(self.packed[begin:end], cv2.IMREAD_GRAYSCALE)
        return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def emotion_shares(votes: npt.NDArray[np.uint8]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Vote shares (N, 8) and which rows count, by the paper's rules (section 3 and its public code).

    A class with a single vote is an outlier and is dropped; a picture whose majority then says
    "unknown" or "not a face" is left out.
    """
    counted = _without_outliers(votes)
    emotions = counted[:, : len(FERPLUS)]
    known = (counted.argmax(1) < len(FERPLUS)) & (emotions.sum(1) > 0)
    return emotions / np.maximum(emotions.sum(1, keepdims=True), 1.0), known


def majority_agreed(votes: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """(N,) where one answer has more than half of the votes that count: what the paper tests on.

    Its public code reads the validation and test splits in the mode "majority", whatever it trains with.
    """
    counted = _without_outliers(votes)
    return np.asarray(counted.max(1) > counted.sum(1) / 2)


def _without_outliers(votes: npt.NDArray[np.uint8]) -> Floats:
    return np.where(votes > 1, votes, 0).astype(np.float32)


def size(path: Path) -> int:
    """Bytes of the file; DataError if it is not there."""
    if not path.is_file():
        raise DataError(f"no file {path}; make it with {MADE_BY} and give its path as `ferplus`")
    return path.stat().st_size


def load(path: Path, split: str) -> FerPlus:
    """Those of `split` (train, valid, test) that show one of the eight emotions; DataError if the file is another."""
    size(path)  # or there is no file
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no .npz file; make it anew with {MADE_BY}")
    with np.load(path, allow_pickle=False) as file:
        missing = [f"no array {name!r}" for name in _NEEDED if name not in file]
        if missing:
            raise DataError(f"{path} is no packed FER+ file; make it with {MADE_BY}", missing)
        if tuple(file["vote_names"][: len(FERPLUS)]) != FERPLUS:
            raise DataError(f"{path}: votes are in the order {list(file['vote_names'])}, wanted {list(FERPLUS)} first")
        wanted = [i for i, name in enumerate(file["usage_names"]) if split in str(name).lower()]
        if not wanted:
            raise DataError(f"{path} has no split {split!r}, wanted one of {list(map(str, file['usage_names']))}")
        shares, known = emotion_shares(file["votes"])
        rows = np.flatnonzero(known & np.isin(file["usage"], wanted))
        offsets = np.stack([file["offsets"][:-1], file["offsets"][1:]], axis=1)
        return FerPlus(offsets[rows], file["webp"], shares[rows], majority_agreed(file["votes"])[rows])
