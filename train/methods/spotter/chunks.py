"""Where a chunk of a film may begin that is to show none of some distractors.

They are cut out, not only left out of the loss: a recurrent network that is shown a blink and not asked about it
still learns what to forget, from all that it is asked later. So a chunk is as long as ever and lies in a gap; the
network begins each with an empty memory, and there is nothing to settle. Gaps are long enough: of films with 17
blinks a minute 15 % of all places begin six seconds without one, and they cover a third of the films. The price is
fewer data to learn from. A lamp that flickers and a head that sways do so all the time: of these the half of the films
that has most is left out, which is less of them and not none.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from train.spotting.films import Film

MARGIN_S = 0.1  # two frames of a slow camera and a tick: so far is a movement seen before and after it is there

Rows = npt.NDArray[np.intp]


def begins(film: Film, length: int, without: Collection[str], lag_s: float) -> Rows:
    """The rows of `film` at which `length` rows begin that show nothing of the names in `without`: (K,), ascending.

    A row shows what is there and, from the other side, what was there `lag_s` before.
    """
    shown = np.zeros(len(film.ends), np.int64)
    for each in film.happened:
        if each.name in without:
            shown |= (film.ends > each.onset_s - MARGIN_S) & (film.ends < each.offset_s + lag_s + MARGIN_S)
    before = np.concatenate([[0], shown.cumsum()])
    return np.flatnonzero(before[length:-1] == before[: -length - 1])
