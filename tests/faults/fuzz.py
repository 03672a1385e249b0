"""Frames, messages, manifests, sessions and tables with changed bytes: nothing may come of them but our own errors.

    python tests/faults/fuzz.py                     10,000 cases, as the suite runs them; 10 s
    python tests/faults/fuzz.py 1000000             a million; ten minutes
    python tests/faults/fuzz.py --case session:812  one case alone, with its traceback

A case is a kind and a number, from which its bytes are made. A line for each kind says how many were read after all and
how many refused; the exit code is 1 where another error came, one took longer than 10 s, or memory grew by 5 %.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "made"), str(ROOT / "tests" / "faults")]

import fuzzed  # noqa: E402
import psutil  # noqa: E402
from mutations import mutated  # noqa: E402

from realtime.errors import GlimpseError  # noqa: E402

#: Of every hundred cases; those of one kind take a millisecond or two, of the first a tenth.
SHARES = {"message": 50, "frame": 20, "manifest": 10, "session": 14, "table": 6}
#: From this share of the cases on memory may not grow: before it, caches fill and libraries load.
SETTLED, MOST_GROWTH = 0.3, 0.05
SLOW_S = 10
#: Cases after which a long run says how far it is.
TOLD_EVERY = 50_000
#: A file system that is not on a disk, where the machine has one: a case writes a file or two.
MEMORY = Path("/dev/shm")


class Slow(Exception):
    """A case that takes for ever."""


def attempt(kind, number, seed):
    """Whether the case was read after all; anything but an error of ours goes on."""
    chance = random.Random(f"{seed}/{kind.name}/{number}")
    original = chance.choice(kind.originals)
    signal.alarm(SLOW_S)
    try:
        kind.use(mutated(chance, original[1]), original[0], chance)
    except GlimpseError:
        return False
    finally:
        signal.alarm(0)
    return True


def slow(*_):
    raise Slow(f"longer than {SLOW_S} s")


def rss_mb():
    return psutil.Process().memory_info().rss / 1e6


def run(kinds, count, seed):
    """Read and refused by kind, the cases that failed, and memory in MB when it had settled and at the end."""
    for kind in kinds.values():
        for name, data in kind.originals:
            kind.use(data, name, random.Random(seed))  # else nothing would come of changing it
    counts, failed, settled_mb = {name: [0, 0] for name in kinds}, [], 0.0
    order = [name for name, share in SHARES.items() for _ in range(share) if name in kinds]
    random.Random(seed).shuffle(order)
    for number in range(count):
        name = order[number % len(order)]
        try:
            counts[name][not attempt(kinds[name], number, seed)] += 1
        except Exception:  # noqa: BLE001  whatever it is, it is what is looked for
            failed.append((f"{name}:{number}", traceback.format_exc()))
        if number == int(SETTLED * count):
            settled_mb = rss_mb()
        if number and number % TOLD_EVERY == 0:
            print(f"{number} cases, {len(failed)} failed, {rss_mb():.0f} MB", file=sys.stderr, flush=True)
    return counts, failed, settled_mb, rss_mb()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--case", metavar="KIND:NUMBER", help="this case alone")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, slow)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        kinds = fuzzed.kinds(Path(folder))
        if options.case:
            name, _, number = options.case.partition(":")
            print("read" if attempt(kinds[name], int(number), options.seed) else "refused")
            return 0
        began = time.monotonic()
        counts, failed, settled_mb, end_mb = run(kinds, options.count, options.seed)
    print("| kind | read | refused |\n|---|---|---|")
    for name, (read, refused) in counts.items():
        print(f"| {name} | {read} | {refused} |")
    grown = end_mb / settled_mb - 1.0
    print(f"{options.count} cases in {time.monotonic() - began:.0f} s, {len(failed)} failed; ", end="")
    print(f"memory {settled_mb:.0f} MB, then {end_mb:.0f} MB ({100 * grown:+.1f} %)")
    for case, text in failed[:5]:
        print(f"\n{case}\n{text}")
    return 1 if failed or grown > MOST_GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
