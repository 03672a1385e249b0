"""What rendered heads are worth to `motion` beside warped pictures: trained on either or both, tested on real pictures.

Run by hand: python tests/benchmarks/bench_rendered.py [seeds] [people]. That many heads are rendered, and of warped
pictures as many clips are learned from; tested are the held-out people of configs/train/motion.toml, whom no row has
seen. Movements that are known exactly are left out, since they are of warped pictures alone.
"""

import logging
import os
import statistics
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
from train.config.old import load

from realtime.config import ROOT
from realtime.engine.package.manifest import Score
from train.commands import COMPARED
from train.methods.motion import synthetic as motion_synthetic
from train.methods.motion.config import MotionConfig
from train.storage.digest import digest

FIGURES = ("final_uf1", "early_uf1", "kept", "rejected_rest", "rejected_none")


def settings(**clips):
    config = load(ROOT / "configs/train/motion.toml", ["exact.share=0.0"])
    return msgspec.structs.replace(config, clips=msgspec.structs.replace(config.clips, **clips))


def parts(people):
    """Kind -> what is learned from, equally many clips each; all have the calibrating and tested people of `warped`."""
    made = COMPARED[MotionConfig].parts
    warped, heads = made(settings()), made(settings(rendered=1.0, people=people))
    drawn = [*heads.train, *heads.calibration, *heads.test]
    count, half = len(drawn), len(drawn) // 2
    chosen = {
        "warped pictures": warped.train[:count],
        "rendered heads": drawn,
        "half of each": [*warped.train[:half], *drawn[: count - half]],
        "both": [*warped.train[:count], *drawn],
    }
    print(f"{count} clips of each kind to learn from, {len(warped.test)} to test on")
    return {
        name: replace(warped, train=clips, key=digest(warped.key, name, [c.sample.id for c in clips]))
        for name, clips in chosen.items()
    }


def scores(config, kind):
    found = (motion_synthetic.fit(config, kind) / "scores.json").read_bytes()
    return {score.name: score.value for score in msgspec.json.decode(found, type=tuple[Score, ...])}


def main(seeds=3, people=60):
    os.chdir(Path(ROOT))
    logging.basicConfig(level=logging.INFO)
    config, kinds = settings(), parts(int(people))
    print("| learned from |", " | ".join(FIGURES), "|")
    for name, kind in kinds.items():
        rows = [scores(msgspec.structs.replace(config, seed=seed), kind) for seed in range(1, int(seeds) + 1)]
        values = {figure: [row[figure] for row in rows] for figure in FIGURES}
        cells = [f"{statistics.fmean(v):.3f} ± {statistics.stdev(v):.3f}" for v in values.values()]
        print(f"| {name} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
