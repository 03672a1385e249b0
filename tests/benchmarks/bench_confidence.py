"""How far the confidence of micro-expressions can be trusted, by the sharpness of what the engines say together.

Run by hand: python tests/benchmarks/bench_confidence.py FOLDER ... Each holds long videos with their truth, as `python
-m train videos` writes them; a sharpness may be chosen on the people of one, and is measured on those of the others.
"""

import sys
from pathlib import Path

import numpy as np

from realtime.config import TOGETHER, load
from realtime.recognition.pool import pool
from train.chain import scripted
from train.chain.outcome import detections
from train.chain.play import OWN, play_all
from train.chain.reliability import reliability
from train.spotting.detection_scores import IOU
from train.spotting.movements import match

SHARPNESS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)


def answers(folder, config):
    """What was told at the end of every micro-expression: event, and its true label or None for a false alarm."""
    found = []
    for played in play_all(scripted.read(Path(folder)), [], config)[OWN]:
        said = [each for each in detections(played) if each.kind == "micro"]
        pairs = match([each for each in played.video.expressions if each.kind == "micro"], said, IOU)
        truth = {id(each): true.label for true, each in pairs}
        found += [(each.told.last, truth.get(id(each))) for each in said]
    return found


def measured(told, config, sharpness):
    """Expected calibration error, and mean log-loss of being right."""
    sure, right = [], []
    for event, label in told:
        names = config.engines.head.split(TOGETHER)
        before = event.probabilities[config.engines.head][event.label]
        weights = [config.recognise.weights.get(name, 1.0) for name in names]
        shares = pool([event.probabilities[name] for name in names], weights, config.recognise.floor, sharpness)
        sure.append(event.confidence / before * shares[event.label])
        right.append(event.label == label)  # what is likeliest stays the same
    p, hit = np.clip(sure, 1e-6, 1 - 1e-6), np.array(right)
    return reliability(sure, right).expected_error, float(-np.log(np.where(hit, p, 1 - p)).mean())


def main(*folders):
    config = load()
    told = {folder: answers(folder, config) for folder in folders}
    print(
        "| sharpness |",
        " | ".join(f"{Path(name).name}: ECE, log-loss of {len(each)}" for name, each in told.items()),
        "|",
    )
    for sharpness in SHARPNESS:
        cells = ["{:.3f}, {:.3f}".format(*measured(each, config, sharpness)) for each in told.values()]
        print(f"| {sharpness:g} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
