"""The closing table: a row a file, and below it what is to be known of each."""

from realtime.analysis.results import Analysed, lines


def test_a_file_is_a_row_and_what_is_to_be_known_stands_below():
    found = [
        Analysed(file="a.mp4", folder="out/a", seconds=12.0, took_s=3.5, frames=300, faces=1, events=2, withdrawn=1),
        Analysed(file="longer name.mov", error="longer name.mov cannot be decoded; wanted a video"),
        Analysed(file="c.mp4", folder="out/c", notes=("no face was found", "c.mp4: 5 of 9 frames")),
    ]
    head, first, failed, third, *below = lines(found)
    assert first.split() == ["a.mp4", "12.0", "s", "3.5", "s", "300", "1", "2", "1", "out/a"]
    assert failed.split() == ["longer", "name.mov", "failed"]
    assert third.endswith("out/c")
    assert head.index("results") == first.index("out/a")
    assert below == [
        "error: longer name.mov cannot be decoded; wanted a video",
        "c.mp4: no face was found",
        "c.mp4: 5 of 9 frames",
    ]
