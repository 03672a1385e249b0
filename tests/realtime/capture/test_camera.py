"""A camera played from a script: what is stamped, dropped, counted, and what happens when it is unplugged."""

import queue
import threading
import time

import numpy as np
import pytest
from msgspec import structs

from realtime.capture.camera import Camera
from realtime.config import SourceConfig
from realtime.errors import SourceError, SourceLost

CONFIG = SourceConfig(
    queue_frames=3, width=8, height=6, rate_hz=10.0, format="raw", largest_px=1000, scaled_px=960,
    late_s=0.1, reopen_first_s=0.5, reopen_most_s=2.0,
)  # fmt: skip
FIRST = 100.0  # the clock when the camera gives its first picture
LOST, DAMAGED, BROKEN, HANGS = "lost", "damaged", "broken", "hangs"


class Script:
    """Opens devices that do what they are told: a number is a frame grabbed at that time."""

    def __init__(self, *steps, refusals=0, burst_s=0.0):
        self.steps = queue.Queue()
        self.now = 0.0
        self.refusals = refusals
        self.burst_s = burst_s
        self.pauses = []
        self.devices = []
        self.freed = threading.Event()
        self.play(*steps)

    def play(self, *steps):
        for step in steps:
            self.steps.put(step)

    def open(self):
        if self.devices and self.refusals:
            self.refusals -= 1
            raise SourceError("away")
        self.devices.append(ScriptedDevice(self))
        return self.devices[-1]

    def camera(self):
        quick = {"clock": lambda: self.now, "sleep": self.pauses.append}
        return Camera("0", CONFIG, self.open, burst_s=self.burst_s, **quick)


class ScriptedDevice:
    rate_hz = 10.0

    def __init__(self, script):
        self.script = script
        self.step = None
        self.closed = False

    def grab(self):
        if self.step is not None:
            self.script.steps.task_done()  # only now is the step before surely in the camera's queue
        try:
            self.step = self.script.steps.get(timeout=0.002)
        except queue.Empty:
            self.step = None
            return True  # the camera runs on, but shows nothing
        if self.step == LOST:
            self.script.steps.task_done()
            return False
        if self.step == HANGS:
            self.script.freed.wait()
            return False
        if self.step not in (DAMAGED, BROKEN):
            self.script.now = self.step
        return True

    def picture(self):
        if self.step == BROKEN:
            raise SourceError("a picture of 2 channels")
        if self.step in (None, DAMAGED):
            return None
        return np.full((6, 8, 3), round((self.step - FIRST) * 10) % 256, np.uint8)

    def close(self):
        self.closed = True


@pytest.fixture
def started():
    """Starts a script's camera whose first picture is taken, and closes it after the test."""
    cameras = []

    def start(script=None):
        script = script or Script()
        script.play(FIRST)
        camera = script.camera()
        cameras.append(camera)
        return script, camera, camera.frames()

    yield start
    for camera in cameras:
        camera.close()


def take(frames, count):
    return [next(frames) for _ in range(count)]


def test_the_clock_and_the_numbers_start_with_the_first_frame_given_out(started):
    script, _, frames = started()
    script.play(103.0, 103.1)
    first, second = take(frames, 2)
    assert (first.t, first.index, first.gap, first.grabbed) == (0.0, 0, 0, 103.0)
    assert (second.index, second.gap, second.grabbed) == (1, 0, 103.1)
    assert second.t == pytest.approx(0.1)
    assert second.image[0, 0, 0] == 31


def test_a_full_queue_drops_the_oldest_and_counts_it(started):
    script, _, frames = started()
    script.play(100.1)
    next(frames)
    script.play(100.2, 100.3, 100.4, 100.5, 100.6)
    script.steps.join()
    kept = take(frames, 3)
    assert [frame.grabbed for frame in kept] == [100.4, 100.5, 100.6]
    assert [frame.gap for frame in kept] == [2, 0, 0]
    assert [frame.index for frame in kept] == [3, 4, 5]


