"""A session's page: what it says, that it is whole by itself, and that a long one is thinned without losing a peak."""

import base64
import hashlib
import html
import json
import re
import stat
from xml.etree import ElementTree

import pytest

from realtime import session
from realtime.config import ROOT, load
from realtime.errors import SessionError
from realtime.pipeline.loop import Loop
from realtime.schema.message import MomentPictures
from realtime.session.report import digest, timeline, wording
from realtime.session.report import page as report
from realtime.session.report.digest import Curve, FaceDigest, Gap
from realtime.session.survey import survey

MARKS = ("micro", "macro", "withdrawn")


def words_of(text):
    return html.unescape(re.sub(r"<[^>]+>", " ", text))


def section(text, title):
    return text.split(f"<h2>{title}</h2>", 1)[1].split("</section>")[0]


def rows_of(text, title):
    """The cells of the rows of a section's first table."""
    rows = section(text, title).split("</table>")[0].split("<tr>")[2:]
    return [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in rows]


def drawings(text):
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def curve_of(drawing):
    """The points of a drawing's curve: x, y in user units."""
    (path,) = [node for node in drawing.iter() if node.get("stroke-linejoin")]
    numbers = [float(word) for word in path.get("d").replace("M", " ").split()]
    return list(zip(numbers[::2], numbers[1::2], strict=True)), path.get("d").count("M")


@pytest.fixture
def recorded(play):
    return play()


@pytest.fixture
def text(recorded):
    return report.page(recorded)


def test_it_begins_with_what_was_recorded_and_what_that_is_worth(text):
    top = words_of(text.split("<h2>")[0])
    assert "Session of camera room-1" in top
    assert "frames: 197, faces: 1, events: 1, withdrawn: 1" in top
    assert "2023-11-14" in top  # 1,700,001,000 s of Unix time
    assert "without video" in top
    assert "a candidate with a confidence, not a fact" in top
    assert "AI Act" in top


def opened(text):
    """By its place in the page, what each event says and holds."""
    return dict(re.findall(r'<details class="event" id="event-(.*?)"[^>]*>(.*?)</details></details>', text, re.DOTALL))


def test_events_are_told_with_their_last_answer_and_pictures(text, make):
    [(id, told)] = opened(text).items()
    assert id == "1"
    assert "surprise micro, sure to 81 % at 0:02.00, 220 ms long, event 1, face 1" in " ".join(words_of(told).split())
    assert "Onset to apex 100 ms. Onset to offset 220 ms." in words_of(told)
    pictures = re.findall(r'<img alt="(.*?)" src="data:image/jpeg;base64,(.*?)">', told)
    assert [base64.b64decode(picture) for _, picture in pictures] == [make.jpeg(1), make.jpeg(2), make.jpeg(3)]
    assert [said for said, _ in pictures] == [
        "face 1, event 1, at its onset",
        "face 1, event 1, at its apex",
        "face 1, event 1, its movement exaggerated 4 times",
    ]
    assert "Events: 1, 15.1 a minute" in words_of(section(text, "Events"))  # in 3.98 s


@pytest.mark.promise(
    "withdrawn events stand among those that stayed, with confidence 0.00",
    "a count that can be unfolded, each with why",
    "a row each before, unfolded now",
)
def test_what_was_withdrawn_is_a_count_that_can_be_unfolded(text):
    gone = text.split('<details class="gone"')[1]
    assert "1 withdrawn" in gone.split("</summary>")[0]
    assert "too unlikely to be an expression" in words_of(gone)
    assert "0.00" not in words_of(gone)
    assert "withdrawn" not in "".join(opened(text).values())


def test_reasons_are_told_in_the_words_of_the_page():
    script = (ROOT / "realtime" / "view" / "static" / "words.js").read_text()
    for name, said in (("withdrawn", wording.WITHDRAWN), ("quality", wording.QUALITY)):
        of_page = re.search(rf"export const {name} = {{(.*?)}};", script, re.DOTALL)[1]
        assert dict(re.findall(r'(\w+): "(.*?)"', of_page)) == said


