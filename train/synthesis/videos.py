"""Long synthetic videos with their truth beside them, to measure a detector on: NAME.mp4 and NAME.json.

    python -m train videos --config configs/data/films.toml --root data/videos

The truth has the form of realtime/demo/data/sample.json, and names the units of each expression too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from tqdm import tqdm

from realtime.errors import DataError
from train.datasets.annotation.action_units import ActionUnit
from train.synthesis.encode import encode
from train.synthesis.synthetic import Synthetic, Take

QUALITY, PRESET = 12, "superfast"  # of the file: the scripted camera has compressed already, and films go by the hour


def write(dataset: Synthetic, root: Path, people: Sequence[str], seconds: float, micro_per_minute: float) -> list[Path]:
    """One video for each of `people` into `root`, which must be empty or new; the truth files."""
    if root.exists() and any(root.iterdir()):
        raise DataError(f"{root} is not empty; name a new folder, so that no recording is overwritten")
    root.mkdir(parents=True, exist_ok=True)
    written = []
    for person in tqdm(people, "videos"):
        take = dataset.video(person, 0, seconds, micro_per_minute)
        encode(dataset.film(take), take.camera.rate_hz, root / f"{person}.mp4", QUALITY, PRESET)
        written.append(root / f"{person}.json")
        written[-1].write_bytes(msgspec.json.format(msgspec.json.encode(truth(take)), indent=1) + b"\n")
    return written


def truth(take: Take) -> dict[str, object]:
    """What happens when, distractors too; seconds on the video's clock."""
    events = [
        {
            **{name: getattr(happening, name) for name in ("role", "label", "onset", "apex", "offset")},
            "units": "+".join(map(spelled, happening.units)),
        }
        for happening in take.scene.happenings
    ]
    return {"rate_hz": take.camera.rate_hz, "seconds": take.scene.seconds, "person": take.person, "events": events}


def spelled(unit: ActionUnit) -> str:
    """As `action_units.parse` reads it: L12B."""
    return f"{unit.side}{unit.number}{unit.strength}"
