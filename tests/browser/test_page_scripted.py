"""What the page makes of messages: a server that says what the test wants, and a camera that is Chromium's own."""

import base64
import re

import msgspec
import pytest
from scripted import BOX, Scripted, event, face, meta, picture

from realtime.schema.message import UnitMoved

WAIT = 15_000  # ms; conditions are waited for, and the machine may be busy


@pytest.fixture(scope="module")
def one_server():
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def server(one_server):
    one_server.reset()
    return one_server


@pytest.fixture(scope="module")
def one_page(one_server, open_page):
    return open_page(one_server.url)


@pytest.fixture
def begun(server, one_page):
    """A page whose camera runs, with its first overlay drawn; one page for many tests, since loading it is slow."""
    one_page.evaluate(CLEAN)
    start(one_page)
    yield one_page
    one_page.set_viewport_size({"width": 1280, "height": 720})
    one_page.emulate_media(color_scheme="light")
    one_page.evaluate("() => { if (window.glimpse.running) window.glimpse.toggle() }")


CLEAN = """() => {
    document.querySelectorAll("input[type=checkbox]:checked").forEach((box) => box.click());
    window.glimpse.screen.forget();
    window.glimpse.notice.hide("server");
    document.querySelector("[data-part=details]").open = true;
}"""


def start(page):
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function("window.glimpse.firstOverlayMs !== null", timeout=WAIT)


def until(page, condition):
    """Wait in Python for what the server has heard, while the page goes on."""
    for _ in range(300):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it was waited for in vain")


def message(page):
    return page.locator("[data-part=message]")


def test_nothing_is_sent_before_the_person_presses_start(server, visit):
    page = visit(server.url)
    message(page).get_by_text("Press Start").wait_for()
    assert server.heard[0] == {"do": "hello", "camera": "browser", "landmarks": False, "pictures": False, "head": ""}
    assert server.numbers == []


def test_pictures_go_up_numbered_and_no_more_than_two_wait_for_an_answer(server, begun):
    until(begun, lambda: len(server.numbers) > 20)
    assert server.numbers == sorted(set(server.numbers))
    lag = begun.evaluate("window.glimpse.lag")
    assert 0 < lag["p50"] <= lag["p95"]
    server.faces = lambda: ()
    most = begun.evaluate(
        """async () => {
            const { Flight } = await import("/glimpse/camera/flight.js");
            const flight = new Flight();
            const room = [flight.room];
            for (const number of [3, 7]) { flight.add(number, 10 * number); room.push(flight.room); }
            const left = [flight.answered(3), flight.room, flight.answered(9), flight.answered(7), flight.room];
            return [...room, ...left.map((each) => each ?? null)];
        }"""
    )
    assert most == [True, True, False, 30, True, None, None, True]


def test_the_overlay_lies_on_the_mirrored_picture(server, begun):
    begun.wait_for_function("document.querySelector('[data-part=overlay]').dataset.box")
    drawn = [float(each) for each in begun.locator("[data-part=overlay]").get_attribute("data-box").split()]
    stage = begun.locator(".stage").bounding_box()
    video = begun.evaluate("[document.querySelector('video').videoWidth, document.querySelector('video').videoHeight]")
    scale = min(stage["width"] / video[0], stage["height"] / video[1])
    left = (stage["width"] - video[0] * scale) / 2 + (video[0] - BOX[0] - BOX[2]) * scale
    assert drawn == pytest.approx([left, BOX[1] * scale, BOX[2] * scale, BOX[3] * scale], abs=1.5)
    assert begun.locator("[data-part=overlay]").get_attribute("aria-label") == "Camera picture with one face"


def test_landmarks_are_drawn_where_they_are_asked_for(server, begun):
    assert begun.evaluate(DOTS) is None
    begun.get_by_label("Landmarks").check()
    begun.wait_for_function(f"({DOTS}) !== null", timeout=WAIT)
    drawn, (left, top, width, height) = begun.evaluate(f"[{DOTS}, {BOX_DRAWN}]")
    assert drawn == pytest.approx([left + width / 22, top, left + width, top + height * 21 / 22], abs=2.5)
    begun.get_by_label("Landmarks").uncheck()
    begun.wait_for_function(f"({DOTS}) === null", timeout=WAIT)


#: Left, top, right, bottom of all that is drawn in the landmarks' colour, or null.
DOTS = """(() => {
    const overlay = document.querySelector("[data-part=overlay]");
    const canvas = new OffscreenCanvas(overlay.width, overlay.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(overlay, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let found = null;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < 60 || Math.min(data[at + 1], data[at + 2]) < data[at] + 60) continue;
        const [x, y] = [(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)];
        const [left, top, right, bottom] = found ?? [x, y, x, y];
        found = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
    return found;
})()"""
BOX_DRAWN = "document.querySelector('[data-part=overlay]').dataset.box.split(' ').map(Number)"


