"""Forward and backward time of each loss beside a plain vectorised version, on a batch of 32 vectors of 512.

Run by hand: python tests/benchmarks/bench_losses.py [threads]. The plain versions write the formulas down as one
would in a few lines of torch: broadcast, masks as factors, torch's own norm and cross-entropy, no care for extremes.
Both run in turns, so that whatever else the machine does slows both. The table also shows how far apart they are.
"""

import statistics
import sys
import time
from functools import partial

import torch
from torch.nn import functional as F

from train.losses.ecstfl import ecstfl, ecstfl_official
from train.losses.focal import focal
from train.methods.cmn.inter import inter_contrast
from train.methods.cmn.intra import intra_contrast

BATCH, WIDTH, CLASSES, FRAMES, NEGATIVES = 32, 512, 7, 8, 4
ROUNDS, REPEATS = 41, 10


def plain_ecstfl(features, labels, p):
    distance = torch.linalg.vector_norm(features[:, None] - features[None], p, dim=2)
    same = (labels[:, None] == labels[None]).float()
    size = same.sum(1)
    own = (distance * same / size[:, None]).sum(1)
    return (own / ((distance * (1 - same) / size).sum(1) + 1e-6)).mean()


def plain_official(features, labels):
    distance = (features[:, None] - features[None]).abs().sum(2)
    same = (labels[:, None] == labels[None]).float()
    own = (distance * same).sum(1) / (same.sum(1) + 1e-6)
    near = ((1 - same) / (distance + 1e-6)).sum(1) / ((1 - same).sum(1) + 1 + 1e-6)
    return (own * near / len(labels)).mean()


def plain_focal(logits, labels, gamma):
    cost = F.cross_entropy(logits, labels, reduction="none")
    return ((1 - (-cost).exp()) ** gamma * cost).mean()


def plain_inter(clips, labels, temperature):
    v = F.normalize(clips, dim=1)
    power = (v @ v.T / temperature).exp() * (1 - torch.eye(len(v)))
    positive = (labels[:, None] == labels[None]).float() - torch.eye(len(v))
    share = power / power.sum(1, keepdim=True)
    return -((positive * (share + 1e-12).log()).sum(1) / positive.sum(1)).mean()


def plain_intra(first, second, negatives, temperature):
    a, b, other = (F.normalize(x, dim=-1) for x in (first, second, negatives))
    same = ((a * b).sum(-1) / temperature).exp()
    rest = [(((x[:, :, None] * other).sum(-1)) / temperature).exp().sum(-1) for x in (a, b)]
    return -sum((same / (same + r)).log().mean() for r in rest)


def cases():
    """Name, ours, plain, the tensors that get a gradient."""
    g = torch.Generator().manual_seed(0)
    draw = partial(torch.randn, generator=g)
    labels = torch.arange(BATCH) % CLASSES
    x = [draw(BATCH, WIDTH)]
    yield "ecstfl, L2", lambda x: ecstfl(x, labels, 2.0), lambda x: plain_ecstfl(x, labels, 2), x
    yield "ecstfl, L1", lambda x: ecstfl(x, labels, 1.0), lambda x: plain_ecstfl(x, labels, 1), x
    yield "ecstfl, official", lambda x: ecstfl_official(x, labels), lambda x: plain_official(x, labels), x
    logits = [draw(BATCH, CLASSES)]
    yield "focal", lambda z: focal(z, labels, 2.0), lambda z: plain_focal(z, labels, 2.0), logits
    yield "inter", lambda x: inter_contrast(x, labels, 0.1), lambda x: plain_inter(x, labels, 0.1), x
    clips = [draw(BATCH, FRAMES, WIDTH), draw(BATCH, FRAMES, WIDTH), draw(BATCH, FRAMES, NEGATIVES, WIDTH)]
    yield "intra", lambda *x: intra_contrast(*x, 0.1), lambda *x: plain_intra(*x, 0.1), clips


def milliseconds(losses, tensors):
    """Median over the rounds, for each of `losses`, of one forward and backward pass."""
    tensors = [x.clone().requires_grad_() for x in tensors]
    taken = {loss: [] for loss in losses}
    for _ in range(ROUNDS):
        for loss in losses:
            began = time.perf_counter()
            for _ in range(REPEATS):
                torch.autograd.grad(loss(*tensors), tensors)
            taken[loss].append((time.perf_counter() - began) / REPEATS * 1e3)
    return [statistics.median(each) for each in taken.values()]


def main():
    torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(f"batch {BATCH}, width {WIDTH}, {torch.get_num_threads()} threads; ms forward + backward, median of {ROUNDS}")
    print(f"{'loss':<18}{'ours':>9}{'plain':>9}{'plain/ours':>12}{'difference':>13}")
    for name, ours, plain, tensors in cases():
        mine, other = milliseconds((ours, plain), tensors)
        apart = abs(float(ours(*tensors)) / float(plain(*tensors)) - 1)
        print(f"{name:<18}{mine:>9.3f}{other:>9.3f}{other / mine:>12.2f}{apart:>13.1e}")


if __name__ == "__main__":
    main()
