"""Wavefront OBJ, as much of it as a face model needs: vertices, texture coordinates, polygons and their materials.

    v x y z        vt u v        usemtl NAME        f 1/1 2/2 3/3 4/4      (numbered from 1, three or four corners)

Normals, groups, names of objects and comments are passed over. Numbers are read as float32.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime.errors import DataError
from realtime.records import Floats

CORNERS = (3, 4)

Statement = tuple[int, Sequence[str]]  # number of the line, counted from 1, and what stands in it


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Polygons in the order of the file; a triangle repeats its last corner."""

    vertices: Floats  #: (V, 3)
    uv: Floats  #: (T, 2)
    quads: npt.NDArray[np.int32]  #: (Q, 4) indices of vertices, from 0
    uv_quads: npt.NDArray[np.int32]  #: (Q, 4) indices of uv, from 0
    materials: tuple[str, ...]  #: of each polygon, "" before the first usemtl


def read_vertices(path: Path) -> Floats:
    """(V, 3) of a mesh whose polygons are known already; DataError names the line that is wrong."""
    return _numbers(path, (each for each in _statements(path) if each[1][0] == "v"), 3)


def read_mesh(path: Path) -> Mesh:
    """All of it; DataError names the line that is wrong."""
    lines = list(_statements(path))
    vertices = _numbers(path, (each for each in lines if each[1][0] == "v"), 3)
    uv = _numbers(path, (each for each in lines if each[1][0] == "vt"), 2)
    corners, materials, material = [], [], ""
    for number, cells in lines:
        if cells[0] == "usemtl":
            material = " ".join(cells[1:])
        elif cells[0] == "f":
            corners.append(_corners(path, number, cells[1:], (len(vertices), len(uv))))
            materials.append(material)
    indices = np.array(corners, np.int32).reshape(-1, 4, 2)
    quads, uv_quads = (np.ascontiguousarray(indices[:, :, part]) for part in (0, 1))
    return Mesh(vertices, uv, quads, uv_quads, tuple(materials))


def _statements(path: Path) -> Iterator[Statement]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}; wanted a Wavefront OBJ: fetch it anew") from None
    for number, line in enumerate(text.splitlines(), 1):
        if cells := line.split():
            yield number, cells


def _numbers(path: Path, lines: Iterable[Statement], count: int) -> Floats:
    """(N, count) of the lines; a fourth number of a vertex, its weight, is none that the format is used for here."""
    rows = []
    for number, cells in lines:
        try:
            rows.append([float(cell) for cell in cells[1:]])
        except ValueError:
            raise _wrong(path, number, cells, f"{count} numbers") from None
        if len(rows[-1]) != count or not np.isfinite(rows[-1]).all():
            raise _wrong(path, number, cells, f"{count} numbers")
    return np.array(rows, np.float32).reshape(-1, count)


def _corners(path: Path, number: int, cells: Sequence[str], counts: tuple[int, int]) -> list[tuple[int, int]]:
    """Four pairs (vertex, texture coordinate), counted from 0."""
    wanted = f"three or four corners as 12/34, of {counts[0]} vertices and {counts[1]} texture coordinates"
    try:
        found = [tuple(int(part) - 1 for part in cell.split("/")[:2]) for cell in cells]
    except ValueError:
        raise _wrong(path, number, ["f", *cells], wanted) from None
    pairs = [(corner[0], corner[1]) for corner in found if len(corner) == len(counts)]
    inside = all(0 <= vertex < counts[0] and 0 <= uv < counts[1] for vertex, uv in pairs)
    if len(pairs) != len(cells) or len(cells) not in CORNERS or not inside:
        raise _wrong(path, number, ["f", *cells], wanted)
    return [*pairs, pairs[-1]] if len(pairs) < max(CORNERS) else pairs


def _wrong(path: Path, number: int, cells: Sequence[str], wanted: str) -> DataError:
    line = " ".join(cells)
    return DataError(f"{path} line {number}: {line[:60]!r}, wanted {wanted}; it is damaged: fetch it anew")