@pytest.fixture
def strip(make):
    """Eleven frames of an event that is kept to be seen again."""
    times = tuple(1.5 + i / 10 for i in range(11))
    return Loop(
        times=times,
        side_px=128,
        enlarged=4.0,
        strip=b"RIFF strip",
        offset=make.jpeg(9),
        units={"12": (0.0,) * 5 + (0.5,) * 6},
    )


def test_an_event_is_seen_again_with_its_frames_and_what_moved(room, make, strip, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for frame in range(150):
            recorder.write(make.state(frame, make.face(1, 1.0)))
        recorder.write(make.event(1, 2.0))
        pictures = MomentPictures(onset=make.jpeg(1), apex=make.jpeg(2), exaggerated=make.jpeg(3), times=4.0)
        recorder.moment(1, pictures, strip)
    text = report.page(session.read(tmp_path / "s"))
    told = opened(text)["1"]
    assert base64.b64decode(re.search(r'src="data:image/webp;base64,(.*?)"', told)[1]) == strip.strip
    times = json.loads(html.unescape(re.search(r'data-times="(.*?)"', told)[1]))
    assert times == pytest.approx([t - 1.9 for t in strip.times], abs=1e-4)
    assert [said for said, _ in re.findall(r'<img alt="(face.*?)" src="(.*?)">', told)] == [
        f"face 1, event 1, at its {name}" for name in ("onset", "apex", "offset")
    ]
    assert "AU 12, lip corners up" in told
    assert "AU 12, lip corners up" in section(text, "Timeline")
    assert 'href="#event-1"' in section(text, "Timeline")


def test_a_strip_that_no_recorder_wrote_is_refused(room, make, strip, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.event(1, 2.0))
        recorder.moment(1, MomentPictures(onset=b"", apex=b"", exaggerated=b"", times=4.0), strip)
    path = tmp_path / "s" / "moments" / "1.json"
    said = json.loads(path.read_text())
    for changes in ({"side_px": 10**9}, {"frames_s": [1e12] * 11}, {"units": {"12": [0.0]}}, {"frames_s": [0.0] * 201}):
        path.write_text(json.dumps(said | changes))
        with pytest.raises(SessionError, match="says what no strip of pictures has"):
            report.page(session.read(tmp_path / "s"))


@pytest.mark.promise("a report of a file says camera 0", "the file by its name", "1 of 1")
def test_a_file_that_was_played_is_named(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False, file="Besuch <im> Café.mp4") as recorder:
        recorder.write(make.state(0, make.face(1, 1.0)))
    text = report.page(session.read(tmp_path / "s"))
    assert "<h1>Besuch &lt;im&gt; Café.mp4</h1>" in text
    assert "camera" not in words_of(text).split("Configuration")[0].replace("live camera", "")


def test_expressions_are_bands_under_the_timeline(text):
    likelihood, shares = drawings(text)[:2]
    assert shares.get("aria-label") == "Expressions of face 1"
    assert [node.text for node in shares.iter() if node.tag.endswith("text")] == ["neutral", "happiness"]
    neutral, happiness = (node.get("d") for node in shares.iter() if node.get("fill-opacity"))
    height = lambda d: min(float(word.split()[1]) for word in re.findall(r"[\d.]+ [\d.]+", d))  # noqa: E731
    assert height(neutral) == pytest.approx(26 * 0.25, abs=0.1)
    assert height(happiness) == pytest.approx(32 + 26 * 0.75, abs=0.1)


def test_what_moved_stands_beside_the_label_in_words(room, make, tmp_path):
    units = (make.unit("lip corners up, left more than right"), make.unit("jaw down", unit="26"))
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0, make.face(1, 1.0)))
        recorder.write(make.event(1, 0.5, units=units))
    told = opened(report.page(session.read(tmp_path / "s")))["1"]
    assert "Lip corners up, left more than right; jaw down." in words_of(told)


