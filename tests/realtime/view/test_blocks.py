import re

import pytest

from realtime import config

gradio = pytest.importorskip("gradio")

from realtime.view.blocks import APPEARANCE, STATIC, blocks  # noqa: E402

MODULES = sorted(STATIC.rglob("*.js"))


@pytest.fixture(scope="module")
def page():
    return blocks(config.load()).get_config_file()


def test_no_listener_asks_the_server(page):
    assert page["dependencies"]
    assert [each["backend_fn"] for each in page["dependencies"]] == [False] * len(page["dependencies"])
    assert all("window.glimpse." in each["js"] for each in page["dependencies"])


def test_every_call_of_a_listener_is_there(page):
    offered = set(re.findall(r"^  (?:async )?([a-z]\w*)\(", (STATIC / "app.js").read_text("utf-8"), re.M))
    assert {re.search(r"glimpse\.(\w+)", each["js"])[1] for each in page["dependencies"]} <= offered


def test_every_control_has_a_label(page):
    controls = [each for each in page["components"] if each["type"] in {"button", "checkbox", "dropdown"}]
    assert len(controls) == 9
    for control in controls:
        assert control["props"]["label" if control["type"] != "button" else "value"]


def test_pictures_of_events_and_video_are_off_until_the_person_says_otherwise(page):
    boxes = {
        each["props"]["label"]: each["props"]["value"] for each in page["components"] if each["type"] == "checkbox"
    }
    assert boxes["Keep pictures of events"] is boxes["Record video too"] is False


def test_the_page_says_what_it_is_worth_where_pictures_go_and_the_law():
    config_of = config.load(overrides=["spotter.calibrate_s=2.5"])
    told = " ".join(str(each["props"].get("value")) for each in blocks(config_of).get_config_file()["components"])
    for sentence in (
        "candidate with a confidence",
        "nowhere else",
        "AI Act forbids it at work and in schools",
        "2.5 seconds",
    ):
        assert sentence in " ".join(told.split()), sentence


def test_the_parts_that_the_modules_draw_are_in_the_markup():
    drawn = {part for module in MODULES for part in re.findall(r"[pP]arts\.(\w+)", module.read_text("utf-8"))}
    marked = {
        part for page in STATIC.glob("*.html") for part in re.findall(r'data-part="(\w+)"', page.read_text("utf-8"))
    }
    assert drawn == marked


@pytest.mark.parametrize("path", [*MODULES, *STATIC.glob("*.html"), STATIC / "page.css"], ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path):
    addresses = re.findall(
        r"(?:https?:)?//[a-z][\w.-]*\.\w+", re.sub(r"^ *//.*$", "", path.read_text("utf-8"), flags=re.M)
    )
    assert addresses == []


def test_gradio_brings_no_fonts_footer_or_history_of_its_own():
    fonts = [*APPEARANCE["theme"]._font, *APPEARANCE["theme"]._font_mono]
    assert all(type(font) is str for font in fonts)
    assert APPEARANCE["footer_links"] == []
    assert APPEARANCE["run_history"] is False