def test_a_final_answer_replaces_the_early_one_and_withdrawn_ones_are_a_count_to_unfold(server, begun):
    server.say("event", event=event(server.t, "early"))
    item = begun.locator("[data-part=events] li")
    item.get_by_text("early").wait_for()
    server.say("event", event=event(server.t, "final", label="negative", confidence=0.71))
    item.get_by_text("negative").wait_for()
    assert item.count() == 1
    assert re.search(r"\d\d:\d\d:\d\d.*micro.*negative.*71 %.*220 ms", item.inner_text().replace("\n", " "))
    said, withdrawn = begun.locator("[data-part=said]"), begun.locator("[data-part=withdrawn]")
    assert said.text_content() == "Micro-expression: negative, 71 % sure."
    assert not withdrawn.is_visible()
    server.say("event", event=event(server.t, "early", id=2, seq=2))
    item.nth(1).wait_for()
    server.say("event", event=event(server.t, "withdrawn", id=2, seq=2, reason="unsure"))
    server.say("event", event=event(server.t, "withdrawn", id=3, seq=3, reason="lost"))
    withdrawn.get_by_text("2 withdrawn").wait_for()
    assert (item.count(), withdrawn.locator("li").first.is_visible()) == (1, False)
    withdrawn.locator("summary").click()
    told = withdrawn.locator("li").all_inner_texts()
    assert ["the face was lost" in told[0], "too unlikely to be an expression" in told[1]] == [True, True]
    assert withdrawn.locator("li s").count() == 2
    assert "the face was lost" in said.text_content()
    begun.evaluate("document.querySelector('[data-part=withdrawn]').open = false")


def test_the_last_event_is_told_in_a_sentence_on_top(server, begun):
    told = begun.locator("[data-part=headline]")
    told.get_by_text("No expression yet.", exact=True).wait_for()
    server.say("event", event=event(server.t, label="negative", confidence=0.68, onset_s=1.0, offset_s=1.23))
    told.get_by_text("A brief negative expression, 0.23 s, sure to 68 %.", exact=True).wait_for()
    server.say("event", event=event(server.t, "early", id=2, kind="macro", label="happiness"))
    told.get_by_text("A longer expression of happiness, under way, sure to 64 %.", exact=True).wait_for()
    server.say("event", event=event(server.t, "withdrawn", id=2, kind="macro", reason="unsure"))
    told.get_by_text("A brief negative expression, 0.23 s, sure to 68 %.", exact=True).wait_for()
    server.faces = lambda: (face(id=1), face(id=4))
    begun.get_by_role("heading", name="Expression now of face").wait_for()
    server.say("event", event=event(server.t, id=3, face=4))
    told.get_by_text(re.compile("^Face 4: a brief expression of surprise")).wait_for()


def test_what_would_make_the_conditions_good_is_said_and_engines_stand_behind_details(server, begun):
    told = begun.locator("[data-part=conditions]")
    told.get_by_text("Conditions are good.").wait_for()
    server.faces = lambda: (face(reasons=("dark", "small")),)
    told.get_by_text("For better results: turn on a light in front of you; come closer.", exact=True).wait_for()
    server.faces = lambda: ()
    told.get_by_text("Nobody is seen: look into the camera.").wait_for()
    details = begun.locator("[data-part=details]")
    assert begun.get_by_label("Engine").is_visible()
    details.locator("summary").click()
    begun.get_by_label("Engine").wait_for(state="hidden")
    assert not begun.locator("[data-part=status]").is_visible()
    begun.get_by_label("I am neutral").check()  # the alarms are counted there
    begun.locator("[data-value=alarms]").wait_for()


def test_frames_are_counted_by_the_wall_clock_and_the_slow_one_is_named(server, begun):
    begun.locator("[data-part=conditions]").get_by_text("Conditions are good.").wait_for()
    server.gap = 3  # three of four pictures are left out
    begun.locator("[data-part=conditions]").get_by_text("the computer analyses").wait_for()
    assert re.fullmatch(r"\d+ of \d+", begun.locator("[data-value=rate]").inner_text())
    server.say("event", event=event(server.t, "withdrawn", reason="sparse"))
    said = begun.locator("[data-part=said]")
    begun.wait_for_function("document.querySelector('[data-part=said]').textContent.includes('too few')")
    assert said.text_content() == "Withdrawn: too few frames of it: the computer is too slow."
    told = begun.evaluate(
        """async () => {
            const { Pace } = await import("/glimpse/screen/pace.js");
            const told = (count, apart_ms, apart_s, gap) => {
                const pace = new Pace();
                for (let at = 0; at < count; at++) pace.state({ t: at * apart_s, gap }, at * apart_ms);
                const { analysed, camera } = pace.rates ?? { analysed: 0, camera: 0 };
                return [Math.round(analysed), Math.round(camera), pace.limit];
            };
            // as fast as the camera; a stream whose clock is slower than the wall's; a slow camera; too little to say
            const asked = [[90, 1000 / 30, 1 / 30, 0], [90, 1000 / 35, 1 / 60, 0], [40, 100, 0.1, 0], [9, 33, 0.03, 0]];
            return asked.map((each) => told(...each));
        }"""
    )
    assert told == [[30, 30, "camera"], [35, 60, "computer"], [10, 10, "camera"], [0, 0, ""]]


@pytest.mark.promise(
    "names and labels as HTML in the page",
    "text",
    "in a true browser",
)
def test_what_moved_is_told_in_words_and_never_as_markup(server, begun):
    units = [
        UnitMoved(unit="12", side="left", left=0.3, right=0.1, words="lip corners up, left more than right"),
        UnitMoved(unit="26", side="both", left=0.2, right=0.2, words="<img src=x onerror=alert(1)>"),
    ]
    server.say("event", event=event(server.t, id=31, units=tuple(units)))
    said = begun.locator("[data-part=events] small.units").first
    said.wait_for()
    assert said.text_content() == "lip corners up, left more than right; <img src=x onerror=alert(1)>"
    assert said.locator("img").count() == 0
    assert "lip corners up, left more than right" in begun.locator("[data-part=said]").text_content()
    server.say("event", event=event(server.t, id=32))
    begun.locator("[data-part=events] li[data-event='32'] b").wait_for()
    assert begun.locator("[data-part=events] li[data-event='32'] small.units").count() == 0