def test_rates_gaps_and_latencies_are_those_of_the_session(text, recorded):
    camera, frames, rate, shortest, gaps, lost, left_out = rows_of(text, "Rates and gaps")[0]
    assert (camera, frames, shortest, gaps, lost, left_out) == ("room-1", "197", "80 ms", "1", "3 (1.5%)", "0")
    assert float(rate) == pytest.approx(196 / 3.98, abs=0.05)
    gap = section(text, "Rates and gaps").split("<table>")[2]
    assert re.findall(r"<td>(.*?)</td>", gap) == ["room-1", "0:01.18", "80 ms", "3"]
    (whole,) = rows_of(text, "Latency")
    assert [float(cell) for cell in whole[1:]] == [12.0, 14.0, 14.0]


def test_what_was_left_out_at_any_time_is_told_with_when_and_for_how_long(room, make, tmp_path):
    few, fewer = "so <b>15</b> frames are looked at.", "so 10 frames are looked at."
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for camera in ("room-1", "b"):
            recorder.write(make.state(0, camera=camera))
            recorder.write(make.state(500, camera=camera))
        for t, sentence in enumerate(("", few, fewer, few, few, "", "", "")):
            recorder.write(make.meta(60.0 + t, left_out=sentence))
        recorder.write(make.meta(61.0, camera="b", left_out=fewer))
    text = report.page(session.read(tmp_path / "s"))
    part = section(text, "Rates and gaps").split("<p>What the computer had no time for:")[1]
    rows = [[html.unescape(cell) for cell in re.findall(r"<td>(.*?)</td>", row)] for row in part.split("<tr>")[2:5]]
    assert rows == [
        ["room-1", "1:01", "1:04", "38%", few],
        ["room-1", "1:02", "1:02", "12%", fewer],
        ["b", "1:01", "1:01", "100%", fewer],
    ]
    assert "<b>" not in part


def test_a_session_that_left_nothing_out_does_not_speak_of_it(text):
    assert "no time for" not in text


def test_of_much_that_was_left_out_the_report_tells_what_lasted_longest(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0))
        for t in range(60):
            recorder.write(make.meta(float(t), left_out=f"so {t if t < 40 else 0} are looked at."))
    part = section(report.page(session.read(tmp_path / "s")), "Rates and gaps").split(
        "<p>What the computer had no time for:"
    )[1]
    assert re.findall(r"so \d+ are", part)[0] == "so 0 are"
    assert len(re.findall(r"so \d+ are", part)) == report.MOST_LEFT_OUT


def test_stages_stand_by_their_name(room, make, tmp_path):
    (percentiles,) = make.meta(1.0).latency_ms.values()
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.meta(1.0, latency_ms={"track": percentiles, "total": percentiles}))
    text = report.page(session.read(tmp_path / "s"))
    assert [row[0] for row in rows_of(text, "Latency")] == ["track", "total"]


def test_faces_say_how_good_they_were_seen(text):
    assert rows_of(text, "Faces") == [["face 1", "0:00.1 to 0:04.0", "192", "neutral 100%", "dark 51%"]]


def test_engines_and_the_configuration_that_differs_are_named(text):
    rows = {row[0]: row for row in rows_of(text, "Engines")}
    assert set(rows) == {"cmn", "encoder"}
    assert "cpu bf16" in rows["encoder"]
    assert "FER" in " ".join(rows["encoder"][2:])
    shipped = f"{load().spotter.open:g}"
    assert rows_of(text, "Configuration") == [["spotter.open", "0.11", shipped], ["publish.camera", "room-1", "0"]]


def test_it_is_whole_by_itself(play):
    text = report.page(play(video=True))
    assert re.findall(r"@import|url\(|<script |<link|<iframe|fetch\(|XMLHttp|import ", text) == []
    assert re.findall(r'\bhref="(.*?)"', text) == ["#event-1"]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{known}'" in text
    assert all(source.startswith("data:image/jpeg") for source in re.findall(r'\bsrc="([^"]*)"', text))
    assert set(re.findall(r"https?://[^\s\"<]+", text)) == {"http://www.w3.org/2000/svg"}


