"""A real Chromium whose camera is a film, pages that fail a test by any error, and screenshots that are kept."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LOCAL = {"127.0.0.1", "localhost"}


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")  # while playwright is open its event loop runs, beside which no other test could
def chromium():
    """Open a browser with `film` as its camera, or with `flags` instead; the same one again for the same wish."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it comes with the dev extra")
    if not Path(CHROMIUM).exists():
        pytest.skip("no chromium: apt-get install chromium")
    browsers = {}
    with api.sync_playwright() as playwright:

        def open_browser(film=None, flags=("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")):
            wish = (*flags, *([f"--use-file-for-fake-video-capture={film}"] if film else []))
            if wish not in browsers:
                root = ("--no-sandbox",) if os.geteuid() == 0 else ()
                browsers[wish] = playwright.chromium.launch(executable_path=CHROMIUM, args=[*root, *wish])
            return browsers[wish]

        yield open_browser
        for browser in browsers.values():
            browser.close()


@pytest.fixture(scope="session")
def film(tmp_path_factory):
    """A video as a film for Chromium's fake camera, at 30 pictures a second."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("no ffmpeg: apt-get install ffmpeg")
    made = {}

    def make(video):
        if video not in made:
            made[video] = tmp_path_factory.mktemp("film") / f"{Path(video).stem}.mjpeg"
            shape = ["-an", "-vf", "fps=30,scale=640:-2", "-c:v", "mjpeg", "-q:v", "3"]
            subprocess.run(["ffmpeg", "-v", "error", "-i", video, *shape, made[video]], check=True)
        return made[video]

    return make


@pytest.fixture
def visit(chromium):
    """Open a page at 1280x720 whose errors, bad answers, foreign requests and questions to the server fail the test."""
    yield from opened(chromium)


@pytest.fixture(scope="module")
def open_page(chromium):
    """As `visit`, for a page of many tests."""
    yield from opened(chromium)


def opened(chromium):
    contexts, wrong, allowed = [], [], []

    def open_page(url, browser=None, allow=None, **options):
        context = (browser or chromium()).new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
        contexts.append(context)
        allowed.extend([allow] if allow else [])
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("console", lambda said: said.type in {"error", "warning"} and wrong.append(f"console: {said.text}"))
        page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status}: {answer.url}"))
        page.on("request", lambda request: wrong.extend(foreign(request, urlsplit(url).hostname)))
        page.on("websocket", lambda live: wrong.extend(elsewhere(live.url, urlsplit(url).hostname)))
        page.goto(url)
        page.wait_for_function("window.glimpse", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in wrong if not any(re.search(pattern, each) for pattern in allowed)] == []


def elsewhere(url, host):
    """A complaint about an address of another host."""
    to = urlsplit(url)
    if to.scheme in {"http", "https", "ws", "wss"} and to.hostname not in {host, *LOCAL}:
        yield f"a request to another host: {url}"


def foreign(request, host):
    """What is wrong with a request: another host, or one that asks Gradio's server to do something."""
    yield from elsewhere(request.url, host)
    if request.method != "GET":
        yield f"a {request.method} to {request.url}"


@pytest.fixture(scope="session")
def keep():
    """Keep a screenshot under a name that says what it shows."""
    ARTEFACTS.mkdir(exist_ok=True)

    def shoot(page, name):
        page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=page.viewport_size["width"] < 600)

    return shoot