def test_quality_is_told_in_words(server, begun):
    server.faces = lambda: (face(reasons=("dark", "turned", "small", "blurred")),)
    server.say("meta", meta=meta(server.t))
    warnings = begun.locator("[data-part=warnings]")
    warnings.get_by_text("too dark").wait_for()
    assert warnings.inner_text().splitlines() == ["too dark", "turn to the camera", "come closer", "hold still"]
    server.faces = lambda: ()
    warnings.get_by_text("no face in the picture").wait_for()
    status = begun.locator("[data-part=status]")
    assert "encoder, cmn (openvino)" in status.inner_text()
    assert begun.locator("[data-value=gaps]").inner_text() == "5"


SLOW = (
    "This computer is too slow for the camera, so 15 of the camera's 30 frames a second are looked at, "
    "expressions are judged 5 times a second instead of 15."
)


def left_out(page):
    return page.locator("[data-part=left_out]")


def test_what_the_computer_has_no_time_for_is_one_line_by_the_picture_while_it_is_so(server, begun):
    told = left_out(begun)
    controls = lambda: begun.locator("#glimpse-tools").bounding_box()["y"] - bottom(begun.locator(".stage"))  # noqa: E731
    server.say("meta", meta=meta(server.t))
    begun.locator("[data-value=gaps]").get_by_text("5").wait_for()
    apart = controls()
    begun.evaluate(
        """() => {
            window.changes = 0;
            const told = document.querySelector("[data-part=left_out]");
            new MutationObserver(() => (window.changes += 1)).observe(told, { childList: true, subtree: true });
        }"""
    )
    server.say("meta", meta=meta(server.t, left_out=SLOW))
    told.get_by_text(SLOW, exact=True).wait_for()
    assert told.get_attribute("aria-live") == "polite"
    begun.get_by_text("For better results: close other programs, or let fewer people watch.").wait_for()
    assert 0 <= told.bounding_box()["y"] - bottom(begun.locator(".stage")) <= 10
    server.say("meta", meta=meta(server.t, gaps=95, left_out=SLOW))
    begun.locator("[data-value=gaps]").get_by_text("97").wait_for()
    assert begun.evaluate("window.changes") == 1, "it is said again though nothing changed"
    server.say("meta", meta=meta(server.t, left_out="<b>15</b> of 30"))
    told.get_by_text("<b>15</b> of 30", exact=True).wait_for()
    assert told.locator("b").count() == 0
    server.say("meta", meta=meta(server.t))
    told.wait_for(state="hidden")
    assert (told.text_content(), controls()) == ("", apart)
    begun.get_by_text("For better results: close other programs").wait_for(state="detached")


def bottom(locator):
    box = locator.bounding_box()
    return box["y"] + box["height"]


def test_a_camera_is_not_called_slow_while_the_computer_is(server, begun):
    said = lambda: begun.locator("[data-part=said]").text_content()  # noqa: E731
    begun.locator("[data-part=conditions]").get_by_text("Conditions are good.").wait_for()
    begun.wait_for_function("/[0-9]/.test(document.querySelector('[data-value=rate]').textContent)")
    server.say("event", event=event(server.t, "withdrawn", reason="sparse"))
    until(begun, lambda: said() == "Withdrawn: too few frames of it: the camera is too slow.")
    server.say("meta", meta=meta(server.t, left_out=SLOW))
    server.say("event", event=event(server.t, "withdrawn", id=2, reason="sparse"))
    until(begun, lambda: said() == "Withdrawn: too few frames of it: the computer is too slow.")


@pytest.mark.parametrize(
    "end",
    [
        lambda server, page: page.evaluate("() => { window.glimpse.choose('camera', 'browser') }"),
        lambda server, page: page.evaluate("() => { window.glimpse.toggle() }"),
        lambda server, page: server.hang_up(),
        lambda server, page: server.say("wait", ahead=1, why="The time is over."),
        lambda server, page: server.say("problem", what="recogniser-gone", text="it is started again"),
    ],
    ids=["another camera", "stop", "the connection is lost", "the place is lost", "the recogniser is gone"],
)
def test_with_the_stream_goes_what_was_left_out_of_it(server, begun, end):
    server.say("meta", meta=meta(server.t, left_out=SLOW))
    left_out(begun).get_by_text(SLOW, exact=True).wait_for()
    end(server, begun)
    left_out(begun).wait_for(state="hidden")


