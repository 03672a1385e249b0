"""One distribution of several that engines give: a log-linear opinion pool.

    p(c) = prod_k p_k(c)^w_k / sum_c' prod_k p_k(c')^w_k        with sum_k w_k = sharpness

Genest and Zidek 1986, "Combining probability distributions: a critique and an annotated bibliography". With a sharpness
of one, two that are 70 % sure of the same are together 70 % sure: one witness who was asked twice. With as many as
there are opinions they are 84 % sure: independent witnesses, Hinton's product of experts (2002). Engines that judge the
same frames by other means are neither, so that the mean of their logarithms is too modest and is sharpened (Satopaa et
al. 2014, "Combining multiple probability predictions using a simple logit model"). What is likeliest stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log

Shares = Mapping[str, float]  #: label -> probability; they sum to one

REST = ""  # stands for the shared labels together; no engine has an empty label


def pool(
    opinions: Sequence[Shares], weights: Sequence[float], floor: float, sharpness: float = 1.0
) -> dict[str, float]:
    """The pool of opinions (K,) with weights (K,), of whatever sum above 0; one opinion alone stays as it is.

    Shares below `floor` count as `floor`: nobody's 0 is a veto. Each opinion knows all labels, or only those that all
    know. The others, such as "none", are decided first, by those who know them and with their weights alone: an
    engine without a label says nothing about it. All then divide the rest.
    """
    if len(opinions) == 1:
        return dict(opinions[0])
    labels = list(dict.fromkeys(label for opinion in opinions for label in opinion))
    shared = [label for label in labels if all(label in opinion for opinion in opinions)]
    exponents = [sharpness * weight / sum(weights) for weight in weights]
    pooled = _log_linear([among(shared, opinion) for opinion in opinions], exponents, floor)
    apart = [label for label in labels if label not in shared]
    if not apart:
        return pooled
    knowing = [k for k, opinion in enumerate(opinions) if len(opinion) == len(labels)]
    parts = [_parts(apart, shared, opinions[k]) for k in knowing]
    first = pool(parts, [weights[k] for k in knowing], floor, sharpness)
    return {label: first[label] if label in first else first[REST] * pooled[label] for label in labels}


def _log_linear(opinions: Sequence[Shares], exponents: Sequence[float], floor: float) -> dict[str, float]:
    """The formula, of opinions that have the same labels."""
    logs = {
        label: sum(w * log(max(opinion[label], floor)) for opinion, w in zip(opinions, exponents, strict=True))
        for label in opinions[0]
    }
    return among(logs, {label: exp(value) for label, value in logs.items()})


def among(labels: Iterable[str], opinion: Shares) -> dict[str, float]:
    """What `opinion` says if it is one of `labels`; nothing where it rules all of them out."""
    some = {label: opinion[label] for label in labels}
    total = sum(some.values())
    return {label: share / total if total > 0.0 else 0.0 for label, share in some.items()}


def _parts(apart: Iterable[str], shared: Iterable[str], opinion: Shares) -> dict[str, float]:
    return {label: opinion[label] for label in apart} | {REST: sum(opinion[label] for label in shared)}
