"""What it is worth to train the encoder on synthetic micro-expressions beside FER+, to FER+ itself and to `cmn`.

Run by hand: python tests/benchmarks/bench_joint.py [epochs] [seeds] [size_px]. Encoders are trained from nothing, for
few epochs on small pictures, alike but for a second task: the class of a clip from the difference of its apex's and
its onset's embeddings, which is what `cmn` sees. Each is exported, and `cmn` trained on its embeddings.
"""

import itertools
import logging
import os
import statistics
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from realtime.config import ROOT
from realtime.labels import VOCABULARIES
from train import registry
from train.methods.expression.job import ExpressionJob
from train.methods.expression.stills import resize
from train.packaging.export import WEIGHTS
from train.training import loop
from train.training.augment import standardise

LABELS = VOCABULARIES["megc-3-none"]
SHARE = 0.25  # pairs in a batch, for each picture of FER+
FILES = [ROOT / "configs/methods/expression.toml", ROOT / "configs/data/ferplus.toml"]
UNTAUGHT = "teaching={engines=[],weight=0.0}"
ROWS = {"without": "cells=0", "with": "cells=7"}
CMN = [ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/synthetic.toml"]


class Both(nn.Module):
    """The encoder, and the second task's last layer."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.change = nn.Linear(encoder.width, len(LABELS))

    def forward(self, images):
        return self.encoder(images)


class JointJob(ExpressionJob):
    """`pairs` are grey onsets and apexes uint8 (N, 2, S, S), with labels (N,)."""

    def __init__(self, alone, split, pairs, labels):
        super().__init__(alone.config, Both(alone.network), split, alone.seed)
        self.pairs, self.shown = pairs, labels
        self.count = round(SHARE * self.config.optimiser.batch)

    def batches(self, epoch):
        generator = torch.Generator().manual_seed(self.seed * 1000 + 500 + epoch)
        for batch in super().batches(epoch):
            rows = torch.randint(len(self.pairs), (self.count,), generator=generator)
            flipped = torch.rand(self.count, generator=generator) < 0.5
            chosen = resize(self.pairs[rows].float() / 255, self.sizes[epoch])
            chosen[flipped] = chosen[flipped].flip(-1)
            yield (*batch, standardise(chosen.flatten(0, 1)[:, None].expand(-1, 3, -1, -1)), self.shown[rows])

    def loss(self, batch):
        images, shares, pairs, labels = batch
        with torch.autocast(images.device.type, torch.bfloat16):
            onset, apex = self.network.encoder.embed(pairs).view(-1, 2, self.network.encoder.width).unbind(1)
            told = self.network.change(apex - onset)
        return super().loss((images, shares)) + F.cross_entropy(told.float(), labels)


def pairs(recipe):
    """Onset and apex of every clip of people to train on."""
    (clips,) = registry.experiment(recipe).split.train
    found = []
    for clip in clips:
        at = [int(abs(clip.times - moment).argmin()) for moment in (clip.sample.onset_s, clip.sample.apex_s)]
        found.append(torch.from_numpy(clip.images[at].mean(-1)).to(torch.uint8))
    return torch.stack(found), torch.tensor([LABELS.index(clip.sample.label) for clip in clips])


def trained(asked, shown):
    """The package of an encoder; `shown` are pairs and labels, or None."""
    method, config, split, folder = asked.method, asked.config, asked.split, asked.run
    if not (folder / WEIGHTS).exists():
        [(job, optimiser)] = method.stages(config, split, asked.source, config.seed)
        network = loop.fit(JointJob(job, split, *shown) if shown else job, optimiser, folder, config.machine)
        torch.save((network.encoder if shown else network).state_dict(), folder / WEIGHTS)
    scores = method.report(config, asked.restored(), split)
    return asked.export(folder / "package" / config.name, "fp32", scores)


def judged(seed, folder):
    """Figures of `cmn` on the embeddings of the encoder in `folder`, without motion and with it."""
    for name, cells in ROWS.items():
        changes = [f"encoder={folder}", f"motion.{cells}", "views.count=2", f"seed={seed}"]
        asked = registry.experiment(registry.load(CMN, changes))
        asked.fit()
        for score in asked.scores():
            if score.name in ("final_uf1", "early_uf1"):
                yield f"cmn {name} motion, {score.name}", score.value


def main(epochs=8, seeds=2, size_px=48):
    os.chdir(Path(ROOT))
    logging.basicConfig(level=logging.INFO)
    stages = f"stages=[{{epochs={int(epochs)},size_px={int(size_px)}}}]"
    files = [ROOT / "configs/methods/apexnet.toml", ROOT / "configs/data/synthetic.toml"]
    shown = pairs(registry.load(files, ["rest=0.2"]))
    print(f"{len(shown[1])} clips beside FER+")
    rows = {"encoder-alone": [], "encoder-joint": []}
    for seed, name in itertools.product(range(1, int(seeds) + 1), rows):
        asked = registry.experiment(registry.load(FILES, [f"name={name}", f"seed={seed}", stages, UNTAUGHT]))
        made = trained(asked, shown if name == "encoder-joint" else None)
        accuracy = next(score.value for score in made.scores if score.name == "agreed_accuracy")
        rows[name].append({"FER+": accuracy} | dict(judged(seed, asked.run / "package" / name)))
        print(name, seed, rows[name][-1], flush=True)
    for name, figure in itertools.product(rows, rows["encoder-alone"][0]):
        values = [row[figure] for row in rows[name]]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"| {name} | {figure} | {statistics.fmean(values):.3f} ± {spread:.3f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
