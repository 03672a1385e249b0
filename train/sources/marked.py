"""Real people beside those of a source that nobody recorded: the marked clips that may train."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from train.clips.marked import MarkedFace, marked_faces
from train.config.marked import MarkedSettings
from train.datasets.marked.marks import FOLDER, among, read
from train.datasets.marked.playing import Playing


def faces(settings: MarkedSettings, cache: Path, workers: int | None = None) -> list[MarkedFace]:
    """How the faces of people for choosing move, at every speed and strength that is asked for; none without a folder.

    Clips of people for testing are not even looked at.
    """
    if not settings.clips:
        return []
    ways = [Playing(*way) for way in product(settings.speeds, settings.strengths)]
    clips = among(read(Path(settings.clips), people="choosing"), without=settings.without)
    return marked_faces(clips, ways, cache, workers)


def key(settings: MarkedSettings) -> object:
    """What changes with all that the tables say of them; the clips are asked for only where they are shown."""
    if not settings.clips:
        return ()
    tables = [(FOLDER / name).read_text("utf-8") for name in ("clips.csv", "marks.csv")]
    without = (sorted(settings.without),) if settings.without else ()
    return (tables, *without, settings.speeds, settings.strengths)
