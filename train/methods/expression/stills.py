"""Still faces as the encoder learns from them: pictures, and what they are said to show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from train.sources.stills import Faces


@dataclass(frozen=True, slots=True, eq=False)
class Stills:
    """One FER+ split as tensors."""

    images: Tensor  #: grey crops uint8 (N, 1, S, S)
    shares: Tensor  #: (N, 8) of the votes
    targets: Tensor  #: (N, 8) what is learned: the votes, and what teachers say, if there are any
    agreed: npt.NDArray[np.bool_]  #: (N,) on which most of the crowd agree

    def __len__(self) -> int:
        return len(self.images)


def cut(faces: Faces, size_px: int, workers: int | None = None) -> Stills:
    """The faces of a split at this size, and their votes."""
    crops, data = faces.cut(size_px, workers)
    shares = torch.from_numpy(data.targets)
    return Stills(torch.from_numpy(np.array(crops))[:, None], shares, shares, data.agreed)


def resize(x: Tensor, size_px: int) -> Tensor:
    """(B, C, S, S) -> (B, C, size, size), area average."""
    return x if x.shape[-1] == size_px else F.interpolate(x, size=(size_px, size_px), mode="area")
