"""What rendered heads are worth to `motion` beside warped pictures: trained on either or both, tested on real pictures.

Run by hand: python tests/benchmarks/bench_rendered.py [seeds] [people]. That many heads are rendered, and of warped
pictures as many clips are learned from; tested are the held-out people of configs/data/synthetic.toml, whom no row has
seen. Movements that are known exactly are left out, since they are of warped pictures alone.
"""

import logging
import os
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.config import ROOT
from train import registry
from train.config.recipe import changed
from train.sources.synthetic import SyntheticSource
from train.storage.digest import digest

FIGURES = ("final_uf1", "early_uf1", "kept", "rejected_rest", "rejected_none")
FILES = [ROOT / "configs/methods/motion.toml", ROOT / "configs/data/synthetic.toml"]


@dataclass(frozen=True)
class Others:
    """Implements `ClipSource`: other clips to learn from, and the calibrating and tested people of `warped`."""

    warped: SyntheticSource
    name: str
    clips: tuple

    vocabulary = property(lambda self: self.warped.vocabulary)
    provenance = property(lambda self: self.warped.provenance)

    def key(self):
        return digest(self.warped.key(), self.name, [str(clip.path) for clip in self.clips])

    def folds(self):
        return self.warped.folds()

    def whole(self):
        return self.warped.whole()

    def split(self, fold):
        return replace(self.warped.split(fold), train=(self.clips,))

    def marked(self, workers=None):
        """Nobody: what is compared are faces that are made."""
        return ()

    def exact(self, people, each, workers=None):
        """None: see above."""


def experiment(**clips):
    """`motion` beside synthetic clips, with these keys of their [clips]."""
    changes = [f"clips.{key}={value}" for key, value in clips.items()]
    return registry.experiment(registry.load(FILES, ["exact.share=0.0", *changes]))


def kinds(people):
    """What is learned from -> the experiment; equally many clips of each kind."""
    warped, heads = experiment(), experiment(rendered=1.0, people=people)
    known, found = (each.source.split(each.source.whole()) for each in (warped, heads))
    pictures, drawn = known.train[0], [*found.train[0], *found.calibration, *found.test[0]]
    count, half = len(drawn), len(drawn) // 2
    chosen = {
        "warped pictures": pictures[:count],
        "rendered heads": drawn,
        "half of each": [*pictures[:half], *drawn[: count - half]],
        "both": [*pictures[:count], *drawn],
    }
    print(f"{count} clips of each kind to learn from, {len(known.test[0])} to test on")
    return {name: replace(warped, source=Others(warped.source, name, tuple(clips))) for name, clips in chosen.items()}


def scores(asked, seed):
    """What is known of a network of this seed; the clips are those of `asked`."""
    found = replace(asked, recipe=changed(asked.recipe, {"seed": seed}))
    found.fit(asked.split)
    return {score.name: score.value for score in found.scores()}


def told(values):
    """Mean and deviation; a figure that no network has is of a kind that the held-out clips do not show."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.3f} ± {spread:.3f}" if values else "none"


def main(seeds=3, people=60):
    os.chdir(Path(ROOT))
    logging.basicConfig(level=logging.INFO)
    asked = kinds(int(people))
    print("| learned from |", " | ".join(FIGURES), "|")
    for name, kind in asked.items():
        rows = [scores(kind, seed) for seed in range(1, int(seeds) + 1)]
        cells = [told([row[figure] for row in rows if figure in row]) for figure in FIGURES]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
