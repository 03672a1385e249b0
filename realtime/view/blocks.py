"""The page's layout: Gradio's controls around one live area that the modules of `static/` draw.

No listener asks the server for anything: what is live goes through the modules' own WebSocket, so a picture never
passes through a Gradio output, which would be written to disk.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from realtime.config import Config

STATIC = Path(__file__).parent / "static"
#: Not /static, where Gradio serves files of its own.
STATIC_URL = "/glimpse"

_SYSTEM = ("system-ui", "sans-serif")
_MONOSPACE = ("ui-monospace", "monospace")
_LAYOUT = {
    "block_border_width": "0px",
    "block_padding": "0px",
    "layout_gap": "8px",
    "form_gap_width": "0px",
    "button_transition": "none",
}
#: The same by day and by night: what the variables of page.css are then, it says itself.
_COLOURS = {
    "body_background_fill": "var(--paper)",
    "body_text_color": "var(--ink)",
    "body_text_color_subdued": "var(--muted)",
    "block_background_fill": "transparent",
    "block_title_text_color": "var(--muted)",
    "checkbox_background_color": "var(--panel)",
    "checkbox_background_color_selected": "var(--accent)",
    "checkbox_border_color": "var(--edge)",
    "input_background_fill": "var(--panel)",
    "input_border_color": "var(--edge)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_text_color": "var(--on-accent)",
    "button_secondary_background_fill": "var(--panel)",
    "button_secondary_background_fill_hover": "var(--line)",
    "button_secondary_border_color": "var(--edge)",
}


def _theme() -> gr.themes.Base:
    """System fonts, so that none is fetched; small steps, since an instrument is dense; colours in page.css."""
    plain = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="stone",
        text_size="sm",
        spacing_size="sm",
        radius_size="sm",
        font=_SYSTEM,
        font_mono=_MONOSPACE,
    )
    dark = {f"{name}_dark": colour for name, colour in _COLOURS.items()}
    return plain.set(**_LAYOUT, **_COLOURS, **dark)


#: What `gradio.mount_gradio_app` is told beside the blocks: since Gradio 6 looks belong to the mount.
APPEARANCE: dict[str, Any] = {
    "theme": _theme(),
    "head": "".join(
        f'<link rel="{what}" href="{STATIC_URL[1:]}/{file}">'
        for what, file in (("stylesheet", "page.css"), ("icon", "icon.svg"))
    ),
    "footer_links": [],
    "run_history": False,
    "ssr_mode": False,
}


def blocks(config: Config) -> gr.Blocks:
    """The whole page; `config` says how long calibrating takes."""
    page = gr.Blocks(title="Glimpse", analytics_enabled=False, fill_width=True)
    with page:
        _html("banner")
        with gr.Row(elem_id="glimpse-main"):
            with gr.Column(scale=8, min_width=340):
                live = _html("stage", js_on_load=_BEGIN)
                with gr.Row(elem_id="glimpse-tools"):
                    start = gr.Button("Start", variant="primary", size="md", min_width=90, elem_id="glimpse-start")
                    calibrate = gr.Button("Calibrate", size="md", min_width=90, interactive=False)
                    record = gr.Button("Record", size="md", min_width=90, interactive=False)
                    neutral = gr.Checkbox(label="I am neutral", container=False, min_width=110)
                _html("plot")
            with gr.Column(scale=5, min_width=340):
                camera = gr.Dropdown([], label="Camera", filterable=False, min_width=120, interactive=True)
                with gr.Row(elem_id="glimpse-wishes"):
                    landmarks = gr.Checkbox(label="Landmarks", container=False, min_width=90)
                    pictures = gr.Checkbox(label="Keep pictures of events", container=False, min_width=90)
                    video = gr.Checkbox(label="Record video too", container=False, min_width=125)
                _html("readings")
                _html("details")
                with gr.Row(elem_id="glimpse-engine"):  # shown while the details above are unfolded
                    head = gr.Dropdown([], label="Engine", filterable=False, min_width=120, interactive=True)
        with gr.Accordion("What this is worth, where pictures go, and the law", open=False):
            gr.Markdown(_about(config))
        start.click(None, js="() => window.glimpse.toggle()")
        calibrate.click(None, js="() => window.glimpse.calibrate()")
        record.click(None, js="() => window.glimpse.record()")
        neutral.input(None, neutral, js="(on) => window.glimpse.markNeutral(on)")
        choices: dict[str, Any] = {
            "camera": camera, "head": head, "landmarks": landmarks, "pictures": pictures, "video": video,
        }  # fmt: skip
        for name, choice in choices.items():
            choice.input(None, choice, js=f"(value) => window.glimpse.choose('{name}', value)")
        live.change(
            None, None, [start, calibrate, record, neutral, camera, head, video], js="() => window.glimpse.controls()"
        )
    return page


_BEGIN = f"import('{STATIC_URL}/app.js').then((app) => app.begin(() => trigger('change')))"


def _html(name: str, js_on_load: str | None = None) -> gr.HTML:
    """A piece of the live area: its markup stands in `static/`, its looks in page.css alone."""
    markup = (STATIC / f"{name}.html").read_text("utf-8")
    return gr.HTML(markup, elem_id=f"glimpse-{name}", apply_default_css=False, js_on_load=js_on_load)


def _about(config: Config) -> str:
    return (STATIC / "about.md").read_text("utf-8").replace("{calibrate_s}", f"{config.spotter.calibrate_s:g}")
