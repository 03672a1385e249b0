"""Painted faces, found by a list of landmarks, through the real stages, engines and sockets."""

import threading
import time
from dataclasses import replace

import cv2
import msgspec
import numpy as np
import pytest
from waiting import meet

from realtime import config
from realtime.capture.remote import decoded
from realtime.engine import factory
from realtime.errors import EngineError, EngineLost, SourceLost
from realtime.faces.track import Tracker
from realtime.pipeline import front
from realtime.pipeline.pipeline import Pipeline
from realtime.publish import Publisher, Subscriber
from realtime.recognition.heads import engines
from realtime.recognition.recognise import Judges
from realtime.records import Frame

RATE_HZ = 60.0
WIDTH, HEIGHT, EYE_PX = 640, 240, 80.0
ONSET, APEX, OFFSET = 1.2, 1.35, 1.55
PLACES = {"left": (160.0, 90.0), "right": (480.0, 90.0)}
#: The inner brows, from the eyes' middle, in eye distances.
BROWS = np.array([(-0.22, -0.22), (0.22, -0.22)]) * EYE_PX


LOOKBACK_S = 0.05  #: of the tiny spotter
#: It says little but that something rises.
LIKELY = {"open": 0.6, "close": 0.3, "early": 0.7, "micro": 0.7, "macro": 0.7, "fall": 0.05, "micro_max_s": 0.5}


def brow_raise(t):
    """0 at onset and offset, 1 at the apex."""
    x = (t - ONSET) / (APEX - ONSET) if t < APEX else (OFFSET - t) / (OFFSET - APEX)
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0))


