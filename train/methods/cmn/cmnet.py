"""The two-branch head of CMNet (Wei, Jiang, Zheng, Zong, Lu, Liu, AAAI 2023, doi 10.1609/aaai.v37i1.25083).

Its abstract and the caption of its figure 1 say: one branch extracts facial texture, the other intensity,
distilled by contrasting frames of one video, in which nothing but the intensity differs. Each frame's intensity
vector is squeezed to one number, calibrated to follow the video's trend and extended to a vector again;
its elementwise product with the texture goes through an LSTM to the clip's vector v, which is classified.

Neither code nor sizes were published. This project's reading: the patent's projector, with its contrast inside
the clip, is the intensity branch; squeezing and extending are affine; texture has a projector of its own on the
same frozen encoder's embeddings, with the same `reference`; calibration is a loss (see `train.methods.cmn.trend`), so
that a clip without annotations, or one that has not ended, is answered alike. The patent's contrast between classes
is not in the abstract: give it weight 0 to leave it out.
"""

from __future__ import annotations

from torch import Tensor, nn

from train.methods.cmn.config import Reference
from train.methods.cmn.network import CmnHead, projector


class CmnetHead(CmnHead):
    """As `CmnHead`; its z are intensity vectors, and its LSTM reads the texture that they magnify."""

    def __init__(self, width: int, classes: int, reference: Reference, scale: Tensor | float) -> None:
        super().__init__(width, classes, reference, scale)
        self.texture = projector(width, self.projected)
        self.squeeze = nn.Linear(self.projected, 1)
        self.extend = nn.Linear(1, self.projected)

    def intensity(self, z: Tensor) -> Tensor:
        """From z (B, N, 128) one number for each frame (B, N): how far the movement has come."""
        found: Tensor = self.squeeze(z)[..., 0]
        return found

    def movement(self, x: Tensor, z: Tensor) -> Tensor:
        magnified: Tensor = self.texture(x) * self.extend(self.squeeze(z))
        return magnified