def test_of_a_server_camera_that_is_gone_nothing_is_left_out_any_more(visit):
    server = Scripted(cameras=["sample", "other"])
    try:
        page = visit(server.url)
        until(page, lambda: server.heard and server.heard[-1].get("camera") == "sample")
        slow = meta(1.0, left_out=SLOW, camera="sample")
        server.say("meta", meta=meta(1.0, left_out="another camera's", camera="other"))
        server.say("meta", meta=slow)
        left_out(page).get_by_text(SLOW, exact=True).wait_for()
        server.say("welcome", **{**server.welcome, "cameras": ["sample"]})
        page.wait_for_function("!window.glimpse.controls()[4].choices.some(([name]) => name.includes('other'))")
        assert left_out(page).text_content() == SLOW
        server.say("welcome", **{**server.welcome, "cameras": ["other"]})
        left_out(page).wait_for(state="hidden")
    finally:
        server.close()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_left_out_is_read_at_any_width_and_pushes_nothing_away(server, begun, keep, width, scheme):
    begun.set_viewport_size({"width": width, "height": 720})
    begun.emulate_media(color_scheme=scheme)
    server.say("meta", meta=meta(server.t, left_out=SLOW))
    told = left_out(begun)
    told.get_by_text(SLOW, exact=True).wait_for()
    begun.wait_for_function(f"({PAPER}) === {str(scheme == 'dark').lower()}")
    assert told.evaluate("told => told.scrollWidth <= told.clientWidth")
    assert begun.evaluate("document.documentElement.scrollWidth") <= width
    if width > 600:
        assert bottom(begun.locator(".plot")) <= 720
    keep(begun, f"left-out-{width}-{scheme}")


#: Whether the page is dark.
PAPER = "getComputedStyle(document.querySelector('.gradio-container')).backgroundColor.match(/\\d+/)[0] < 128"


def test_the_bars_show_the_expression(server, begun):
    bars = begun.locator(".bars > div")
    begun.locator(".bars .most").wait_for()
    assert [row.replace("\n", " ") for row in bars.all_inner_texts()][:2] == ["neutral 50 %", "happiness 20 %"]


def test_of_several_faces_rows_and_bars_say_whose_they_are(server, begun):
    title = begun.get_by_role("heading", name="Expression now")
    item = begun.locator("[data-part=events] li")
    server.say("event", event=event(server.t, id=1))
    item.get_by_text("surprise").wait_for()
    assert (title.text_content(), item.get_by_text("face 1").count()) == ("Expression now", 0)
    server.faces = lambda: (face(id=1), msgspec.structs.replace(face(id=2), box=(0.0, 0.0, 300.0, 300.0)))
    begun.get_by_role("heading", name="Expression now of face 2", exact=True).wait_for()
    server.say("event", event=event(server.t, id=2, face=2))
    item.get_by_text("face 2", exact=True).wait_for()


def test_of_a_face_in_the_dark_no_expression_is_shown(server, begun):
    begun.locator(".bars .most").wait_for()
    server.faces = lambda: (face(reasons=("dark",)),)
    begun.get_by_role("heading", name="Expression now: too dark to tell", exact=True).wait_for()
    assert begun.locator(".bars .most").count() == 0
    assert set(begun.locator(".bars .value").all_text_contents()) == {""}


def test_an_event_that_a_calibration_ends_says_so(server, begun):
    server.say("event", event=event(server.t, "withdrawn", reason="calibrated"))
    begun.wait_for_function(
        "document.querySelector('[data-part=said]').textContent === 'Withdrawn: calibration began.'"
    )


def test_pictures_of_an_event_are_asked_for_only_where_the_person_allowed_it(server, begun):
    server.say("event", event=event(server.t))
    begun.locator("[data-part=events] li.final").wait_for()
    assert {"do": "moment", "event": 1} not in server.heard
    begun.get_by_label("Keep pictures of events").check()
    until(begun, lambda: server.heard[-1].get("pictures"))
    server.say("event", event=event(server.t, id=2))
    until(begun, lambda: {"do": "moment", "event": 2} in server.heard)
    server.say("moment", event=2, onset=picture(60), apex=picture(120), exaggerated=picture(180), times=4.0)
    face_of = begun.locator("[data-part=events] li").first.locator(".loop")
    seen = face_of.locator("figcaption")
    for caption in ("onset", "apex", "movement × 4", "apex", "onset"):
        begun.wait_for_function(
            f"document.querySelector('[data-part=events] .loop .now figcaption')?.textContent === '{caption}'"
        )
        assert [each.is_visible() for each in seen.all()].count(True) == 1
    face_of.click()
    assert [each.is_visible() for each in seen.all()] == [True, True, True]
    assert [each.get_attribute("alt") for each in face_of.locator("img").all()] == [
        "The face: onset", "The face: apex", "The face: movement × 4"
    ]  # fmt: skip


def test_where_motion_is_not_wanted_the_pictures_of_an_event_stand_side_by_side(server, begun):
    begun.emulate_media(reduced_motion="reduce")
    server.say("event", event=event(server.t))
    begun.locator("[data-part=events] li.final").wait_for()
    server.say("moment", event=1, onset=picture(60), apex=picture(120), exaggerated=picture(180), times=4.0)
    begun.locator("[data-part=events] .loop img").nth(2).wait_for()
    begun.emulate_media(reduced_motion="no-preference")


def test_calibrating_counts_down_from_the_last_click(server, begun):
    begun.get_by_role("button", name="Calibrate").click()
    until(begun, lambda: {"do": "neutral"} in server.heard)
    begun.evaluate(
        """() => {
            window.counted = [];
            const countdown = document.querySelector("[data-part=countdown]");
            const look = () => countdown.textContent && window.counted.push(countdown.textContent);
            new MutationObserver(look).observe(countdown, { childList: true });
        }"""
    )
    server.say("calibrating", seconds=2.0)
    begun.wait_for_timeout(500)
    server.say("calibrating", seconds=2.0)
    begun.get_by_text("Events are told again").wait_for()
    begun.locator("[data-part=countdown]").wait_for(state="hidden")
    assert [told[-1] for told in begun.evaluate("window.counted")] == ["2", "2", "1", "."]


