"""Pictures of faces, and what a crowd says of them, in the arrays of `ferplus.npz`."""

import cv2
import numpy as np

from realtime.labels import FERPLUS

NAMES = (*FERPLUS, "unknown", "NF")
SPLITS = ("train", "valid", "test")


def counted(votes):
    """Votes by name -> uint8 (N, 10), in the order of `NAMES`."""
    return np.array([[each.get(name, 0) for name in NAMES] for each in votes], np.uint8)


def arrays(pictures, votes, splits):
    """Of pictures uint8 (48, 48), the votes for each by name, and the split of each."""
    coded = [cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].ravel() for picture in pictures]
    return {
        "webp": np.concatenate(coded),
        "offsets": np.cumsum([0, *map(len, coded)]).astype(np.int64),
        "votes": counted(votes),
        "vote_names": np.array(NAMES),
        "usage": np.array([SPLITS.index(split) for split in splits], np.uint8),
        "usage_names": np.array(SPLITS),
    }


def packed(target, pictures, votes, splits):
    """The file `target` of them."""
    np.savez(target, **arrays(pictures, votes, splits))
    return target


def noise(count):
    """So many smooth pictures of full contrast."""
    rng = np.random.default_rng(1)
    rough = (rng.integers(0, 256, (48, 48), dtype=np.uint8) for _ in range(count))
    return [cv2.normalize(cv2.GaussianBlur(each, (0, 0), 2.0), None, 0, 255, cv2.NORM_MINMAX) for each in rough]