class Painter:
    """Pictures of a noisy texture whose brows rise at the scripted times."""

    def __init__(self, places):
        rng = np.random.default_rng(3)
        texture = cv2.GaussianBlur(rng.uniform(0, 255, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 3.0)
        self.texture = cv2.normalize(texture, None, 20, 235, cv2.NORM_MINMAX)
        self.rng = rng
        self.x, self.y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
        brows = [np.add(PLACES[place], brow) for place in places for brow in BROWS]
        self.near = sum(np.exp(-((self.x - x) ** 2 + (self.y - y) ** 2) / (2 * 10.0**2)) for x, y in brows)

    def picture(self, t):
        rise = (0.1 * EYE_PX * brow_raise(t) * self.near).astype(np.float32)
        moved = cv2.remap(self.texture, self.x, self.y + rise, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        noise = self.rng.normal(0.0, 1.0, moved.shape)
        return np.clip(moved + noise, 0, 255).astype(np.uint8)


class Film:
    """A source of frames, which may be lost or hang, and the landmarker that knows where the faces in them are."""

    rate_hz = RATE_HZ
    dropped = 0
    live = False

    def __init__(self, frames, faces, *, lost=False, hangs=False):
        self._frames, self._lost, self._hangs = frames, lost, hangs
        self._faces = {id(frame.image): found for frame, found in zip(frames, faces, strict=True)}
        self.closed = threading.Event()

    def frames(self):
        for frame in self._frames:
            if self.closed.is_set():
                return
            yield replace(frame, grabbed=time.monotonic())
        if self._lost:
            raise SourceLost("camera 0 can no longer be read; start again")
        if self._hangs:
            self.closed.wait(30.0)

    def close(self):
        self.closed.set()

    def count(self, image):
        return len(self._faces[id(image)])

    def find(self, image, faces):
        return self._faces[id(image)][:faces]


class Recording(Publisher):
    """The real publisher, which also keeps what it sent."""

    def __init__(self, settings):
        super().__init__(settings)
        self.states, self.events, self.metas = [], [], []

    def state(self, state):
        self.states.append(state)
        super().state(state)

    def event(self, event):
        self.events.append(super().event(event))
        return self.events[-1]

    def meta(self, meta):
        self.metas.append(meta)
        return super().meta(meta)


@pytest.fixture(scope="module")
def settings(packages):
    changes = {
        "engines.folder": packages,
        "engines.dynamic": "",
        "engines.units": "",
        "engines.head": "head",
        "engines.device": "cpu",
        "engines.precision": "f32",
        "align.size_px": 48,
        "publish.state_port": 0,
        "publish.events_port": 0,
        "publish.linger_s": 0.1,
    } | {f"spotter.{key}": value for key, value in LIKELY.items()}
    return config.load(overrides=[f"{key}={value}" for key, value in changes.items()])


@pytest.fixture(scope="module")
def pair(settings):
    return engines(settings)


@pytest.fixture(scope="module")
def shown():
    """Frames of two seconds in which both faces raise their brows once."""
    painter = Painter(PLACES)
    times = [number / RATE_HZ for number in range(120)]
    return [Frame(painter.picture(t), t, number, 0, 0.0) for number, t in enumerate(times)]


@pytest.fixture
def publisher(settings):
    with Recording(settings.publish) as publisher:
        yield publisher


@pytest.fixture
def play(settings, pair, publisher, monkeypatch):
    """Make the pipeline of a film, without mediapipe."""

    class Found(Tracker):
        def close(self):
            """The film is the source as well, and that is closed by the pipeline."""

    def made(film, told=None, pair=pair, settings=settings, **changes):
        monkeypatch.setattr(front, "open_landmarker", lambda stages: film)
        monkeypatch.setattr(front, "Tracker", Found)
        publish = msgspec.structs.replace(settings.publish, **changes)
        return Pipeline(msgspec.structs.replace(settings, publish=publish), film, publisher, pair, told)

    return made


@pytest.fixture
def left(drawn_face):
    return drawn_face(*PLACES["left"], EYE_PX)


@pytest.fixture
def right(drawn_face):
    return drawn_face(*PLACES["right"], EYE_PX)


def stages_by_id(events):
    found = {}
    for event in events:
        found.setdefault((event.face, event.id), []).append(event.stage)
    return found


def test_every_meta_says_that_the_cpu_runs_instead_of_the_gpu(settings, play, publisher, shown, monkeypatch):
    def missing():
        raise EngineLost("CUDA cannot be used:", ["no device"])

    monkeypatch.setattr(factory, "gpu", missing)
    there = msgspec.structs.replace(settings.engines, device="cuda", fallback=True)
    play(Film(shown[:3], [[]] * 3), pair=engines(msgspec.structs.replace(settings, engines=there))).run()
    assert publisher.metas
    for meta in publisher.metas:
        encoder, spotter, head = meta.engines
        assert spotter.fallback is None  # the CPU is where it is meant to be
        assert all("engines.device is cuda" in engine.fallback for engine in (encoder, head))
        assert all(engine.backend.startswith("openvino") for engine in meta.engines)


def test_every_frame_is_counted_and_has_a_state(shown, left, right, play, publisher):
    film = Film(shown[:30], [[left, right]] * 30)
    summary = play(film).run()
    assert (summary.frames, summary.gaps) == (30, 0)
    assert [(state.frame, state.t) for state in publisher.states] == [(frame.index, frame.t) for frame in shown[:30]]
    for state in publisher.states:
        assert [face.id for face in state.faces] == [1, 2]
        assert all(face.landmarks is None and face.threshold == LIKELY["open"] for face in state.faces)
        assert all(sum(face.expression.values()) == pytest.approx(1.0) for face in state.faces)
        assert 0 < state.latency_ms < 10_000
    assert list(summary.stages_ms) == ["queue", "track", "align", "encode", "motion", "spot", "publish"]
    assert summary.latency_ms["p50"] > summary.stages_ms["encode"]["p50"] > 0
    assert summary.faces == [{"id": id, "first_s": 0.0, "last_s": round(29 / RATE_HZ, 3)} for id in (1, 2)]
    assert film.closed.is_set()


class Counted:
    """An engine that counts its calls and takes `seconds` longer for each."""

    def __init__(self, engine, seconds=0.0):
        self.engine, self.seconds, self.calls = engine, seconds, 0
        self.manifest, self.precision, self.backend, self.fallback = engine.manifest, "f32", "counted", None

    def run(self, inputs):
        self.calls += 1
        time.sleep(self.seconds)
        return self.engine.run(inputs)


def at_rate(frames, rate_hz):
    return [replace(frame, t=number / rate_hz, index=number) for number, frame in enumerate(frames)]


@pytest.mark.parametrize(("encoder_hz", "seen"), [("auto", 30), (10.0, 10), (60.0, 60), (15.0, 15)])
def test_the_encoder_has_a_rate_of_its_own_and_every_frame_a_state(
    shown, left, play, settings, pair, publisher, encoder_hz, seen
):
    encoder = Counted(pair[0])
    chosen = msgspec.structs.replace(settings, engines=msgspec.structs.replace(settings.engines, encoder_hz=encoder_hz))
    play(Film(shown[:60], [[left]] * 60), pair=(encoder, pair[1]), settings=chosen).run()
    assert encoder.calls == pytest.approx(seen, abs=1)  # a frame that comes a little early is seen
    assert len(publisher.states) == 60
    assert all(sum(state.faces[0].expression.values()) == pytest.approx(1.0) for state in publisher.states)
    assert publisher.metas[-1].encoder_hz == (30.0 if encoder_hz == "auto" else encoder_hz)


def test_a_camera_slower_than_the_encoder_is_seen_frame_by_frame(shown, left, play, pair):
    encoder = Counted(pair[0])
    play(Film(at_rate(shown[:50], 25.0), [[left]] * 50), pair=(encoder, pair[1])).run()
    assert encoder.calls == 50


def test_all_faces_are_seen_together_and_who_is_new_at_once(shown, left, right, play, pair, publisher):
    encoder = Counted(pair[0])
    play(Film(shown[:100], [[left]] * 31 + [[left, right]] * 69), pair=(encoder, pair[1])).run()
    come = next(state for state in publisher.states if len(state.faces) == 2)
    assert all(face.expression for face in come.faces)
    assert encoder.calls in (50, 51)  # a newcomer may come between two frames that are seen


def test_an_event_is_found_and_named_however_seldom_the_encoder_looks(shown, left, play, settings, publisher):
    seldom = msgspec.structs.replace(settings, engines=msgspec.structs.replace(settings.engines, encoder_hz=2.0))
    play(Film(shown, [[left]] * 120), settings=seldom).run()
    assert [event.stage for event in publisher.events] == ["early", "final"]


def test_a_slow_encoder_on_a_live_camera_is_asked_less_often(shown, left, play, pair, publisher, caplog):
    encoder = Counted(pair[0], seconds=0.06)
    film = Film(at_rate(shown[:75], 30.0), [[left]] * 75)
    film.live = True
    summary = play(film, pair=(encoder, pair[1])).run()
    last = publisher.metas[-1]
    assert last.encoder_hz < 30.0
    assert "expressions are judged" in last.left_out == summary.left_out
    assert encoder.calls < 65
    assert sum("too slow for the camera" in message for message in caplog.messages) >= 1


@pytest.mark.promise(
    "a computer that is too slow",
    "frames are left out as gaps that are told; latency does not grow",
    "1 of 1",
)
def test_what_is_slow_before_the_encoder_leaves_out_frames_as_gaps(shown, left, play, publisher):
    film = Film(at_rate(shown[:119], 60.0), [[left]] * 119)
    film.live, find = True, film.find

    def slow(image, faces):
        time.sleep(0.03)
        return find(image, faces)

    film.find = slow
    summary = play(film, landmarks=True).run()
    last = publisher.metas[-1]
    assert 0 < last.dropped == summary.gaps <= 119 - summary.frames  # what is left out at the very end is nobody's gap
    assert "frames a second are looked at" in last.left_out
    assert publisher.states[0].faces[0].landmarks is not None
    assert publisher.states[-1].faces[0].landmarks is None
    assert publisher.states[-1].gap > 0


def test_a_recording_that_plays_fast_is_slowed_by_nothing_and_gives_nothing_up(shown, left, play, pair, publisher):
    encoder = Counted(pair[0], seconds=0.02)
    play(Film(at_rate(shown[:75], 60.0), [[left]] * 75), pair=(encoder, pair[1])).run()
    assert (publisher.metas[-1].left_out, publisher.metas[-1].encoder_hz) == ("", 30.0)
    assert encoder.calls == 38


def test_lost_frames_are_counted_and_told(shown, left, play, publisher):
    frames = [replace(frame, index=frame.index * 3, gap=2 * (frame.index > 0)) for frame in shown[:5]]
    assert play(Film(frames, [[left]] * 5)).run().gaps == 8
    assert [(state.frame, state.gap) for state in publisher.states] == [(0, 0), (3, 2), (6, 2), (9, 2), (12, 2)]
    assert publisher.metas[-1].gaps == 8


def test_landmarks_travel_when_they_are_asked_for(shown, left, play, publisher):
    play(Film(shown[:2], [[left]] * 2), landmarks=True).run()
    assert publisher.states[-1].faces[0].landmarks == pytest.approx(np.round(left[:, :2].astype(float), 1))


def test_a_movement_is_told_early_and_finally_to_whoever_listens(shown, left, play, settings, publisher):
    told = []
    ports = {"state_port": publisher.state_port, "events_port": publisher.events_port, "replay_port": 0}
    with Subscriber(msgspec.structs.replace(settings.publish, **ports), states=None, events=True) as subscriber:
        meet(publisher, subscriber)
        summary = play(Film(shown, [[left]] * 120), told.append).run()
        heard = [subscriber.receive(5.0) for _ in publisher.events]
    early, final = publisher.events
    assert [received.message for received in heard] == [early, final]
    assert [received.topic for received in heard] == ["event/0/micro"] * 2
    assert [event.stage for event in told] == ["early", "final"]
    assert (early.id, early.stage, early.offset_s) == (final.id, "early", None)
    assert (final.stage, final.kind, final.rate_hz) == ("final", "micro", pytest.approx(RATE_HZ))
    assert ONSET - 0.05 < final.onset_s < final.apex_s == pytest.approx(APEX, abs=0.05)
    assert APEX < early.emitted_s < final.emitted_s < OFFSET + 0.1
    assert [event["id"] for event in summary.events] == [final.id]
    scores = [state.faces[0].score for state in publisher.states]
    assert 0.0 <= scores[-1] < LIKELY["close"] < LIKELY["open"] < max(scores) <= 1.0


@pytest.mark.parametrize("name", ["apex", "change", "clips", "fields"])
def test_any_engine_of_events_runs_live_and_speaks_its_own_labels(shown, left, play, pair, settings, publisher, name):
    chosen = msgspec.structs.replace(settings, engines=msgspec.structs.replace(settings.engines, head=name))
    encoder, judges = engines(chosen)
    [judge] = judges.micro
    play(Film(shown, [[left]] * 120), pair=(encoder, judges)).run()
    assert [event.stage for event in publisher.events] == ["early", "final"]
    for event in publisher.events:
        assert event.label in judge.manifest.labels
        assert tuple(event.probabilities[name]) == judge.manifest.labels
        assert sum(event.probabilities[name].values()) == pytest.approx(1.0)
    assert publisher.metas[-1].engines[-1].labels == judge.manifest.labels


def test_engines_that_judge_together_are_published_each_and_as_one(shown, left, play, settings, publisher):
    chosen = msgspec.structs.replace(settings, engines=msgspec.structs.replace(settings.engines, head="head+fields"))
    play(Film(shown, [[left]] * 120), pair=engines(chosen)).run()
    assert [event.stage for event in publisher.events] == ["early", "final"]
    for event in publisher.events:
        assert set(event.probabilities) == {"head", "fields", "head+fields+encoder", "encoder"}
        together = event.probabilities["head+fields+encoder"]
        assert sum(together.values()) == pytest.approx(1.0)
        assert event.label == max(("negative", "positive", "surprise"), key=together.get)
    assert [engine.name for engine in publisher.metas[-1].engines] == ["encoder", "spotter", "head", "fields"]


def test_pictures_of_an_event_are_kept_only_where_they_are_wished_for(shown, left, play, publisher):
    pipeline = play(Film(shown, [[left]] * 120))
    pipeline.run()
    assert pipeline.moments.pictures(publisher.events[-1].id) is None
    pipeline = play(Film(shown, [[left]] * 120), lambda event: kept.append(pipeline.moments.pictures(event.id)))
    kept = []
    pipeline.change(replace(pipeline.wish, pictures=True))
    pipeline.run()
    jpegs = kept[-1].onset, kept[-1].apex, kept[-1].exaggerated
    onset, apex, larger = (decoded(each, config.load().streams) for each in jpegs)
    still, moved, exaggerated = (np.abs(each.astype(int) - onset).mean() for each in (onset, apex, larger))
    assert still == 0.0 < moved < exaggerated
    pipeline.change(replace(pipeline.wish, pictures=False))
    assert pipeline.moments.pictures(publisher.events[-1].id) is None


def test_the_state_of_a_frame_goes_out_before_its_events_are_judged(shown, left, play, publisher):
    states = []
    play(Film(shown, [[left]] * 120), lambda event: states.append(publisher.states[-1].t)).run()
    assert len(states) == len(publisher.events) > 1
    assert states == [event.emitted_s for event in publisher.events]


def test_a_flow_that_fails_ends_the_run_with_its_error(shown, left, play, monkeypatch):
    def fails(self, crop):
        raise MemoryError("no room for a flow")

    monkeypatch.setattr(front.LaggedFlow, "push", fails)
    film = Film(shown[:30], [[left]] * 30)
    with pytest.raises(MemoryError, match="no room for a flow"):
        play(film).run()
    assert film.closed.is_set()


def test_a_face_that_is_away_for_too_long_to_come_again_is_forgotten(shown, left, right, play, settings):
    faces = [[left]] * 10 + [[left, right]] * 110
    away = msgspec.structs.replace(settings.track, retire_s=0.5)
    pipeline = play(
        Film(shown, [*faces[:20], *([[left]] * 100)]), settings=msgspec.structs.replace(settings, track=away)
    )
    pipeline.run()
    assert list(pipeline._front._followed) == [1]


def test_a_head_that_does_not_fit_is_not_taken(shown, left, play, pair):
    pipeline = play(Film(shown[:2], [[left]] * 2))
    with pytest.raises(EngineError, match="do not fit together"):
        pipeline.change(replace(pipeline.wish, judges=Judges((pair[0],))))
    assert pipeline.wish.judges is pair[1]


def test_a_calibration_ends_the_open_event_and_hushes_what_follows(shown, left, play, publisher):
    pipeline = play(Film(shown, [[left]] * 120), lambda event: pipeline.calibrate())
    pipeline.run()
    assert [event.stage for event in publisher.events] == ["early", "withdrawn"]
    assert publisher.events[-1].emitted_s - publisher.events[0].emitted_s < 0.1
    assert publisher.events[-1].reason == "calibrated"


def test_events_are_numbered_over_all_faces(shown, left, right, play, publisher):
    play(Film(shown, [[left, right]] * 120)).run()
    found = stages_by_id(publisher.events)
    assert list(found.values()) == [["early", "final"]] * 2
    assert sorted(face for face, _ in found) == [1, 2]
    assert sorted(id for _, id in found) == [1, 2]
    assert [event.seq for event in publisher.events] == [1, 2, 3, 4]


def test_meta_comes_at_the_start_every_second_and_at_the_end(shown, left, play, publisher):
    play(Film(shown, [[left]] * 120)).run()
    assert [meta.t for meta in publisher.metas] == pytest.approx([0.0, 1.0, shown[-1].t], abs=1e-5)
    assert [(meta.frames, meta.faces) for meta in publisher.metas] == [(1, 1), (61, 1), (120, 0)]
    last = publisher.metas[-1]
    assert [engine.name for engine in last.engines] == ["encoder", "spotter", "head"]
    assert {engine.precision for engine in last.engines} == {"f32"}
    assert last.rate_hz == pytest.approx(RATE_HZ)
    assert last.shortest_event_s == pytest.approx(4 / RATE_HZ)
    assert {"queue", "track", "align", "encode", "motion", "spot", "publish", "tell", "total"} == set(last.latency_ms)


def test_meta_is_never_ahead_of_the_frames(shown, play, publisher):
    play(Film(shown[:70], [[]] * 70)).run()
    assert [meta.t for meta in publisher.metas] == pytest.approx([0.0, 1.0, shown[69].t], abs=1e-5)


@pytest.mark.promise(
    "a source is lost while an event is open",
    "the event is ended, the error told",
    "1 of 1",
)
def test_a_source_that_is_lost_ends_the_open_event_and_is_raised(shown, left, play, publisher):
    film = Film(shown[:88], [[left]] * 88, lost=True)  # after the early answer, before the offset
    pipeline = play(film)
    with pytest.raises(SourceLost, match="start again"):
        pipeline.run()
    assert [event.stage for event in publisher.events] == ["early", "final"]  # its apex was seen
    assert publisher.events[-1].kind == "micro"
    assert publisher.metas[-1].frames == 88
    assert film.closed.is_set()
    summary = pipeline.counts.summary()
    assert summary.frames == 88
    assert [event["kind"] for event in summary.events] == ["micro"]


@pytest.mark.promise(
    "an engine fails under way",
    "told; no thread hangs",
    "1 of 1",
)
def test_what_fails_in_the_encoder_is_raised(shown, left, play, pair, publisher, monkeypatch):
    def broken(inputs):
        raise EngineError("encoder cannot take these inputs:", ["they are too many"])

    monkeypatch.setattr(pair[0], "run", broken)
    film = Film(shown[:10], [[left]] * 10)
    with pytest.raises(EngineError, match="too many"):
        play(film).run()
    assert film.closed.is_set()
    assert (publisher.metas[-1].frames, publisher.states) == (1, [])


def test_its_threads_end_with_it(shown, left, play):
    before = threading.active_count()
    play(Film(shown[:10], [[left]] * 10)).run()
    assert threading.active_count() <= before


def test_an_error_of_whoever_is_told_ends_everything_in_order(shown, left, play, publisher):
    def gone(event):
        raise BrokenPipeError

    film = Film(shown, [[left]] * 120)
    with pytest.raises(BrokenPipeError):
        play(film, gone).run()
    assert film.closed.is_set()


@pytest.mark.promise(
    "a face that leaves in the middle of an event",
    "its event is ended",
    "1 of 1",
)
def test_a_face_that_leaves_ends_its_event_when_it_is_given_up(shown, left, play, publisher, settings):
    blank = np.zeros_like(shown[0].image)
    away = [Frame(blank, number / RATE_HZ, number, 0, 0.0) for number in range(88, 180)]
    film = Film([*shown[:88], *away], [[left]] * 88 + [[]] * 92)
    summary = play(film).run()
    assert [event.stage for event in publisher.events] == ["early", "final"]
    last = publisher.events[-1]
    left_at = 87 / RATE_HZ
    assert summary.faces == [{"id": 1, "first_s": 0.0, "last_s": round(left_at, 3)}]
    assert last.offset_s == pytest.approx(left_at - LOOKBACK_S, abs=1.01 / RATE_HZ)  # and a tick
    assert last.emitted_s == pytest.approx(left_at + settings.track.retire_s, abs=1.01 / RATE_HZ)  # of the telling
    assert publisher.metas[-1].faces == 0


def test_a_face_that_is_away_for_a_moment_stays_the_same(shown, left, play, publisher):
    faces = [[left]] * 10 + [[]] * 5 + [[left]] * 25
    summary = play(Film(shown[:40], faces)).run()
    assert [face["id"] for face in summary.faces] == [1]
    counted = [len(state.faces) for state in publisher.states]
    assert counted[:15] == [1] * 10 + [0] * 5
    assert counted[15:] == sorted(counted[15:])  # found again at the next look for newcomers
    assert counted[-1] == 1


@pytest.mark.promise(
    "the size of frames changes before the engines",
    "nothing is lost",
    "1 of 1",
)
def test_frames_may_change_their_size(shown, left, play, publisher):
    small = [
        replace(frame, image=cv2.resize(frame.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
        for frame in shown[30:60]
    ]
    summary = play(Film([*shown[:30], *small], [[left]] * 30 + [[left / 2]] * 30)).run()
    assert summary.frames == 60
    assert len(publisher.states[-1].faces) == 1


@pytest.mark.promise(
    "no face",
    "states go on, no event is told",
    "1 of 1",
)
def test_a_stream_without_faces_has_states_and_no_events(shown, play, publisher):
    summary = play(Film(shown[:10], [[]] * 10)).run()
    assert (summary.frames, summary.faces, summary.events) == (10, [], [])
    assert [state.faces for state in publisher.states] == [()] * 10


def test_a_stream_without_frames_has_a_summary_and_one_meta(play, publisher):
    summary = play(Film([], [])).run()
    assert (summary.frames, summary.fps, summary.faces) == (0, 0.0, [])
    assert [(meta.t, meta.frames, meta.shortest_event_s) for meta in publisher.metas] == [(0.0, 0, None)]


def test_it_ends_after_so_many_seconds_of_the_source(shown, left, play):
    assert play(Film(shown, [[left]] * 120)).run(seconds=0.5).frames == 30


@pytest.mark.parametrize(("lead", "tail"), [(0.0, -0.05), (0.0, 0.0), (0.1, 0.0), (0.0, 0.1)])
def test_a_clip_that_is_cut_at_onset_and_offset_tells_what_is_in_it(shown, left, play, publisher, lead, tail):
    cut = [frame for frame in shown if ONSET - lead - 1e-6 <= frame.t <= OFFSET + tail + 1e-6]
    frames = [replace(frame, t=frame.t - cut[0].t, index=number) for number, frame in enumerate(cut)]
    play(Film(frames, [[left]] * len(frames))).run()
    assert [event.stage for event in publisher.events] == ["early", "final"]
    final = publisher.events[-1]
    assert final.kind == "micro"
    assert final.apex_s + cut[0].t == pytest.approx(APEX, abs=0.05)
    assert 0.0 <= final.onset_s < final.apex_s < final.offset_s <= final.emitted_s <= frames[-1].t


def test_who_comes_later_is_not_taken_to_have_stood_still_before(shown, left, play, publisher):
    cut = [frame for frame in shown if ONSET - 0.2 < frame.t <= OFFSET + 1e-6]
    before = sum(frame.t < ONSET for frame in cut)
    play(Film(cut, [[]] * before + [[left]] * (len(cut) - before))).run()
    scores = [state.faces[0].score for state in publisher.states if state.faces]
    assert not any(scores[:10])  # until half of the lag is over
    assert any(scores[10:])


def test_who_left_before_the_source_was_over_is_not_taken_to_have_kept_still(shown, left, play, publisher):
    until = next(number for number, frame in enumerate(shown) if frame.t > APEX + 0.1)
    play(Film(shown[: until + 10], [[left]] * until + [[]] * 10)).run()
    assert [event.stage for event in publisher.events][-1:] == ["final"]
    assert publisher.events[-1].offset_s < until / RATE_HZ  # as far as it was seen


def test_stop_ends_it_and_open_events_with_it(shown, left, play, publisher):
    pipeline = play(Film(shown, [[left]] * 120), lambda event: pipeline.stop())
    summary = pipeline.run()
    assert pipeline.stopped
    assert summary.frames < 90
    assert [event.stage for event in publisher.events] == ["early", "final"]


@pytest.mark.promise(
    "a frozen camera when Glimpse is to end",
    "it ends",
    "1 of 1",
)
def test_stop_ends_it_while_the_camera_gives_nothing(shown, left, play):
    film = Film(shown[:3], [[left]] * 3, hangs=True)
    pipeline = play(film)
    threading.Timer(0.3, pipeline.stop).start()
    began = time.monotonic()
    assert pipeline.run().frames == 3
    assert time.monotonic() - began < 3.0
    assert film.closed.is_set()


def test_engines_that_do_not_fit_each_other_are_refused_with_all_reasons(settings):
    wrong = msgspec.structs.replace(
        settings,
        align=msgspec.structs.replace(settings.align, size_px=64),
        engines=msgspec.structs.replace(settings.engines, head="encoder"),
    )
    with pytest.raises(EngineError, match="do not fit together") as found:
        engines(wrong)
    assert len(found.value.reasons) == 2
