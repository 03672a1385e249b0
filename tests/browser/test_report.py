"""A report in a real browser: a click on an event opens it, its frames play slowly, and nothing is fetched."""

import cv2
import numpy as np
import pytest
from messages import ROOM, event, face, state

from realtime.config import load
from realtime.pipeline.loop import COLUMNS, Loop
from realtime.schema.message import MomentPictures
from realtime.session import Recorder, read
from realtime.session.report.page import write

FRAMES, SIDE = 20, 32


def picture(kind, level):
    return cv2.imencode(kind, np.full((SIDE, SIDE, 3), level, np.uint8))[1].tobytes()


def strip():
    """Frames that grow brighter by ten, and below them the same in red alone."""
    rows = -(-FRAMES // COLUMNS)
    image = np.zeros((2 * rows * SIDE, COLUMNS * SIDE, 3), np.uint8)
    for i in range(FRAMES):
        top, left = i // COLUMNS * SIDE, i % COLUMNS * SIDE
        image[top : top + SIDE, left : left + SIDE] = 10 * i
        image[top + rows * SIDE : top + (rows + 1) * SIDE, left : left + SIDE, 2] = 10 * i  # BGR
    return cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A report of two events that stayed and one that was withdrawn."""
    folder = tmp_path_factory.mktemp("made") / "session"
    with Recorder(folder, load(overrides=[f"publish.camera={ROOM}"]), [], video=False, file="a.mp4") as recorder:
        for frame in range(300):
            recorder.write(state(frame, face(1, 0.5)))
        for id, apex, kind in ((1, 2.0, "micro"), (2, 4.0, "macro")):
            recorder.write(event(id, apex, kind=kind))
            times = tuple(apex - 0.5 + i / 20 for i in range(FRAMES))
            units = {"12": (0.5,) * FRAMES}
            offset = picture(".jpg", 90)
            loop = Loop(times=times, side_px=SIDE, enlarged=4.0, strip=strip(), offset=offset, units=units)
            jpeg = picture(".jpg", 40)
            recorder.moment(id, MomentPictures(onset=jpeg, apex=jpeg, exaggerated=jpeg, times=4.0), loop)
        recorder.write(event(3, 5.0, "withdrawn"))
    return write(read(folder)).as_uri()


@pytest.fixture
def page(chromium, address):
    """The report at a phone's width; whatever it complains of, or asks for, fails the test."""
    wrong = []
    context = chromium().new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("request", lambda request: request.url.startswith(("data:", "file:")) or wrong.append(request.url))
    page.goto(address)
    yield page
    context.close()
    assert wrong == []


def shown(page, part):
    """The colour in the middle of what is played."""
    return page.locator(f"details[open] [data-part={part}]").evaluate(
        "c => [...c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data].slice(0, 3)"
    )


@pytest.mark.promise(
    "a report is a table of tiny pictures", "a click on the timeline opens an event, which plays", "static before"
)
def test_a_click_on_an_event_opens_it_alone_and_plays_it(page):
    assert page.locator("details.event[open]").count() == 0
    for id in (1, 2):
        page.locator(f'a.to-event[href="#event-{id}"]').click()
        page.wait_for_selector(f"details#event-{id}[open]")
        assert page.locator("details.event[open]").count() == 1
    place = page.locator("details[open] input[type=range]")
    assert place.evaluate(
        "e => new Promise(go => { const t = setInterval(() => e.value > 3 && (clearInterval(t), go(true)), 9) })"
    )
    assert page.get_by_role("button", name="Pause").is_visible()


def test_single_frames_are_shown_with_their_movement_enlarged_beside_them(page):
    page.locator('a.to-event[href="#event-1"]').click()
    page.wait_for_selector("details#event-1[open]")
    page.get_by_role("button", name="Pause").click()
    page.locator("details[open] input[type=range]").fill("12")
    assert shown(page, "plain") == pytest.approx([120, 120, 120], abs=3)
    assert shown(page, "enlarged") == pytest.approx([120, 0, 0], abs=3)
    page.get_by_role("button", name="One frame on").click()
    assert shown(page, "plain") == pytest.approx([130, 130, 130], abs=3)
    assert page.locator("details[open] output").inner_text() == "+0.25 s"  # the onset is 0.4 s from the first frame
    for _ in range(14):
        page.get_by_role("button", name="One frame back").click()
    assert page.locator("details[open] output").inner_text() == "+0.55 s"  # round to the last one


def test_an_address_that_names_an_event_opens_it_and_nothing_is_wider_than_the_screen(page, address):
    page.goto("about:blank")
    page.goto(f"{address}#event-2")
    page.wait_for_selector("details#event-2[open]")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("1 withdrawn").click()
    assert page.get_by_text("too unlikely to be an expression").is_visible()