@pytest.mark.promise(
    "a slow camera, or one that loses frames",
    "what it lost is a gap that is counted",
    "1 of 1",
)
@pytest.mark.parametrize(("late_s", "gap"), [(0.14, 0), (0.16, 1), (0.2, 1), (0.31, 2), (2.0, 19)])
def test_a_late_stamp_counts_the_frames_lost_before_the_grab(started, late_s, gap):
    script, _, frames = started()
    script.play(101.0, 101.0 + late_s)
    first, second = take(frames, 2)
    assert second.gap == gap
    assert second.index - first.index == gap + 1


def test_a_network_that_holds_frames_back_loses_none_until_they_are_away_for_longer_than_a_burst(started):
    script, _, frames = started(Script(burst_s=0.5))
    script.play(101.0, 101.45, 101.46)
    assert [frame.gap for frame in take(frames, 3)] == [0, 0, 0]
    script.play(102.06)
    assert next(frames).gap == 5


@pytest.mark.promise(
    "a camera's picture that is torn",
    "left out, a gap",
    "1 of 1",
)
def test_a_damaged_picture_is_left_out_and_becomes_a_gap(started):
    script, _, frames = started()
    script.play(100.1, DAMAGED, 100.3)
    assert [frame.gap for frame in take(frames, 2)] == [0, 1]


@pytest.mark.promise(
    "a camera is unplugged, and comes back",
    "looked for again with growing pauses; its time runs on, the gap is counted",
    "1 of 1",
)
def test_a_lost_camera_is_reopened_with_growing_pauses_while_time_runs_on(started):
    script, _, frames = started(Script(refusals=3))
    script.play(100.1, LOST, 105.1)
    before, after = take(frames, 2)
    assert script.pauses == [0.5, 1.0, 2.0, 2.0]
    assert after.t - before.t == pytest.approx(5.0)
    assert (after.gap, after.index) == (49, 50)
    assert script.devices[0].closed


def test_the_pause_is_short_again_after_a_camera_came_back(started):
    script, _, frames = started()
    script.play(100.1, LOST, LOST, 101.1, LOST, 102.1)
    take(frames, 3)
    assert script.pauses == [0.5, 1.0, 0.5]


@pytest.mark.promise(
    "a camera whose node is there and never delivers",
    "one error in time",
    "1 of 1",
)
def test_a_camera_that_opens_without_a_picture_is_refused():
    script = Script(LOST)
    with pytest.raises(SourceError, match="camera 0 opens but gives no picture"):
        script.camera()
    assert script.devices[0].closed


def test_close_ends_a_waiting_consumer_and_frees_the_device(started):
    script, camera, frames = started()
    ended = threading.Event()
    consumer = threading.Thread(target=lambda: (list(frames), ended.set()), daemon=True)
    consumer.start()
    time.sleep(0.02)
    camera.close()
    assert ended.wait(2.0)
    assert script.devices[0].closed
    assert not [thread for thread in threading.enumerate() if thread.name == "camera 0"]
    camera.close()  # again: nothing happens


@pytest.mark.promise(
    "a frozen camera, whose driver never returns",
    "whoever waits for it can end",
    "1 of 1",
)
def test_close_frees_the_consumer_of_a_camera_whose_driver_hangs(started):
    script, camera, frames = started()
    script.play(100.1, HANGS)
    next(frames)
    ended = threading.Event()
    threading.Thread(target=lambda: (list(frames), ended.set()), daemon=True).start()
    closing = threading.Thread(target=camera.close)
    closing.start()
    assert ended.wait(1.5)
    script.freed.set()
    closing.join()


def test_close_interrupts_the_pause_before_a_lost_camera_is_tried_again():
    script = Script(FIRST, LOST)
    patient = structs.replace(CONFIG, late_s=0.1, reopen_first_s=60.0)
    camera = Camera("0", patient, script.open, clock=lambda: script.now)  # with its own, real pause
    script.steps.join()
    camera.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "camera 0"]
    assert len(script.devices) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_fails_ends_the_frames_with_an_error(started):
    script, _, frames = started()
    script.play(BROKEN)
    with pytest.raises(SourceLost, match="camera 0 can no longer be read"):
        next(frames)
