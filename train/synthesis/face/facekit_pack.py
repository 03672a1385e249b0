"""A checkout of ICT-FaceKit's light model -> `ict_facekit.npz`, which `facekit` reads.

github.com/ICT-VGL/ICT-FaceKit (MIT), folder FaceXModel: a neutral mesh, the same mesh once for each expression and
identity, and vertex_indices.json. Of the 26719 vertices and 26384 polygons all are kept, in the order of the files:

    neutral            float32 (V, 3)        generic_neutral_mesh.obj, centimetres, y up, z out of the face
    expressions        float16 (57, V, 3)    NAME.obj minus neutral, both float32: its displacement at full strength
    expression_names   str (57,)             sorted as ASCII: those of vertex_indices.json, and `BESIDE`
    identities         float16 (100, V, 3)   identityNNN.obj minus neutral: one standard deviation of a component
    identity_names     str (100,)            identity000 to identity099
    quads              int32 (Q, 4)          vertices of each polygon from 0; a triangle repeats its last
    uv                 float32 (T, 2)        texture coordinates
    uv_quads           int32 (Q, 4)          of each polygon's corners, indices of uv
    material           uint8 (Q,)            index into material_names
    material_names     str (12,)             sorted
    landmarks68        int32 (68,)           vertices of the Multi-PIE landmarks: idx_to_landmark_verts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Floats
from train.storage.atomic import writing
from train.storage.listing import first
from train.synthesis.face.wavefront import Mesh, read_mesh, read_vertices

FOLDER, NEUTRAL, TABLE = "FaceXModel", "generic_neutral_mesh.obj", "vertex_indices.json"
SOURCE = "github.com/ICT-VGL/ICT-FaceKit"
BESIDE = ("PupilDilate_L", "PupilDilate_R", "cheekRaiser_L", "cheekRaiser_R")  # meshes that TABLE does not list
LANDMARKS = 68

Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Size:
    """What a model has, so that another version, or half a checkout, is not taken for it."""

    vertices: int
    polygons: int
    identities: int


LIGHT = Size(26_719, 26_384, 100)  # the README of ICT-FaceKit


class _Table(msgspec.Struct):
    expressions: list[str]
    idx_to_landmark_verts: list[int]


def pack(root: Path, target: Path, size: Size = LIGHT) -> dict[str, int]:
    """Write `target`, whole or not at all, and say how much is in it; DataError if the checkout is not complete."""
    arrays = read(root, size)
    with writing(target) as file:
        np.savez_compressed(file, **arrays)
    return {name: len(arrays[name]) for name in ("neutral", "quads", "expressions", "identities")}


def read(root: Path, size: Size = LIGHT) -> Arrays:
    """The arrays of the file from a checkout, or from its folder FaceXModel."""
    folder = root / FOLDER if (root / FOLDER).is_dir() else root
    _present(folder, [NEUTRAL, TABLE])
    table = _table(folder / TABLE)
    expressions = sorted({*table.expressions, *BESIDE})
    identities = [f"identity{number:03}" for number in range(size.identities)]
    _present(folder, [f"{name}.obj" for name in (*expressions, *identities)])
    neutral = read_mesh(folder / NEUTRAL)
    _check(folder, neutral, table, size)
    moved = _displacements(folder, [*expressions, *identities], neutral.vertices)
    return {
        "neutral": neutral.vertices,
        "expressions": moved[: len(expressions)],
        "expression_names": np.array(expressions),
        "identities": moved[len(expressions) :],
        "identity_names": np.array(identities),
        "quads": neutral.quads,
        "uv": neutral.uv,
        "uv_quads": neutral.uv_quads,
        **_materials(neutral),
        "landmarks68": np.array(table.idx_to_landmark_verts, np.int32),
    }


def _present(folder: Path, names: Sequence[str]) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} files of the light model are not in {folder}; give a checkout of {SOURCE} with --root",
            first([f"no {name}" for name in missing]),
        )


def _table(path: Path) -> _Table:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Table)
    except msgspec.DecodeError as error:
        raise DataError(f"{path} cannot be read: {error}; wanted that of {SOURCE}: fetch it anew") from None


def _check(folder: Path, neutral: Mesh, table: _Table, size: Size) -> None:
    found = (len(neutral.vertices), len(neutral.quads))
    if found != (size.vertices, size.polygons):
        raise DataError(
            f"{folder / NEUTRAL} has {found[0]} vertices and {found[1]} polygons, wanted {size.vertices} and "
            f"{size.polygons}: it is another model, or cut off; fetch that of {SOURCE}"
        )
    if "" in neutral.materials:
        raise DataError(f"{folder / NEUTRAL} has polygons before its first usemtl; fetch that of {SOURCE}")
    landmarks = table.idx_to_landmark_verts
    if len(landmarks) != LANDMARKS or not all(0 <= vertex < size.vertices for vertex in landmarks):
        raise DataError(
            f"{folder / TABLE} has {len(landmarks)} idx_to_landmark_verts, wanted {LANDMARKS} below {size.vertices}; "
            f"fetch that of {SOURCE}"
        )


def _displacements(folder: Path, names: Sequence[str], neutral: Floats) -> npt.NDArray[np.float16]:
    """(len(names), V, 3) cm; float32 is subtracted from float32 and then rounded, as the shipped engines saw it."""
    moved = np.zeros((len(names), *neutral.shape), np.float16)
    problems = []
    for row, name in enumerate(names):
        vertices = read_vertices(folder / f"{name}.obj")
        if vertices.shape == neutral.shape:
            moved[row] = vertices - neutral
        else:
            problems.append(f"{name}.obj has {len(vertices)} vertices")
    if problems:
        wanted = f"wanted {len(neutral)}, as {NEUTRAL} has; fetch them anew"
        raise DataError(
            f"{len(problems)} meshes in {folder} are not of the neutral one's shape, {wanted}", first(problems)
        )
    return moved


def _materials(mesh: Mesh) -> Arrays:
    names = sorted(set(mesh.materials))
    index = {name: number for number, name in enumerate(names)}
    return {
        "material": np.array([index[name] for name in mesh.materials], np.uint8),
        "material_names": np.array(names),
    }
