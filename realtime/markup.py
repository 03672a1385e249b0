"""The little HTML and SVG that reports are made of: whole without a font or anything from elsewhere.

Colours are the reader's own, light or dark. Text is escaped here, whatever it says.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from itertools import compress

STYLE = (
    ":root{color-scheme:light dark}"  # the reader's own colours, and greys that are seen on both
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72em;margin:2em auto;padding:0 1em;overflow-wrap:break-word}"
    ".wide{overflow-x:auto;margin:1em 0}table{border-collapse:collapse}caption{text-align:left;padding:.2em 0}"
    "td,th{border:1px solid #8888;padding:.2em .6em;text-align:left;overflow-wrap:normal}th,pre{background:#8882}"
    ".own td{font-weight:bold}pre{padding:1em;overflow:auto}svg{max-width:100%;height:auto}"
)
#: The strokes and letters of drawings.
INK, GREY, BLUE = "currentColor", "#888", "#3a7bc8"


class Markup(str):
    """Text that is HTML already."""


def document(title: str, sections: Sequence[str], style: str = "", script: str = "") -> str:
    """A whole page, whose `sections` are HTML.

    With a `script` the browser is told to run that one alone, and to load nothing from anywhere.
    """
    if script:
        sections = [*sections, f"<script>{script}</script>"]
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{_allowed(script) if script else ''}"
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style>"
    )
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(sections) + "\n</body></html>\n"


def _allowed(script: str) -> str:
    """Of all scripts the one with this hash (Content Security Policy Level 3, 8.2)."""
    known = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{known}'"
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, name: str = "", own: bool = False) -> Markup:
    """Without the columns that are empty; `own` sets the first row off. One too wide for the screen scrolls by itself.

    `name` is what a screen reader calls it; cells are text, unless they are `Markup`.
    """
    filled = [any(column) for column in zip(*rows, strict=True)]
    top = "".join(f'<th scope="col">{html(name)}</th>' for name in compress(head, filled))
    body = ["".join(f"<td>{html(cell)}</td>" for cell in compress(row, filled)) for row in rows]
    lines = [f'<tr class="own">{row}</tr>' if own and i == 0 else f"<tr>{row}</tr>" for i, row in enumerate(body)]
    return wide(Markup(f"<table><tr>{top}</tr>{''.join(lines)}</table>"), name)


def wide(content: Markup, name: str) -> Markup:
    """`content` in a frame that scrolls sideways, by keyboard too."""
    label = f' role="region" tabindex="0" aria-label="{escape(name)}"' if name else ""
    return Markup(f'<div class="wide"{label}>{content}</div>')


def html(text: str) -> Markup:
    """`text`, escaped unless it is HTML already."""
    return text if isinstance(text, Markup) else Markup(escape(text))


def svg(width: float, height: float, *parts: str, name: str = "", inside: bool = False) -> Markup:
    """A drawing of `parts`, in user units; `name` is what a screen reader says in its place, or of all where `inside`.

    Then it goes through what is drawn as well, since there are links.
    """
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    said = f' role="{"group" if inside else "img"}" aria-label="{escape(name)}"' if name else ""
    drawing = "".join(parts)
    return Markup(f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-size="11"{said}>{drawing}</svg>')


def words(x: float, y: float, text: str, anchor: str = "start") -> str:
    """Text in a drawing; `anchor` is "start", "middle" or "end"."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'
