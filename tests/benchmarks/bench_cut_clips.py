"""What is told of clips that are cut around a micro-expression, by what is left before its onset and after its offset.

Run by hand: python tests/benchmarks/bench_cut_clips.py [events] [frames a second] [camera or crop] [folder]. One event
of each of so many held-out people, as configs/data/films.toml films them, is cut with every lead and tail, written
without loss, and played from the file through the live pipeline; and so is the whole film, for comparison. "crop" fills
the picture with the face. Beside them cuts of 0.8 s in which there is no expression and that begin in the middle of
whatever else happens.
"""

import itertools
import sys
import tempfile
from collections import Counter
from pathlib import Path

import cv2

from realtime.capture.source import open_source
from realtime.config import ROOT
from realtime.config import load as load_settings
from realtime.pipeline.pipeline import Pipeline
from realtime.recognition.heads import engines
from train import registry
from train.chain.play import Kept
from train.synthesis.synthetic import Synthetic

LEADS, TAILS = (0.0, 0.1, 0.25, 0.5, 1.0), (0.0, 0.1, 0.3, 1.0)
SECONDS, EVENTS_A_MINUTE, TRIES, SKIP = 5.0, 20.0, range(1000, 1200), 26
EMPTY_S = 0.8
FIRST = ("micro", "early", "named")
WHOLE = (SECONDS, SECONDS)  # a lead and a tail that cut nothing


def filmed(dataset, person):
    """A film of `person` with one micro-expression that has nothing like it near, its frames, and that event."""
    apart = max(*LEADS, *TAILS) + 0.1
    for number in TRIES:
        take = dataset.video(person, number, SECONDS, EVENTS_A_MINUTE)
        shown = [h for h in take.scene.happenings if h.role in ("micro", "macro")]
        for event in shown:
            others = [o for o in shown if o is not event]
            alone = all(o.offset < event.onset - apart or o.onset > event.offset + apart for o in others)
            if event.role == "micro" and apart < event.onset and event.offset < SECONDS - apart and alone:
                return take, list(dataset.film(take)), event
    raise SystemExit(f"no film of {person} has an event that stands alone")


def empty(scene):
    """When cuts without an expression may begin."""
    shown = [(h.onset, h.offset) for h in scene.happenings if h.role in ("micro", "macro")]
    begins = [0.5 * (h.onset + h.offset) for h in scene.happenings if h.role not in ("micro", "macro")]
    return [t for t in begins if all(off < t or t + EMPTY_S < on for on, off in shown) and 0 < t < SECONDS - EMPTY_S]


def written(frames, begin, end, rate_hz, path):
    """The frames from `begin` to `end`, in FFV1; the time of the first."""
    cut = [frame for frame in frames if begin - 1e-6 <= frame.t <= end + 1e-6]
    height, width = cut[0].image.shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), rate_hz, (width, height))
    for frame in cut:
        video.write(cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR))
    video.release()
    return cut[0].t


def told(path, settings, pair):
    """The answers to each event of a file, and whether nobody was seen in it."""
    outlet = Kept()
    summary = Pipeline(settings, open_source(str(path), settings.source, fast=True), outlet, pair).run()
    return list(outlet.events.values()), not summary.faces


def judged(answers, event, begin):
    """What became of a cut: micro, macro, withdrawn (its reason) or silent; told early; by the right label."""
    near = [one for one in answers if _overlap(one[-1], event, begin)]
    best = min((one[-1] for one in near), key=lambda last: (last.stage != "final", last.kind != "micro"), default=None)
    early = any(one.kind == "micro" and one.stage == "early" for each in near for one in each)
    kind = "silent" if best is None else best.kind if best.stage == "final" else f"withdrawn: {best.reason}"
    return Counter({kind: 1, "early": early, "named": kind == "micro" and best.label == event.label})


def _overlap(answer, event, begin):
    """Whether they have a moment in common; an event that is open or lost has no offset."""
    return answer.onset_s + begin <= event.offset and begin + (answer.offset_s or SECONDS) >= event.onset


def main(events="30", rate_hz="30", framing="camera", folder=None):
    changes = [f"clips.film.rates_hz=[{float(rate_hz)}]", f'clips.framing="{framing}"']
    files = [ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"]
    dataset = Synthetic(registry.load(files, changes).source.clips)
    rows = {cut: Counter() for cut in (*itertools.product(LEADS, TAILS), WHOLE)}
    settings, false = load_settings(), Counter()
    pair, path = engines(settings), Path(folder or tempfile.mkdtemp()) / "cut.avi"
    for person in dataset.side("held-out")[SKIP:][: int(events)]:
        take, frames, event = filmed(dataset, person)
        for (lead, tail), row in rows.items():
            begin = written(frames, event.onset - lead, event.offset + tail, float(rate_hz), path)
            answers, nobody = told(path, settings, pair)
            row.update(judged(answers, event, begin) + Counter({"no face": nobody}))
        for begin in empty(take.scene):
            written(frames, begin, begin + EMPTY_S, float(rate_hz), path)
            finals = [one[-1] for one in told(path, settings, pair)[0] if one[-1].stage == "final"]
            false.update(["cuts", *{last.kind for last in finals}])
    print(f"{events} events at {rate_hz} frames a second, {framing}; lead and tail in s ({SECONDS:g}: uncut)")
    for (lead, tail), row in rows.items():
        counts = [f"{name} {row[name]:3}" for name in (*FIRST, *sorted(set(row) - set(FIRST)))]
        print(f"{lead:5.2f} {tail:5.2f}   " + "   ".join(counts))
    kinds = " and ".join(f"{false[kind]} as a {kind}-expression" for kind in ("micro", "macro"))
    print(f"of {false['cuts']} cuts of {EMPTY_S} s without an expression {kinds} are told")


if __name__ == "__main__":
    main(*sys.argv[1:])