def test_calibrating_without_the_same_face_to_the_end_is_not_done(server, begun):
    failed = begun.get_by_text("Not done: the face was lost")
    server.faces = lambda: ()
    begun.get_by_text("no face in the picture").wait_for()
    server.say("calibrating", seconds=0.2)
    failed.wait_for()
    begun.locator("[data-part=countdown]").wait_for(state="hidden")
    server.faces = lambda: (face(),)
    begun.get_by_text("no face in the picture").wait_for(state="detached")
    server.say("calibrating", seconds=2.0)
    begun.wait_for_timeout(500)
    server.faces = lambda: (face(id=2),)
    failed.wait_for()
    begun.get_by_role("button", name="Stop", exact=True).click()
    begun.locator("[data-part=countdown]").wait_for(state="hidden", timeout=500)


def test_a_brief_message_gives_way_to_the_lasting_one_below_it(server, begun):
    told = begun.evaluate(
        """async () => {
            const { Notice } = await import("/glimpse/screen/notice.js");
            const message = document.createElement("div");
            const notice = new Notice({ message });
            const told = () => (message.hidden ? "" : message.textContent);
            const brief = async () => {
                notice.brief(["brief", ""], 0.02);
                const before = told();
                await new Promise((done) => setTimeout(done, 60));
                return [before, told()];
            };
            const alone = await brief();
            notice.show("camera", ["lasting", ""]);
            const above = await brief();
            notice.show("server", ["wait", ""]);
            notice.show("question", ["may it?", ""]);
            const order = [told(), (notice.hide("question"), told()), (notice.hide("server"), told())];
            notice.hide("camera");
            return [alone, above, order, await brief()];
        }"""
    )
    assert told == [["brief", ""], ["brief", "lasting"], ["may it?", "wait", "lasting"], ["brief", ""]]


def test_a_recording_ends_in_a_link(server, begun):
    begun.get_by_label("Record video too").check()
    begun.get_by_role("button", name="Record", exact=True).click()
    until(begun, lambda: {"do": "record", "on": True, "video": True} in server.heard)
    server.say("recording", on=True)
    begun.get_by_text("A recording is being written to disk, with video").wait_for()
    begun.get_by_role("button", name="Stop recording").click()
    until(begun, lambda: {"do": "record", "on": False, "video": True} in server.heard)
    server.say("recorded", url="session/abc.zip", messages=1234)
    link = begun.get_by_role("link", name="Download the session (1,234 messages)")
    link.wait_for()
    assert link.get_attribute("href") == "session/abc.zip"


@pytest.mark.parametrize(
    "end",
    [
        "window.glimpse.choose('camera', 'browser')",
        "document.querySelector('video').srcObject.getVideoTracks()[0].dispatchEvent(new Event('ended'))",
        "window.glimpse.toggle()",
    ],
    ids=["another camera is chosen", "the camera is unplugged", "stop is pressed"],
)
def test_whatever_stops_the_camera_ends_the_recording_at_the_server_too(server, begun, end):
    server.say("recording", on=True)
    begun.get_by_text("A recording is being written to disk").wait_for()
    server.heard.clear()
    begun.evaluate(f"() => {{ {end} }}")
    until(begun, lambda: {"do": "leave"} in server.heard)
    assert server.heard[0] == {"do": "leave"}
    begun.get_by_text("A recording is being written to disk").wait_for(state="hidden")
    server.say("recording", on=False)
    server.say("recorded", url="session/late.zip", messages=77)
    begun.get_by_role("link", name="Download the session (77 messages)").wait_for()
    begun.get_by_text("your recording lies on its disk for ten minutes").wait_for()


def test_a_session_that_is_packed_late_ends_no_newer_recording(server, begun):
    server.say("recording", on=True)
    server.say("recorded", url="session/older.zip", messages=78)
    begun.get_by_role("link", name="Download the session (78 messages)").wait_for()
    assert begun.get_by_text("A recording is being written to disk").is_visible()


def test_a_recording_that_ends_with_the_connection_is_told_and_stays_told(server, begun):
    server.say("recording", on=True)
    begun.get_by_text("A recording is being written to disk").wait_for()
    server.heard.clear()
    server.hang_up()
    lost = begun.get_by_text("The last recording ended when the connection was lost")
    lost.wait_for()
    until(begun, lambda: server.heard)
    message(begun).wait_for(state="hidden")
    assert lost.is_visible()


def test_a_camera_that_is_given_too_late_is_put_off_again(server, visit):
    page = visit(server.url)
    page.evaluate(
        """() => {
            const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
            Object.assign(window, { allow: [], given: [] });
            navigator.mediaDevices.getUserMedia = async (wish) => {
                await new Promise((allow) => window.allow.push(allow));
                window.given.push(await real(wish));
                return window.given.at(-1);
            };
            const live = (stream) => stream.getTracks().some((track) => track.readyState === "live");
            window.on = () => window.given.filter(live);
        }"""
    )
    for _ in range(3):  # start, stop, start while the browser still asks
        page.evaluate("() => { window.glimpse.toggle() }")
    page.evaluate("() => { window.glimpse.choose('camera', 'browser') }")
    assert page.evaluate("window.allow.length") == 3
    for number in (1, 2, 0):
        page.evaluate(f"window.allow[{number}]()")
    page.wait_for_function("window.given.length === 3 && window.glimpse.firstOverlayMs !== null", timeout=WAIT)
    assert page.evaluate("window.on().length") == 1
    assert page.evaluate("window.on()[0] === document.querySelector('video').srcObject")
    page.evaluate("() => { window.glimpse.toggle() }")
    assert page.evaluate("window.on().length") == 0
    message(page).get_by_text("Press Start to go on").wait_for()


