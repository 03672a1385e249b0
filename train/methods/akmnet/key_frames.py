"""Which frames of an event are its key frames: attention to each, the whole clip, and who resembles it.

The three steps of AKMNet (Peng et al., arXiv 2009.09179), by the authors' code: w = sigmoid(linear(a)) for each frame's
embedding a, A = sum of w a over the clip, b = cos(a, A), and chosen is who is at least as near as the mean frame.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

#: By how much less than the mean b may be, for frames that are alike but for rounding are all chosen or none.
ALIKE = 1e-5
SHORTEST = 1e-6  # length of an embedding that is still divided by


class KeyFrames(nn.Module):
    """Embeddings (B, T, width) and which of them are frames (B, T) -> how near each is to the whole, and who is chosen.

    Both are (B, T), and 0 where there is no frame. The choice is 0 or 1; at least one frame is chosen of every clip.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.Linear(width, 1)

    def forward(self, a: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        weights = self.attention(a).sigmoid() * there[..., None]
        whole = (weights * a).sum(1, keepdim=True)
        b = (F.normalize(a, dim=2, eps=SHORTEST) * F.normalize(whole, dim=2, eps=SHORTEST)).sum(2) * there
        return b, sparse(b, there)


def sparse(b: Tensor, there: Tensor) -> Tensor:
    """1 for frames whose b (B, T) is not below the mean over their clip, with a straight-through gradient.

    Backwards it passes for b itself wherever that mean lies between 0 and 1, and for nothing elsewhere; the mean is
    taken as given (Bengio et al. 2013, arXiv 1308.3432; the authors' code).
    """
    mean = clip_mean(b, there).detach()
    hard = (b.detach() >= mean - ALIKE).to(b.dtype) * there
    passes = ((mean > 0) & (mean < 1)).to(b.dtype) * there
    return hard + passes * (b - b.detach())


def clip_mean(values: Tensor, mask: Tensor) -> Tensor:
    """The mean of (B, T) over the places that a mask of 0 and 1 (B, T) names, 0 where it names none: (B, 1)."""
    return (values * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True).clamp(min=1.0)


def mining(b: Tensor, there: Tensor) -> Tensor:
    """How far the chosen stand from the others: the mean over clips of 2 - (mean of b above b's mean - mean below).

    Nothing is above or below where all are alike: that side's mean is 0, as of a clip of one frame. float32 ().
    """
    mean = clip_mean(b, there).detach()
    above, below = ((side & (there > 0)).to(b.dtype) for side in (b > mean, b < mean))
    return (2.0 - (clip_mean(b, above) - clip_mean(b, below))).mean()


def few(chosen: Tensor) -> Tensor:
    """How many frames are chosen (B, T) beyond one, the mean over clips: float32 ()."""
    return (chosen.sum(1) - 1.0).clamp(min=0.0).mean()
