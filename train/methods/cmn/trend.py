"""Calibration of CMNet's intensities (AAAI 2023, doi 10.1609/aaai.v37i1.25083): they follow the video's trend.

The abstract says that no intensity is annotated; so a *tendency* is set up whose values are uncertain, towards
which the intensities are led "rather [than to] some fixed values", by a Wilcoxon rank sum test. It gives no formula.

This project's reading: intensity rises from onset to apex and falls to the offset. So the order of two frames on one
side of the apex is known, and nothing else is: no value, and no order across the apex. The statistic U of the rank sum
test is the number of pairs in order (Mann and Whitney 1947); it has no gradient, and its smooth bound by the logistic
function, which is that of RankNet (Burges et al. 2005), takes its place.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def trend(intensity: Tensor, since_apex_s: Tensor) -> Tensor:
    """Mean of log(1 + exp(w_j - w_i)) over all pairs of frames of one clip of which i is known to be the stronger.

    `intensity`: w (B, N); `since_apex_s`: (B, N), negative before the apex, the apex itself being on both sides.
    Frame i is the stronger if it lies on j's side and nearer to the apex. A batch without any such pair costs 0.
    """
    distance = since_apex_s.abs()
    stronger = distance[:, :, None] < distance[:, None]  # (B, N, N), of i over j
    one_side = since_apex_s[:, :, None] * since_apex_s[:, None] >= 0
    cost = F.softplus(intensity[:, None] - intensity[:, :, None])
    known = (stronger & one_side).to(cost)
    return (cost * known).sum() / known.sum().clamp(min=1)