def test_ink_and_paper_are_the_readers_and_what_is_drawn_is_said(text):
    assert "color-scheme:light dark" in text
    assert 'name="viewport"' in text
    assert text.count("<img ") == text.count('<img alt="face')
    assert 'aria-label="event 1: micro, surprise, final, apex at 0:02.00"' in text
    assert text.count("<th ") == text.count('<th scope="col"')
    drawing = drawings(text)[0]
    assert drawing.get("role") == "group"  # it has links
    assert drawing.get("aria-label") == "face 1: highest score 9.98, threshold 4.5, 2 events"
    assert {node.get("fill") for node in drawing.iter() if node.tag.endswith("text")} == {"currentColor"}
    assert re.findall(r"<svg", text.split('tabindex="0"', 1)[1])  # reached by keyboard, where it is too wide


@pytest.mark.promise(
    "labels, reasons and units as HTML in a report",
    "text",
    "4 of 4",
)
def test_what_comes_from_outside_is_text(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        recorder.write(make.state(0, make.face(1, 1.0, expression={"<b>": 1.0})))
        recorder.write(make.event(1, 0.5, label="<script>alert(1)</script>", reason="<i>", units=(make.unit("<i>"),)))
    text = report.page(session.read(tmp_path / "s"))
    assert "<script>alert" not in text
    assert "<i>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_the_timeline_shows_the_curve_the_gap_and_the_events_by_shape(text):
    drawing = drawings(text)[0]
    points, pieces = curve_of(drawing)
    assert pieces == 1
    x_of = lambda t: timeline.LEFT + timeline.COLUMNS * t / 3.98  # noqa: E731
    highest = min(points, key=lambda point: point[1])
    assert highest[0] == pytest.approx(x_of(2.0), abs=1.0)
    marks = [(node.get("class"), node.get("fill")) for node in drawing.iter() if node.get("class") in MARKS]
    assert marks == [("micro", "var(--micro)"), ("withdrawn", "none")]
    bars = [node for node in drawing.iter() if node.tag.endswith("rect")]
    gap, micro = bars
    assert float(gap.get("x")) == pytest.approx(x_of(59 / 50), abs=0.1)
    assert float(gap.get("width")) == pytest.approx(timeline.COLUMNS * 0.08 / 3.98, abs=0.2)
    assert float(micro.get("x")) == pytest.approx(x_of(1.9), abs=0.1)
    titles = [node.text for node in drawing.iter() if node.tag.endswith("title")]
    assert titles == [
        "event 1: micro, surprise, final, apex at 0:02.00",
        "event 2: micro, surprise, withdrawn, apex at 0:02.50",
    ]


def test_thinning_an_hour_keeps_every_peak_and_little_else():
    curve = Curve((0.0, 3600.0))
    peaks = {600.05: 9.0, 600.1: 30.0, 2000.0: 12.0}
    for i in range(0, 3600 * 20):
        curve.add(i / 20, 1.0 + (i % 7) / 10)
    for t, value in peaks.items():
        curve.add(t, value)
    found = list(curve)
    assert len(found) == digest.COLUMNS
    assert curve.peak == 30.0
    near = [high for t, _, high in found if abs(t - 600.1) <= curve.width_s / 2]
    assert near == [30.0]
    assert [high for t, _, high in found if abs(t - 2000.0) <= curve.width_s / 2] == [12.0]
    assert {low for _, low, _ in found} == {1.0}


def test_a_face_that_was_away_leaves_a_hole():
    curve = Curve((0.0, 10.0))
    for i in [*range(0, 300), *range(500, 1000)]:
        curve.add(i / 100, 1.0)
    face = FaceDigest(curve, 0.0, last_s=10.0, frames=800, threshold=4.5)
    (drawing,) = drawings(timeline.timeline("face 1", face, (0.0, 10.0), (), ()))
    assert curve_of(drawing)[1] == 2


def test_many_gaps_side_by_side_are_few_bars():
    face = FaceDigest(Curve((0.0, 3600.0)), 0.0, threshold=4.5)
    gaps = [Gap(i / 10, i / 10 + 0.05, 2) for i in range(36_000)]
    (drawing,) = drawings(timeline.timeline("face 1", face, (0.0, 3600.0), (), gaps))
    assert len([node for node in drawing.iter() if node.tag.endswith("rect")]) == 1


@pytest.mark.parametrize(("seconds", "labels"), [
    (1.0, ["0:00.0", "0:00.1"]), (25.0, ["0:00", "0:05"]), (3600.0, ["0:00", "5:00"]), (7300.0, ["0:00", "15:00"]),
])  # fmt: skip
def test_the_axis_counts_as_a_clock_does(seconds, labels):
    face = FaceDigest(Curve((0.0, seconds)), 0.0, threshold=4.5)
    (drawing,) = drawings(timeline.timeline("face 1", face, (0.0, seconds), (), ()))
    found = [node.text for node in drawing.iter() if node.get("text-anchor") == "middle"]
    assert found[:2] == labels
    assert len(found) <= timeline.MOST_TICKS + 1


@pytest.mark.parametrize(
    ("t", "digits", "said"),
    [(0.0, 0, "0:00"), (61.0, 0, "1:01"), (59.96, 1, "1:00.0"), (3725.5, 1, "1:02:05.5"), (7.125, 2, "0:07.12")],
)
def test_times_read_as_on_a_clock(t, digits, said):
    assert timeline.clock(t, digits) == said


def test_only_the_faces_that_were_seen_longest_are_drawn(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for frame in range(40):
            recorder.write(make.state(frame, *(make.face(id, 1.0) for id in range(1, 11) if frame < 2 * id)))
    text = report.page(session.read(tmp_path / "s"))
    assert re.findall(r"<figcaption>(.*?)</figcaption>", text) == [f"face {id}" for id in range(3, 11)]
    assert "8 of 10 faces" in text
    assert len(rows_of(text, "Faces")) == 10


def test_a_session_without_a_message_is_a_page_too(room, tmp_path):
    session.Recorder(tmp_path / "s", room, [], video=False).close()
    words = words_of(report.page(session.read(tmp_path / "s")))
    for said in ("No face was seen", "Nothing was found", "No frame was lost", "No latency", "No engine"):
        assert said in words


def test_two_cameras_are_told_apart(room, make, tmp_path):
    with session.Recorder(tmp_path / "s", room, [], video=False) as recorder:
        for camera in ("room-1", "b"):
            recorder.write(make.state(0, make.face(1, 1.0), camera=camera))
            recorder.write(make.state(5, make.face(1, 1.0), camera=camera))
            recorder.write(make.event(1, 0.05, camera=camera))
    text = report.page(session.read(tmp_path / "s"))
    assert [row[0] for row in rows_of(text, "Faces")] == ["face 1", "face 1 of camera b"]
    assert list(opened(text)) == ["1-b", "1"]
    assert "event 1 of b" in words_of(opened(text)["1-b"])


def test_it_is_written_for_its_owner_alone_or_told_why_not(recorded, tmp_path):
    path = report.write(recorded)
    assert path == recorded.folder / "report.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert report.write(recorded, tmp_path / "mine.html").read_bytes() == path.read_bytes()
    with pytest.raises(SessionError, match="--out"):
        report.write(recorded, tmp_path / "nowhere" / "mine.html")


def test_a_walk_counts_what_it_met(recorded):
    numbers = digest.digest(recorded, survey(recorded))
    assert numbers.spans == {"room-1": (0.0, 3.98)}
    assert numbers.frames == {"room-1": 197}
    assert numbers.gaps == {"room-1": [Gap(59 / 50, 63 / 50, 3)]}
