"""Half an hour in which everything comes, goes and is killed, and no event may be lost to who holds on.

    python tests/benchmarks/soak.py                by hand; 30 minutes
    python tests/benchmarks/soak.py --minutes 3

A page and a recogniser that records, a camera of the network that is away for a while every 40 s, 50 subscribers, five
visitors, two of whom send their own cameras and one of whom records; recogniser and page are each killed with -9 every
two minutes. The table says what came of it; the exit code is 1 where a promise was broken.
"""

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import msgspec  # noqa: E402
import psutil  # noqa: E402
from soaking.camera import NetworkCamera, pictures  # noqa: E402
from soaking.listeners import Listener, kept, lost_and_twice  # noqa: E402
from soaking.processes import Glimpse, grown, high_mb  # noqa: E402
from soaking.visitors import Visitor  # noqa: E402

from realtime.config import load  # noqa: E402

CAMERA = "soak"
SUBSCRIBERS, VISITORS = 50, 5
#: Seconds: each process is killed so often, the page half of that after the recogniser; the camera leaves so often.
KILLED_EVERY_S, AWAY_EVERY_S, AWAY_FOR_S = 120.0, 40.0, 6.0
MOST_GROWTH = 0.02
#: For engines to load, and at the end for the last events to be asked for again.
READY_S, DRAIN_S = 90.0, 12.0


def happenings(seconds):
    """When what happens, in order: (second, what)."""
    found = []
    for began, every, what in (
        (0.375 * KILLED_EVERY_S, KILLED_EVERY_S, "kill run"),
        (0.875 * KILLED_EVERY_S, KILLED_EVERY_S, "kill page"),
        (0.6 * AWAY_EVERY_S, AWAY_EVERY_S, "camera away"),
        (0.6 * AWAY_EVERY_S + AWAY_FOR_S, AWAY_EVERY_S, "camera back"),
    ):
        at = began
        while at < seconds:
            found.append((at, what))
            at += every
    return sorted(found)


def soak(minutes, folder, log):
    """The rows of the table: what, figure, whether the promise was kept (None where nothing was promised)."""
    shown = pictures()
    camera = NetworkCamera(shown)
    glimpse = Glimpse(camera.url, folder, CAMERA, log)
    ports = {key.partition(".")[2]: port for key, port in glimpse.ports.items() if key.startswith("publish.")}
    publish = msgspec.structs.replace(load().publish, **ports)
    listeners = [Listener(publish, CAMERA, number) for number in range(SUBSCRIBERS)]
    ready = sum([each.ready(READY_S if number == 0 else 10.0) for number, each in enumerate(listeners)])
    visitors = [Visitor(glimpse.ports["view.port"], CAMERA) for _ in range(VISITORS - 2)]
    visitors += [Visitor(glimpse.ports["view.port"], "browser", shown, records=records) for records in (False, True)]
    away, own = False, []
    acts = {
        "kill run": lambda: glimpse.kill("run"), "kill page": lambda: glimpse.kill("page"),
        "camera away": camera.away, "camera back": camera.back,
    }  # fmt: skip
    began, plan = time.monotonic(), happenings(60.0 * minutes)
    while (now := time.monotonic() - began) < 60.0 * minutes:
        while plan and plan[0][0] <= now:
            acts[plan[0][1]]()
            away = {"camera away": True, "camera back": False}.get(plan.pop(0)[1], away)
        glimpse.look()
        own.append((now, psutil.Process().memory_info().rss / 1e6))
        time.sleep(1.0)
    if away:
        camera.back()
    time.sleep(DRAIN_S)
    for each in visitors:
        each.close()
    code, left = glimpse.end()
    for each in listeners:
        each.close()
    camera.away()
    return [
        ("subscribers ready", f"{ready} of {SUBSCRIBERS}", ready == SUBSCRIBERS),
        *_events(kept(glimpse.recorded), listeners),
        *_happened(glimpse, camera, visitors),
        *_memory(glimpse.lives, own),
        ("left behind: files, processes, ports", ", ".join(left) or "none", not left),
        ("exit code of Ctrl-C", str(code), code == 130),
    ]


def _events(sent, listeners):
    lost, wrong = zip(*(lost_and_twice(sent, each.heard) for each in listeners), strict=True)
    runs = len({run for run, _ in sent})
    yield "events of the camera, in runs", f"{len(sent)} in {runs}", bool(sent)
    yield "of these lost, over all subscribers", str(sum(lost)), not sum(lost)
    yield "twice or out of order", str(sum(wrong)), not sum(wrong)
    yield "restarts that each subscriber saw", f"{min(each.restarts for each in listeners)} or more", None


def _happened(glimpse, camera, visitors):
    killed = glimpse.killed
    yield "killed with -9", f"recogniser {killed['run']} times, page {killed['page']} times", None
    yield "the camera went", f"{camera.times_away} times", None
    visits = [each.visits for each in visitors]
    yield "visits, messages told to visitors", f"{sum(visits)}, {sum(each.told for each in visitors)}", min(visits) > 0


def _memory(lives, own):
    """Growth from the first lives to the last, each at its highest; within one it still loads what it needs."""
    for role, name in (("run", "recogniser"), ("page", "page")):
        highs = [mb for life in lives[role].values() if (mb := high_mb(life))]
        shown = (
            f"{min(highs):.0f} to {max(highs):.0f} MB, {100 * grown(highs):+.1f} %"
            if highs
            else "no life was long enough"
        )
        yield f"memory of the {name}, from its first lives to its last", shown, grown(highs) <= MOST_GROWTH
    whole = [mb for life in lives["view"].values() for _, mb in life]
    for name, values in (("supervisor", whole), ("50 subscribers", [mb for _, mb in own])):
        half = values[len(values) // 2 :]
        yield (
            f"memory of the {name}, in the second half",
            f"{half[0]:.0f} MB, {100 * grown(half):+.1f} %",
            (grown(half) <= MOST_GROWTH),
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--log", type=Path, default=Path(tempfile.gettempdir()) / "glimpse-soak.log")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # each subscriber tells each restart
    with tempfile.TemporaryDirectory() as folder, options.log.open("w") as log:
        rows = soak(options.minutes, Path(folder), log)
    print(f"| {options.minutes:g} minutes | found | promise |\n|---|---|---|")
    for what, found, kept_promise in rows:
        print(f"| {what} | {found} | {({True: 'kept', False: 'BROKEN', None: ''})[kept_promise]} |")
    return 1 if any(kept_promise is False for *_, kept_promise in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
