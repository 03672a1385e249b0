import json

import msgspec
import pytest
from messages import event

from realtime.pipeline import summary
from realtime.pipeline.people import Presence
from realtime.pipeline.summary import RunCounter, lines, plain
from realtime.pipeline.timing import Took

EVENT = event(
    7,
    12.312345,
    t=12.5,
    onset_s=12.2,
    offset_s=12.45,
    emitted_s=12.5,
    confidence=0.8123456,
    probabilities={"head": {"surprise": 0.8123456, "negative": 0.1876544}},
    quality=("dark",),
)


def changed(**changes):
    return msgspec.structs.replace(EVENT, **changes)


def ids(counts):
    return [(found["id"], found["offset_s"]) for found in counts.summary().events]


def test_the_keys_of_the_json_are_as_promised():
    counts = RunCounter()
    counts.frame(0.0, 0)
    counts.face(Presence(1, 0.0, 2.0))
    counts.event(EVENT)
    counts.timings.add("total", Took(0.01, 0.0))
    counts.timings.add("track", Took(0.002, 0.001))
    tree = json.loads(msgspec.json.encode(counts.summary()))
    assert set(tree) == {
        *("frames", "gaps", "fps", "latency_ms", "stages_ms"),
        *("faces", "events", "rss_mb", "left_out", "note"),
    }
    assert tree["latency_ms"] == {"p50": 10.0, "p95": 10.0, "p99": 10.0}
    assert tree["stages_ms"] == {"track": {"p50": 2.0, "p95": 2.0, "p99": 2.0}}
    assert tree["faces"] == [{"id": 1, "first_s": 0.0, "last_s": 2.0}]
    assert list(tree["events"][0]) == [
        *("id", "face", "kind", "onset_s", "apex_s", "offset_s", "emitted_s"),
        *("label", "confidence", "probabilities", "quality"),
    ]
    assert tree["rss_mb"] > 10


def test_an_event_is_plain_and_rounded():
    assert plain(EVENT) == {
        "id": 7,
        "face": 1,
        "kind": "micro",
        "onset_s": 12.2,
        "apex_s": 12.3123,
        "offset_s": 12.45,
        "emitted_s": 12.5,
        "label": "surprise",
        "confidence": 0.8123,
        "probabilities": {"head": {"surprise": 0.8123, "negative": 0.1877}},
        "quality": ["dark"],
    }


def test_the_final_answer_replaces_the_early_one():
    counts = RunCounter()
    counts.event(changed(stage="early", offset_s=None))
    counts.event(changed(id=8, stage="early", offset_s=None))
    assert ids(counts) == [(7, None), (8, None)]
    counts.event(changed(stage="final"))
    assert sorted(ids(counts)) == [(7, 12.45), (8, None)]


def test_a_withdrawn_event_is_no_event():
    counts = RunCounter()
    counts.event(changed(stage="early", offset_s=None))
    counts.event(changed(stage="withdrawn", reason="unsure"))
    counts.event(changed(id=8, stage="withdrawn", reason="head"))
    assert ids(counts) == []


@pytest.mark.promise("a run of hours slows down or grows", "what is kept of it is bounded", "1 of 1")
def test_no_run_is_so_long_that_its_events_fill_the_memory(monkeypatch):
    monkeypatch.setattr(summary, "KEPT_EVENTS", 3)
    counts = RunCounter()
    for number in range(5):
        counts.event(changed(id=number))
    counts.event(changed(id=1, offset_s=99.0))  # one that is kept is still brought up to date
    assert sorted(ids(counts)) == [(0, 12.45), (1, 99.0), (2, 12.45)]


def test_frames_and_gaps_are_counted_and_the_rate_is_of_the_sources_clock():
    counts = RunCounter()
    assert counts.rate_hz == 0.0
    for index in range(200):
        counts.frame(index / 25.0, gap=int(index % 50 == 49))
    assert (counts.frames, counts.gaps) == (200, 4)
    assert counts.rate_hz == pytest.approx(25.0)
    assert counts.summary().fps > 0


def test_the_rate_is_that_of_the_newest_frames():
    counts = RunCounter()
    for index in range(100):
        counts.frame(index / 10.0, 0)
    for index in range(summary.RECENT):
        counts.frame(10.0 + index / 50.0, 0)
    assert counts.rate_hz == pytest.approx(50.0)


def test_a_clock_that_stands_still_has_no_rate():
    counts = RunCounter()
    counts.frame(1.0, 0)
    counts.frame(1.0, 0)
    assert counts.rate_hz == 0.0


def test_a_presence_goes_on_being_filled_in():
    counts = RunCounter()
    presence = Presence(3, 1.0, 1.0)
    counts.face(presence)
    presence.last_s = 4.25
    assert counts.summary().faces == [{"id": 3, "first_s": 1.0, "last_s": 4.25}]


def test_a_run_without_frames_has_a_summary_and_a_table():
    found = RunCounter().summary()
    assert (found.frames, found.fps, found.latency_ms["p99"], found.faces, found.events) == (0, 0.0, 0.0, [], [])
    assert any(line.split()[:2] == ["frames", "0"] for line in lines(found, "nothing"))


def test_the_table_has_every_stage_and_number():
    counts = RunCounter()
    counts.frame(0.0, 2)
    counts.event(EVENT)
    for name in ("track", "publish", "total"):
        counts.timings.add(name, Took(0.0123, 0.0))
    table = "\n".join(lines(counts.summary(), "a clip"))
    for part in ("a clip", "gaps 2", "track", "publish", "12.3 ms", "events             1"):
        assert part in table


def test_what_was_left_out_at_the_end_stands_below_the_table():
    counts = RunCounter()
    assert counts.summary().left_out == ""
    counts.left_out = "This computer is too slow for the camera."
    assert list(lines(counts.summary(), "a clip"))[-1] == counts.left_out


def noted(frames, rate_hz, *seen):
    """The note of so many frames; `seen` are the first and last frame of each face."""
    counts = RunCounter()
    for index in range(frames):
        counts.frame(index / rate_hz, 0)
    for id, (first, last) in enumerate(seen):
        counts.face(Presence(id, first / rate_hz, last / rate_hz))
    found = counts.summary()
    assert [line for line in lines(found, "a clip") if line == found.note] == ([found.note] if found.note else [])
    return found.note


def test_a_clip_in_which_nothing_can_be_found_says_so_once_and_says_what_to_do():
    nobody, brief, still = noted(30, 30.0), noted(40, 30.0, (0, 2), (30, 33)), noted(1, 30.0, (0, 0))
    assert "no face was found in 30 frames" in nobody
    assert "seen for 0.10 s, at 30 frames a second; wanted at least 0.13 s" in brief
    assert "seen for a single frame; wanted several frames" in still
    assert all("before the onset and after the offset" in note for note in (brief, still))


def test_a_clip_that_can_be_judged_has_no_note():
    assert noted(40, 30.0, (0, 2), (30, 35)) == noted(30, 200.0, (0, 25)) == noted(0, 30.0) == ""
