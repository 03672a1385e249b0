"""Glimpse as it is typed, its two processes by name, what they take of memory, and what they leave behind."""

import os
import signal
import statistics
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from realtime.config import ROOT
from realtime.ports import free_port, is_free

PORTS = [f"publish.{name}_port" for name in ("state", "events", "replay", "frames")] + ["view.port"]
#: An age in seconds at which a process has loaded all that it needs, every visitor's camera included.
LOADED_S = 60.0


class Glimpse:
    """`python -m realtime view` on a camera, recording; `kill` names one of its processes."""

    def __init__(self, source, folder, camera, log):
        self.ports = {key: free_port() for key in PORTS}
        self.temporary, self.recorded, self.camera = folder / "tmp", folder / "recorded", camera
        for each in (self.temporary, self.recorded):
            each.mkdir()
        words = ["--source", source, "--record", str(self.recorded / "s")]
        words += [f"--set={key}={port}" for key, port in self.ports.items()]
        words += [f"--set=publish.camera={camera}", "--set=source.rate_hz=30"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "realtime", "view", *words],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            start_new_session=True,
        )
        #: role -> process -> [(age in seconds, MB)]
        self.lives = {"run": {}, "page": {}, "view": {}}
        self.killed = {"run": 0, "page": 0}

    def child(self, role):
        """The process of `run` or `page` now, None while it is down."""
        if role == "view":
            return psutil.Process(self._process.pid)
        below = psutil.Process(self._process.pid).children(recursive=True)
        return next((each for each in below if role in _words(each)), None)

    def kill(self, role):
        process = self.child(role)
        if process is not None:
            process.kill()
            self.killed[role] += 1

    def look(self):
        """Note what each takes now."""
        for role, lives in self.lives.items():
            with suppress(psutil.Error):  # it was killed just now
                if (process := self.child(role)) is not None:
                    age_s, mb = time.time() - process.create_time(), process.memory_info().rss / 1e6
                    lives.setdefault(process.pid, []).append((age_s, mb))

    def end(self):
        """Ctrl-C; the exit code, and in words all that is still there afterwards."""
        there = [*psutil.Process(self._process.pid).children(recursive=True)]
        self._process.send_signal(signal.SIGINT)
        try:
            code = self._process.wait(30.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        left = [f"process {each.pid}" for each in there if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        left += [str(path) for path in self.temporary.rglob("*")]
        left += [str(path) for path in self.recorded.rglob("*.part")]
        left += [f"port {port}" for port in self.ports.values() if not is_free("127.0.0.1", port)]
        return code, left


def _words(process):
    """Its command line; nothing once it is gone."""
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def high_mb(life):
    """What a life took at its highest; None of one that was too short to load all that it needs."""
    return max(mb for _, mb in life) if life[-1][0] >= LOADED_S else None


def grown(values):
    """By what share the last third of `values` is above the first, by their medians; 0.0 of fewer than two."""
    third = max(1, len(values) // 3)
    return statistics.median(values[-third:]) / statistics.median(values[:third]) - 1.0 if len(values) > 1 else 0.0
