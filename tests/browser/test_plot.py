"""What the plot draws, read from its pixels."""

import pytest
from scripted import Scripted

SPAN_S = 20.0
NOW, APEX = 100.0, 88.0  #: seconds


@pytest.fixture(scope="module")
def page(open_page):
    server = Scripted()
    yield open_page(server.url)
    server.close()


def drawn(page, event=None, score=0.0):
    """Pixels of a plot by their colour: lists of x, y; the score is 1 but at the apex, where it is `score`."""
    return page.evaluate(DRAW, {"event": event, "score": score, "now": NOW, "apex": APEX})


DRAW = """async ({ event, score, now, apex }) => {
    const { Plot } = await import("/glimpse/screen/plot.js");
    const canvas = document.createElement("canvas");
    canvas.style.cssText = "position: fixed; inset: 0; width: 640px; height: 150px;"
        + "--ink: #00f; --muted: #888; --line: #fff0; --micro: #0f0; --macro: #f00";
    document.querySelector(".gradio-container").append(canvas);
    const plot = new Plot(canvas);
    for (let t = now - 20; t <= now; t += 0.05) {
        const here = Math.abs(t - apex) < 0.026 ? score : 1;
        plot.state({ t, faces: [{ id: 1, score: here, threshold: 4 }] });
    }
    if (event) plot.event({ id: 1, onset_s: apex - 2, apex_s: apex, offset_s: apex + 1, stage: "final", ...event });
    plot.draw();
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    canvas.remove();
    const found = { ink: [], muted: [], micro: [], macro: [], width: canvas.width, height: canvas.height };
    const names = { "0,0,255": "ink", "136,136,136": "muted", "0,255,0": "micro", "255,0,0": "macro" };
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < 80) continue; // a plain span is fainter, hatching is not
        const name = names[data.slice(at, at + 3).join()];
        if (name) found[name].push([(at / 4) % canvas.width, Math.floor(at / 4 / canvas.width)]);
    }
    return found;
}"""


def rows(points, least):
    """The rows in which at least so many of `points` lie."""
    counts = {}
    for _, y in points:
        counts[y] = counts.get(y, 0) + 1
    return [y for y in sorted(counts) if counts[y] >= least]


def symbol(points):
    """Widths of the rows of what stands above the plot, and its middle."""
    top = [(x, y) for x, y in points if y < 13]
    across = {y: [x for x, row in top if row == y] for _, y in top}
    widths = [max(across[y]) - min(across[y]) + 1 for y in sorted(across)]
    return widths, sum(x for x, _ in top) / len(top)


def test_the_threshold_is_a_dashed_line_at_its_own_score(page):
    plot = drawn(page)
    (line,) = rows(plot["muted"], plot["width"] * 0.3)
    dashes = [x for x, y in plot["muted"] if y == line]
    assert len(dashes) < plot["width"] * 0.7
    assert max(dashes) - min(dashes) > plot["width"] * 0.9
    reached = drawn(page, score=4.0)["ink"]
    assert min(y for _, y in reached) == pytest.approx(line, abs=1.5)
    assert min(y for _, y in plot["ink"]) > line + 10


@pytest.mark.parametrize("kind", ["micro", "macro"])
def test_an_event_is_marked_at_the_time_of_its_apex(page, kind):
    plot = drawn(page, {"kind": kind}, score=7.0)
    peak, _ = min(plot["ink"], key=lambda point: point[1])
    _, middle = symbol(plot[kind])
    assert middle == pytest.approx(peak, abs=1.5)
    newest = max(x for x, _ in plot["ink"])
    oldest = min(x for x, _ in plot["ink"])
    assert middle == pytest.approx(newest - (NOW - APEX) / SPAN_S * (newest - oldest), abs=3)
    lines = [x for x in range(plot["width"]) if sum(each == x for each, _ in plot[kind]) > 40]
    second = (newest - oldest) / SPAN_S
    for at in (APEX - 2, APEX, APEX + 1):
        assert any(abs(x - (newest - (NOW - at) * second)) < 3 for x in lines), f"no line at {at}"


def test_macro_is_told_from_micro_by_shape_and_hatching_and_not_by_colour_alone(page):
    micro, macro = drawn(page, {"kind": "micro"}), drawn(page, {"kind": "macro"})
    assert not micro["macro"]
    assert not macro["micro"]
    diamond, _ = symbol(micro["micro"])
    square, _ = symbol(macro["macro"])
    assert max(diamond) > 2 * diamond[0]
    assert max(square) - min(square) <= 1
    assert len(macro["macro"]) > 3 * len(micro["micro"])  # the hatching; without it only the lines are so dense


def test_a_withdrawn_event_stays_as_an_outline_without_the_colour_of_its_kind(page):
    plot = drawn(page, {"kind": "micro", "stage": "withdrawn"})
    assert not plot["micro"]
    assert drawn(page, {"kind": "micro"})["micro"]


def test_an_event_leaves_the_plot_with_its_time(page):
    assert not drawn(page, {"kind": "micro", "apex_s": NOW - 30, "onset_s": NOW - 31, "offset_s": NOW - 29})["micro"]
