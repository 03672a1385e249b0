"""The clock that every peer runs under. Reading the clip belongs to the work of each, as it does where a camera is.

It starts once models are loaded and caches are filled, and stops after its seconds, or a frame later. CPU time is that
of all threads of the process; none of the peers has a second process.
"""

import json
import resource
import sys
import time
from importlib.metadata import version

import cv2

WARM = 30  # frames before the clock starts
BYTES = 1 if sys.platform == "darwin" else 1024  # the unit of ru_maxrss


class Clock:
    """What is done with each frame of `over`, before the next is asked for, is timed; it ends where the time is up."""

    def __init__(self, seconds):
        self._seconds = seconds
        self.frames, self.wall_s, self.cpu_s = 0, 0.0, 0.0

    def over(self, frames):
        wall, cpu = time.perf_counter(), time.process_time()
        for index, frame in enumerate(frames):
            if index <= WARM:
                wall, cpu = time.perf_counter(), time.process_time()
            elif time.perf_counter() - wall > self._seconds:
                self.frames = index - WARM
                self.wall_s, self.cpu_s = time.perf_counter() - wall, time.process_time() - cpu
                return
            yield frame

    def tell(self, package, release, seen):
        """The one line on stdout; `seen` is the share of frames in which a face was found, the first ones included."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES / 1e6
        figures = {"frames": self.frames, "wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mb": peak_mb, "seen": seen}
        print(json.dumps({"version": f"{package} {release}"} | figures))


def pictures(clip):
    """The clip, BGR as OpenCV gives it, from its beginning again and again."""
    while True:
        capture = cv2.VideoCapture(clip)
        there, picture = capture.read()
        if not there:
            raise SystemExit(f"{clip}: OpenCV reads no frame of it")
        while there:
            yield picture
            there, picture = capture.read()


def timed(package, call, clip, seconds):
    """`call` gets every picture, and gives something that is true where it found a face."""
    clock = Clock(float(seconds))
    found = [bool(call(picture)) for picture in clock.over(pictures(clip))]
    clock.tell(package, version(package), sum(found) / len(found))
