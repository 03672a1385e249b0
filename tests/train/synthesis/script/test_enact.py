import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from train.registry import load
from train.synthesis.face.channels import INDEX, NAMES
from train.synthesis.script.emotions import EMOTIONS, LABELS, NEUTRAL, strokes, units
from train.synthesis.script.enact import FAINT, enact, manner_of
from train.synthesis.script.strokes import StrokeSpan

CLIPS = load([ROOT / "configs/methods/dynamic.toml", ROOT / "configs/data/enacted.toml"]).source.clips


def calm():
    """Without anything that no expression asked for."""
    nothing = dict.fromkeys(CLIPS.distractors.__struct_fields__, 0.0)
    return msgspec.structs.replace(CLIPS, distractors=msgspec.structs.replace(CLIPS.distractors, **nothing))


def amounts(enacted, *moments):
    """The channels (T, K) at moments of the span."""
    return enacted.scene.amounts(np.array([getattr(enacted.span, name) for name in moments]))


def test_every_class_but_neutral_has_units_that_the_head_can_play():
    assert {*EMOTIONS, NEUTRAL} == set(LABELS)
    rng = np.random.default_rng(1)
    for label in EMOTIONS:
        drawn = [units(label, rng) for _ in range(60)]
        assert len({tuple(sorted(each)) for each in drawn}) == len(EMOTIONS[label])
        for weights in drawn:
            assert set(weights) <= set(NAMES)
            assert all(weights[f"{name[:-1]}L"] == weights[f"{name[:-1]}R"] for name in weights)


def test_strokes_take_away_what_they_would_give():
    span = StrokeSpan(0.0, 0.1, 0.2, 0.3)
    given, taken = (strokes({"12L": 1.0, "6R": 0.9}, amount, span) for amount in (0.5, -0.5))
    assert [(s.name, s.amount) for s in given] == [("12L", 0.5), ("6R", 0.45)]
    assert [s.amount for s in taken] == [-s.amount for s in given]


@pytest.mark.parametrize("seed", range(5))
def test_an_expression_that_a_picture_shows_is_taken_away_before_the_onset_and_back_at_the_apex(seed):
    enacted = enact("happiness", "backward", calm(), np.random.default_rng(seed))
    rest, apex, after = amounts(enacted, "onset", "release", "offset")
    assert apex == pytest.approx(np.zeros(len(NAMES)), abs=1e-6)
    assert rest == pytest.approx(after)
    low, high = CLIPS.back
    assert -high * 1.15 <= rest[INDEX["12L"]] <= -low * 0.85
    assert rest[INDEX["4L"]] == 0.0


@pytest.mark.parametrize("label", list(EMOTIONS))
def test_a_neutral_picture_plays_the_units_of_the_class(label):
    enacted = enact(label, "forward", calm(), np.random.default_rng(3))
    rest, apex = amounts(enacted, "onset", "apex")
    assert not rest.any()
    played = {int(NAMES[k][:-1]) for k in np.flatnonzero(apex)}
    assert tuple(sorted(played)) in EMOTIONS[label]
    assert apex.max() <= CLIPS.forward[1] * 1.15


def test_a_neutral_face_moves_faintly_and_something_else_happens():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert amounts(enact(NEUTRAL, "still", calm(), rng), "apex").max() <= FAINT * 1.15
    scenes = [enact(NEUTRAL, "still", CLIPS, np.random.default_rng(seed)).scene for seed in range(20)]
    assert all(any(h.role != "macro" for h in scene.happenings) for scene in scenes)


def test_the_span_lies_inside_the_film_and_lasts_as_long_as_a_macro_expression():
    for seed in range(50):
        enacted = enact("fear", "forward", CLIPS, np.random.default_rng(seed))
        span = enacted.span
        assert 0.0 < span.onset < span.apex <= span.release < span.offset <= enacted.scene.seconds
        assert 0.5 <= span.offset - span.onset <= 4.0


def test_how_a_picture_plays_follows_from_what_it_shows():
    assert manner_of("fear", "fear") == "backward"
    assert manner_of(NEUTRAL, "fear") == "forward"
    assert manner_of(NEUTRAL, NEUTRAL) == "still"
    with pytest.raises(ValueError, match="a face that shows fear cannot come to show anger"):
        manner_of("fear", "anger")