def test_false_alarms_are_counted_while_the_person_is_neutral(server, begun):
    alarms = begun.locator("[data-value=alarms]")
    server.say("event", event=event(server.t))
    begun.get_by_label("I am neutral").check()
    alarms.get_by_text("0.0/min").wait_for()
    server.say("event", event=event(server.t, "early", id=2))
    server.say("event", event=event(server.t + 9, "early", id=3))
    begun.wait_for_function("parseFloat(document.querySelector('[data-value=alarms]').textContent) > 0", timeout=WAIT)
    server.say("event", event=event(server.t + 9, "withdrawn", id=3, reason="head"))
    alarms.get_by_text("0.0/min").wait_for()


def test_false_alarms_are_shared_over_the_time_in_which_there_was_a_face_to_be_wrong_about(server, begun):
    told = begun.evaluate(
        """async () => {
            const { Status } = await import("/glimpse/screen/status.js");
            const list = document.createElement("dl");
            const status = new Status(list);
            const state = (t, ...faces) => status.state({ t, faces });
            const event = (id, onset_s, stage = "final") => status.event({ id, onset_s, stage });
            const told = () => (status.draw({}), list.querySelector("[data-value=alarms]").textContent);
            const all = [];
            state(10, 1);
            status.mark(true);
            event(1, 9.9); // began before it was said
            for (const t of [10.5, 11, 30]) state(t, 1); // 0.5 + 0.5 + at most 1
            state(31);
            for (const t of [32, 33]) state(t, 1); // nobody, then 1
            event(2, 10.6);
            event(3, 10.7, "early");
            all.push(told());
            event(3, 9.8); // the final answer knows the onset better
            all.push(told());
            status.clear();
            for (const t of [0, 1]) state(t, 1); // a stream that begins anew, its events from 1
            event(2, 0.5);
            all.push(told());
            status.mark(false);
            state(2, 1);
            event(4, 1.5);
            all.push(told());
            event(2, 0.5, "withdrawn");
            return [...all, told()];
        }"""
    )
    assert told == ["40.0/min in 3 s", "20.0/min in 3 s", "30.0/min in 4 s", "30.0/min in 4 s", "15.0/min in 4 s"]


def test_choices_reach_the_server(server, begun):
    begun.get_by_label("Landmarks").check()
    until(begun, lambda: server.heard[-1].get("landmarks"))
    begun.get_by_label("Engine").click()
    begun.get_by_role("option", name="other").click()
    until(begun, lambda: server.heard[-1].get("head") == "other")
    begun.get_by_role("button", name="Stop", exact=True).click()
    until(begun, lambda: {"do": "leave"} in server.heard)
    message(begun).get_by_text("Press Start to go on").wait_for()
    assert begun.evaluate("document.querySelector('video').srcObject") is None


def test_a_server_camera_is_shown_at_once_and_its_overlay_belongs_to_the_picture(visit):
    server = Scripted(cameras=["sample"])
    try:
        page = visit(server.url)
        until(page, lambda: server.heard and server.heard[-1].get("camera") == "sample")
        for frame in (5, 6, 7):
            state = {"schema": 1, "t": frame / 60, "camera": "sample", "frame": frame, "gap": 0, "latency_ms": 9.0}
            server.say("state", state={**state, "faces": [face()]})
            server.show(frame, frame / 60, base64.b64decode(picture(90)))
        page.wait_for_function("window.glimpse.lag.count > 0", timeout=WAIT)
        assert page.evaluate("window.glimpse.lag.p95") < 40
        assert page.evaluate("document.querySelector('[data-part=picture]').width") == 64
        assert page.get_by_label("Camera", exact=True).input_value() == "Sample stream"
    finally:
        server.close()


def test_a_recording_is_called_one_and_offers_nothing_that_it_cannot_do(visit):
    server = Scripted(cameras=["sample"])
    server.welcome["recorded"] = True
    try:
        page = visit(server.url)
        page.get_by_text("A recording is shown.", exact=True).wait_for()
        page.get_by_role("button", name="Stop", exact=True).wait_for()
        for name in ("Calibrate", "Record"):
            page.get_by_role("button", name=name, exact=True).wait_for(state="hidden")
        for name in ("I am neutral", "Record video too"):
            page.get_by_label(name).wait_for(state="hidden")
        assert not page.get_by_text("inference is running").is_visible()
        page.get_by_label("Camera", exact=True).click()
        assert page.get_by_role("option").all_inner_texts() == ["✓\nSample stream"]
    finally:
        server.close()


