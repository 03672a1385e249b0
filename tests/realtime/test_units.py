import pytest

from realtime.units import TRACE, WORDS, described


@pytest.mark.parametrize(
    ("unit", "side", "left", "right", "words"),
    [
        ("12", "both", 0.4, 0.3, "lip corners up"),
        ("12", "left", 0.4, 0.2, "lip corners up, left more than right"),
        ("12", "right", 0.1, 0.3, "lip corners up, right more than left"),
        ("12", "left", 0.4, TRACE / 2, "lip corner up, left"),
        ("4", "both", 0.2, 0.2, "brows lowered"),
        ("4", "right", 0.0, 0.3, "brow lowered, right"),
        ("6+7", "both", 0.2, 0.2, "cheeks raised or lids tightened"),
        ("6+7", "left", 0.2, 0.0, "cheek raised or lid tightened, left"),
        ("43", "both", 0.5, 0.5, "AU43"),
    ],
)
def test_a_unit_is_told_in_words_with_the_side_that_moved_more_or_alone(unit, side, left, right, words):
    assert described(unit, side, left, right) == words


def test_all_words_are_plain_and_differ():
    said = [words for words, _ in WORDS.values()]
    assert len(set(said)) == len(said)
    assert all(text.isascii() and text == text.lower() for both in WORDS.values() for text in both)
