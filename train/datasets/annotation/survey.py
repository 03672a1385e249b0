"""What a data set on disk holds: clips, people, rates, counts a class beside those that are published, problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from train.datasets.annotation.labels import LABEL_SETS
from train.datasets.annotation.sample import Sample


@dataclass(frozen=True, slots=True)
class DatasetSurvey:
    """A data set under a label set."""

    dataset: str
    label_set: str  #: "" for the labels as they stand
    labels: tuple[str, ...]
    clips: tuple[Sample, ...]  #: that count
    left_out: int  #: clips that could be read and count in no class
    corrections: tuple[str, ...]  #: of cells that are known to be wrong
    problems: tuple[str, ...]

    @property
    def rates(self) -> dict[float, int]:
        """Frames a second -> clips."""
        found = Counter(clip.recording.fps for clip in self.clips if clip.recording)
        return dict(sorted(found.items()))

    @property
    def counts(self) -> dict[str, int]:
        """Class -> clips, in the order of the classes."""
        found = Counter(clip.label for clip in self.clips)
        return {label: found[label] for label in self.labels}

    @property
    def expected(self) -> Mapping[str, tuple[int, ...]]:
        """Class -> what releases and papers count, where that is known."""
        return LABEL_SETS[self.label_set].expected.get(self.dataset, {}) if self.label_set else {}

    @property
    def estimated(self) -> dict[str, int]:
        """Moment -> clips in which no coder gave it."""
        return dict(Counter(moment for clip in self.clips for moment in clip.estimated))

    @property
    def subjects(self) -> int:
        """People in the clips that count."""
        return len({clip.subject for clip in self.clips})

    def summary(self) -> dict[str, object]:
        """For programs."""
        return {
            "dataset": self.dataset,
            "labels": self.label_set,
            "clips": len(self.clips),
            "subjects": self.subjects,
            "left_out": self.left_out,
            "frame_rates": {f"{fps:g}": clips for fps, clips in self.rates.items()},
            "counts": self.counts,
            "expected": self.expected,
            "estimated": self.estimated,
            "corrections": self.corrections,
            "problems": self.problems,
        }

    def lines(self) -> list[str]:
        """For people, problems last."""
        rates = ", ".join(f"{fps:g} Hz ({clips} clips)" for fps, clips in self.rates.items())
        return [
            f"{'data set':<24} {self.dataset}, labels {self.label_set or 'as they stand'}",
            f"{'clips':<24} {len(self.clips)}, and {self.left_out} that count in no class",
            f"{'subjects':<24} {self.subjects}",
            f"{'frame rates':<24} {rates or 'none'}",
            *(f"  {label:<22} {clips}{self._published(label)}" for label, clips in self.counts.items()),
            *(f"{moment + ' estimated':<24} {clips}" for moment, clips in self.estimated.items()),
            *(f"corrected: {each}" for each in self.corrections),
            f"{'problems':<24} {len(self.problems)}",
            *(f"  - {problem}" for problem in self.problems),
        ]

    def _published(self, label: str) -> str:
        known = self.expected.get(label, ())
        return f" (published: {' or '.join(map(str, known))})" if known else ""