def test_a_label_does_not_outlive_the_stream_whose_face_it_names(visit):
    server = Scripted(cameras=["sample"])
    try:
        page = visit(server.url)
        until(page, lambda: server.heard and server.heard[-1].get("camera") == "sample")
        page.evaluate(
            """() => {
                const context = document.querySelector("[data-part=overlay]").getContext("2d");
                const fill = context.fillText.bind(context);
                context.fillText = (text, x, y) => fill((window.label = text), x, y);
            }"""
        )

        def look(frame, t):
            state = {"schema": 1, "t": t, "camera": "sample", "frame": frame, "gap": 0, "latency_ms": 9.0}
            server.say("state", state={**state, "faces": [face()]})
            server.show(frame, t, base64.b64decode(picture(90)))

        look(60, 1.0)
        server.say("event", event=event(1.0, camera="sample"))
        look(61, 1.1)
        page.wait_for_function("window.label === '1  surprise 64 %'", timeout=WAIT)
        look(0, 0.0)  # the stream begins anew, with another face that is called 1 as well
        page.wait_for_function("window.label === '1'", timeout=WAIT)
        server.say("event", event=event(90.0, camera="sample"))  # of the stream before, and late
        look(1, 0.1)
        page.wait_for_timeout(200)
        assert page.evaluate("window.label") == "1"
    finally:
        server.close()


def test_who_must_wait_is_told_so_and_let_in_later(server, visit):
    server.welcome, welcome = None, server.welcome
    page = visit(server.url)
    until(page, lambda: server.heard)
    server.say("wait", ahead=1, why="4 of 4 places are taken.")
    message(page).get_by_text("4 of 4 places are taken. 1 person is before you.").wait_for()
    assert page.get_by_role("button", name="Calibrate").is_disabled()
    server.say("welcome", **welcome)
    message(page).get_by_text("Press Start").wait_for()


def test_who_waits_is_told_so_again_after_the_question_for_the_camera(server, visit):
    server.welcome, welcome = None, server.welcome
    page = visit(server.url)
    until(page, lambda: server.heard)
    server.say("wait", ahead=0, why="4 of 4 places are taken.")
    told = message(page).get_by_text("You are next.")
    told.wait_for()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function("document.querySelector('video').srcObject !== null", timeout=WAIT)
    told.wait_for()
    server.say("welcome", **welcome)
    message(page).wait_for(state="hidden")
    page.wait_for_function("window.glimpse.firstOverlayMs !== null", timeout=WAIT)


def test_who_has_no_time_for_the_camera_says_so_until_it_has(server, begun):
    server.mute = True  # no state comes
    server.say("problem", what="full", text="2 other cameras are watched already.")
    message(begun).get_by_text("2 other cameras are watched already.").wait_for()
    assert "no time for your camera" in message(begun).inner_text()
    server.mute = False
    message(begun).wait_for(state="hidden")


def test_a_recogniser_that_is_gone_is_told_and_so_is_its_return(server, begun):
    server.mute = True
    server.say("problem", what="recogniser-gone", text="it is started again")
    message(begun).get_by_text("The recogniser is gone").wait_for()
    server.mute = False
    server.say("back")
    message(begun).wait_for(state="hidden")
    server.say("problem", what="refused", text="found 3, wanted 4")
    message(begun).get_by_text("found 3, wanted 4").wait_for()


def test_the_page_finds_the_server_again_by_itself(visit):
    server = Scripted()
    page = visit(server.url, allow="ERR_CONNECTION_REFUSED|WebSocket connection")
    start(page)
    server.close()
    message(page).get_by_text("The server is gone").wait_for()
    again = Scripted(port=server.port)
    try:
        until(page, lambda: len(again.numbers) > 3)
        message(page).wait_for(state="hidden")
    finally:
        again.close()


def test_a_network_that_is_gone_is_told_and_no_box_outlives_it(server, visit):
    page = visit(server.url)
    start(page)
    page.wait_for_function("document.querySelector('[data-part=overlay]').dataset.box")
    page.evaluate("window.glimpse.link.silentMs = 2500")
    server.mute = True
    page.wait_for_function("!document.querySelector('[data-part=overlay]').dataset.box", timeout=WAIT)
    message(page).get_by_text("Nothing is heard from the server").wait_for()
    assert page.locator("[data-part=warnings] li").count() == 0
    server.mute = False
    page.wait_for_function("document.querySelector('[data-part=overlay]').dataset.box", timeout=30_000)
    message(page).wait_for(state="hidden")


def test_a_camera_that_is_muted_is_told_until_its_picture_is_back(server, begun):
    muted = """(on) => {
        const [track] = document.querySelector("video").srcObject.getVideoTracks();
        Object.defineProperty(track, "muted", { configurable: true, get: () => on });
        track.dispatchEvent(new Event(on ? "mute" : "unmute"));
    }"""
    begun.evaluate(muted, True)
    message(begun).get_by_text("The camera is muted").wait_for()
    begun.evaluate(muted, False)
    message(begun).wait_for(state="hidden")


def test_a_camera_that_dies_without_a_word_is_told_and_takes_its_box_along(server, begun):
    begun.evaluate("document.querySelector('video').pause()")
    message(begun).get_by_text("The camera gives no picture").wait_for()
    assert not begun.evaluate("document.querySelector('[data-part=overlay]').dataset.box")
    begun.evaluate("() => { document.querySelector('video').play() }")
    message(begun).wait_for(state="hidden")


def test_a_refused_camera_is_explained(server, visit, chromium):
    page = visit(server.url, chromium(flags=("--use-fake-device-for-media-stream", "--deny-permission-prompts")))
    page.get_by_role("button", name="Start", exact=True).click()
    message(page).get_by_text("The camera was refused").wait_for()
    page.get_by_role("button", name="Start", exact=True).wait_for()


