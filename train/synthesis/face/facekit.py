"""The 3-D head: ICT-FaceKit light (Li et al. 2020, "Learning Formation of Physically-Based Face Attributes").

head = neutral + sum(c_i identity_i) + sum(a_k expression_k), c_i of unit variance, a_k in [0, 1]; centimetres.
Here in the axes of a picture: x to its right (the person's left), y down, z away from the camera. `facekit_pack`
makes the file and describes it.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Floats

Indices = npt.NDArray[np.int32]

AXES = np.array([1.0, -1.0, -1.0], np.float32)  # the model's y points up, its z out of the face
SKIN = 9409  # vertices of the face's skin; those of head and neck follow up to HEAD
HEAD = 11248
MADE_BY = "`python -m train pack facekit --root DIR` (see The two files that recipes need in train/README.md)"
PARTS = ("neutral", "expressions", "expression_names", "identities", "quads", "material", "landmarks68")


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The model's arrays, read once and shared; nobody writes to them."""

    neutral: Floats  #: (V, 3) cm
    shapes: dict[str, Floats]  #: expression -> displacement (V, 3) at full strength
    identities: Floats  #: (100, V, 3)
    quads: Indices  #: (Q, 4); a triangle repeats its last index
    material: npt.NDArray[np.uint8]  #: (Q,) index into `materials`
    materials: tuple[str, ...]
    landmarks: Indices  #: (68,) vertices of the Multi-PIE landmarks

    def shaped(self, identity: Floats) -> Floats:
        """The resting head (V, 3) of a person with coefficients (100,)."""
        return np.asarray(self.neutral + np.tensordot(identity, self.identities, 1), np.float32)


def load(path: str) -> Head:
    """The model in `path`; a DataError says where it is had, if it is not there."""
    found = Path(path)
    if not found.is_file():
        raise DataError(
            f"no 3-D head at {path}; make ict_facekit.npz of a checkout of github.com/ICT-VGL/ICT-FaceKit with "
            f"{MADE_BY}, and give its path as [clips] head"
        )
    return _read(str(found.resolve()))


@lru_cache(maxsize=1)
def _read(path: str) -> Head:
    try:
        with np.load(path) as packed:
            missing = [f"no {name}" for name in PARTS if name not in packed]
            if missing:
                raise DataError(f"{path} is not the packed ICT-FaceKit; make it anew with {MADE_BY}", missing)
            names = [str(name) for name in packed["expression_names"]]
            moved = packed["expressions"].astype(np.float32) * AXES
            return Head(
                packed["neutral"] * AXES,
                dict(zip(names, moved, strict=True)),
                packed["identities"].astype(np.float32) * AXES,
                packed["quads"],
                packed["material"],
                tuple(map(str, packed["material_names"])),
                packed["landmarks68"],
            )
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}; wanted ict_facekit.npz: make it anew with {MADE_BY}"
        ) from None
