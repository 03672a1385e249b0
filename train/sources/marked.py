"""Real people beside those of a source that nobody recorded: the marked clips that may train."""

from __future__ import annotations

from itertools import product
from pathlib import Path

from train.clips.marked import MarkedFace, marked_faces
from train.config.marked import MarkedSettings
from train.datasets.marked.marks import MarkedClip, read
from train.datasets.marked.playing import Playing


def faces(settings: MarkedSettings, cache: Path, workers: int | None = None) -> list[MarkedFace]:
    """How the faces of people for choosing move, at every speed and strength that is asked for; none without a folder.

    Those of people for testing are not even read.
    """
    ways = [Playing(*way) for way in product(settings.speeds, settings.strengths)]
    return marked_faces(_clips(settings), ways, cache, workers)


def key(settings: MarkedSettings) -> object:
    """What changes with all that they show."""
    return [(clip.sha256, clip.marks) for clip in _clips(settings)], settings.speeds, settings.strengths


def _clips(settings: MarkedSettings) -> list[MarkedClip]:
    if not settings.clips:
        return []
    return [clip for clip in read(Path(settings.clips)) if clip.people == "choosing"]