def test_a_missing_camera_is_explained(server, visit, chromium):
    page = visit(server.url, chromium(flags=("--use-fake-ui-for-media-stream",)))
    if page.evaluate(
        "navigator.mediaDevices.enumerateDevices().then((all) => all.some((d) => d.kind === 'videoinput'))"
    ):
        pytest.skip("this machine has a camera")
    page.get_by_role("button", name="Start", exact=True).click()
    message(page).get_by_text("No camera was found").wait_for()


def test_a_camera_in_use_is_explained(server, visit):
    page = visit(server.url)
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError')) }"
    )
    page.get_by_role("button", name="Start", exact=True).click()
    message(page).get_by_text("The camera is in use").wait_for()


def test_plain_http_from_another_host_is_explained_with_the_way_to_https(server, visit, chromium):
    elsewhere = chromium(flags=("--host-resolver-rules=MAP glimpse.test 127.0.0.1", "--use-fake-ui-for-media-stream"))
    page = visit(f"http://glimpse.test:{server.port}/", elsewhere)
    page.get_by_role("button", name="Start", exact=True).click()
    told = message(page)
    told.get_by_text("This address cannot use your camera").wait_for()
    assert f"ssh -L {server.port}:localhost:{server.port} glimpse.test" in told.inner_text()
    assert "view.certificate" in told.inner_text()


def test_every_control_has_a_name_and_shows_its_focus(server, begun):
    begun.locator("body").click(position={"x": 2, "y": 2})
    reached = []
    for _ in range(30):
        begun.keyboard.press("Tab")
        name, ring = begun.evaluate(
            """() => {
                const at = document.activeElement;
                const label = at.labels?.[0]?.innerText || at.ariaLabel || at.innerText
                    || document.getElementById(at.getAttribute("aria-labelledby"))?.innerText;
                const style = getComputedStyle(at);
                const ring = style.outlineStyle !== "none" || style.boxShadow !== "none";
                return [at === document.body ? null : (label || "").trim(), ring];
            }"""
        )
        if name is None:
            break
        assert name, begun.evaluate("document.activeElement.outerHTML")
        assert ring, f"{name}: its focus cannot be seen"
        reached.append(name)
    wanted = ["Stop", "Calibrate", "Record", "I am neutral", "Camera", "Landmarks", "Keep pictures of events",
              "Record video too", "Events", "Details", "Engine"]  # fmt: skip
    assert [name for name in reached if name in wanted] == wanted
    unnamed = begun.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea, a[href], [role=img], img")]
            .filter((one) => one.checkVisibility())
            .filter((one) => !(one.labels?.[0]?.innerText || one.ariaLabel || one.innerText || one.alt))
            .map((one) => one.outerHTML)"""
    )
    assert unnamed == []


def test_the_keyboard_alone_stops_and_starts(server, begun):
    begun.get_by_role("button", name="Stop", exact=True).focus()
    begun.keyboard.press("Enter")
    begun.get_by_role("button", name="Start", exact=True).wait_for()
    begun.keyboard.press("Space")
    begun.get_by_role("button", name="Stop", exact=True).wait_for()


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_can_be_scrolled_sideways(server, begun, width):
    begun.set_viewport_size({"width": width, "height": 720})
    server.say("event", event=event(server.t))
    worth = begun.get_by_text("What this is worth")
    for _ in ("folded", "unfolded"):
        assert begun.evaluate(SIDEWAYS) == []
        worth.click()
        begun.wait_for_timeout(300)


#: What is wider inside than out, and would show a bar for it.
SIDEWAYS = """() => [...document.querySelectorAll("body, body *")]
    .filter((one) => one.checkVisibility() && ["auto", "scroll"].includes(getComputedStyle(one).overflowX))
    .filter((one) => one.scrollWidth > one.clientWidth)
    .map((one) => `${one.tagName}.${one.className} ${one.scrollWidth} > ${one.clientWidth}`)"""


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_essential_parts_are_seen_without_scrolling(server, begun, keep, width, scheme):
    height = 720 if width == 1280 else 844
    begun.set_viewport_size({"width": width, "height": height})
    begun.emulate_media(color_scheme=scheme)
    server.faces = lambda: (face(reasons=("small",)),)
    t = server.t
    server.say("event", event=event(t))
    server.say("event", event=event(t - 2, id=2, kind="macro", label="happiness", onset_s=t - 4))
    server.say("event", event=event(t - 1, "withdrawn", id=3, reason="unsure"))
    server.say("meta", meta=meta(t))
    begun.locator("[data-part=warnings] li").wait_for()
    begun.wait_for_function(f"({PAPER}) === {str(scheme == 'dark').lower()}")
    assert begun.evaluate("document.documentElement.scrollWidth") <= width
    parts = [".stage", "#glimpse-start", ".headline"] + [".plot", ".bars", "[data-part=events]"] * (width > 600)
    begun.evaluate("document.querySelector('[data-part=details]').open = false")
    begun.evaluate("window.scrollTo(0, 0)")
    if width > 600:
        assert begun.evaluate("document.documentElement.scrollHeight") <= height
    for part in parts:
        box = begun.locator(part).bounding_box()
        assert box["y"] >= 0, part
        assert box["y"] + box["height"] <= height, part
    keep(begun, f"scripted-{width}-{scheme}")
