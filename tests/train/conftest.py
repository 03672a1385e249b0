"""Fabricated trees of licensed data sets: tiny pictures under the names that users have on disk, and their tables."""

from pathlib import Path

import cv2
import numpy as np
import pytest

ANNOTATIONS = Path(__file__).resolve().parents[2] / "../shared/annotations"


@pytest.fixture(scope="session")
def annotations():
    """A real annotation table by its name; skips where the shared material is not at hand."""

    def path(name):
        if not (ANNOTATIONS / name).exists():
            pytest.skip(f"no {name}: the shared annotation tables are not beside the repository")
        return ANNOTATIONS / name

    return path


@pytest.fixture(scope="session")
def draw():
    """A picture (6, 8, 3), RGB, whose reds are much brighter than its blues; its green is the number that it shows."""

    def picture(number=0):
        noise = np.random.default_rng(number).integers(0, 8, (6, 8, 3))
        return (noise + (200, number % 200, 20)).astype(np.uint8)

    return picture


@pytest.fixture
def pictures(tmp_path, draw):
    """Write pictures into a folder below the root: `pictures("sub01/EP01", range(46, 87), "img{}.png")`."""

    def write(folder, numbers, name="img{}.png"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            bgr = cv2.cvtColor(draw(number), cv2.COLOR_RGB2BGR)
            assert cv2.imwrite(str(tmp_path / folder / name.format(number)), bgr)
        return tmp_path / folder

    return write


@pytest.fixture
def spreadsheet(tmp_path):
    """Write an .xlsx: `spreadsheet("table.xlsx", rows)`, or `Name=rows` for several sheets."""
    openpyxl = pytest.importorskip("openpyxl", reason="reading tables needs the train extra")

    def write(name, rows=(), **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, content in (sheets or {"Sheet1": rows}).items():
            sheet = book.create_sheet(title.replace("_naming_", "naming "))
            for row in content:
                sheet.append(list(row))
        book.save(tmp_path / name)
        return tmp_path / name

    return write
