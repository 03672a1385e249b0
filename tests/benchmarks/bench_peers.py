"""Glimpse beside others on the same clip: MediaPipe's face mesh alone, and packages that name expressions.

Run by hand: python tests/benchmarks/bench_peers.py CLIP [--seconds 10] [--only fer glimpse] [--environments FOLDER]

The others are packages of PyPI that carry their weights with them: nothing is fetched while they run. Each has a file
in peers/, which is its program, and a list of what it is installed from, into an environment of its own under FOLDER
(1 to 2 GB each; kept, and used again). MediaPipe and Glimpse run in the environment of this script. A peer that cannot
be installed or run is told in one line, and the rest goes on.

One after the other they play the clip for --seconds, again and again, as fast as they can, reading it included. A face
must be in it: who finds none has nothing to name, and is fast. What the peers name is not judged here.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CPUS = Path("/proc/cpuinfo")
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
COLUMNS = ("peer", "frames/s", "CPU-ms a frame", "peak memory", "face found", "what it does")
LOGGED = re.compile(r"[IWEF][0-9]{4} |WARNING: ")  # how MediaPipe's and TensorFlow's own code begins what it logs
INSTALL_S, START_S = 1800, 300  # longest that installing, and starting beside the measured seconds, may take


class PeerFailed(Exception):
    """It cannot be installed or run; the message is the reason, in one line."""


@dataclass(frozen=True)
class Peer:
    """A program in peers/; what it is installed from stands there under the same name, if it is `apart`."""

    name: str
    does: str
    apart: bool


PEERS = (
    Peer("mediapipe", "follows 468 landmarks of one face; names nothing", apart=False),
    Peer(
        "glimpse",
        "follows faces by 468 landmarks, names frames, and finds and names micro- and macro-expressions",
        apart=False,
    ),
    Peer("fer", "looks for faces anew and names each, frame by frame; no landmarks, nothing over time", apart=True),
    Peer("facex", "looks for faces anew and names each, frame by frame; no landmarks, nothing over time", apart=True),
)


@dataclass(frozen=True)
class Figures:
    """What a peer prints: `cpu_s` of all threads, `peak_mb` in 10^6 bytes, `seen` the share of frames with a face."""

    version: str
    frames: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    seen: float


def run(command, seconds):
    """What it prints; PeerFailed with the last that it says if it fails."""
    try:
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise PeerFailed(f"not done after {seconds:g} s") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip() and not LOGGED.match(line)]
        raise PeerFailed(said[-1] if said else f"ended with {done.returncode}, and said nothing")
    return done.stdout


def installed(peer, folder):
    """The interpreter of its environment, which is made, or completed, if need be."""
    if not peer.apart:
        return sys.executable
    python = str(folder / peer.name / "bin/python")
    if not Path(python).exists():
        run([sys.executable, "-m", "venv", str(folder / peer.name)], START_S)
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--requirement", f"peers/{peer.name}.txt"], INSTALL_S)
    return python


def measured(peer, clip, seconds, folder):
    command = [installed(peer, folder), "-m", f"peers.{peer.name}", str(clip), str(seconds)]
    said = run(command, seconds + START_S).splitlines()
    return Figures(**json.loads(said[-1]))


def row(cells):
    return f"| {' | '.join(cells)} |"


def line(peer, found):
    """Its row of the table."""
    rate, cost = found.frames / found.wall_s, 1000 * found.cpu_s / found.frames
    figures = (f"{rate:.0f}", f"{cost:.1f}", f"{found.peak_mb:.0f} MB", f"{found.seen:.0%}")
    return row((found.version, *figures, peer.does))


def failure(peer, reason):
    return f"{peer.name} is left out: {reason}"


def machine():
    """Processor, cores that this process may use, and those of FLAGS that the processor has."""
    known = dict(each.split(":", 1) for each in CPUS.read_text().splitlines() if ":" in each) if CPUS.exists() else {}
    told = {name.strip(): value.strip() for name, value in known.items()}
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    flags = [flag for flag in FLAGS if flag in told.get("flags", "").split()]
    return f"{told.get('model name') or platform.machine()}, {cores} cores, {' '.join(flags) or 'flags unknown'}"


def asked():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--environments", type=Path, default=Path(tempfile.gettempdir()) / "glimpse-peers")
    return parser.parse_args()


def main(clip, seconds, only, environments):
    print(f"{machine()}; {clip.name}, {seconds:g} s each", flush=True)
    rows, failures = [row(COLUMNS), row(["---"] * len(COLUMNS))], []
    for peer in PEERS:
        if peer.name not in only:
            continue
        try:
            rows.append(line(peer, measured(peer, clip.resolve(), seconds, environments.resolve())))
        except PeerFailed as reason:
            failures.append(failure(peer, reason))
    print("\n".join([*rows, *failures]))


if __name__ == "__main__":
    main(**vars(asked()))
