import itertools

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT, convert, read_toml
from realtime.errors import ConfigError
from realtime.labels import MEGC3
from train.config.clips import AT_REST, SyntheticSettings
from train.synthesis.face.channels import INDEX
from train.synthesis.script.distractors import MAKERS
from train.synthesis.script.mouths import speech
from train.synthesis.script.scene import APART_S, Lamp, along, clip_scene, video_scene
from train.synthesis.script.sway import Wave

SHIPPED = ROOT / "configs/data/synthetic.toml"
CLIPS = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips
OFTEN = msgspec.structs.replace(
    CLIPS.distractors, blink=60.0, gaze=60.0, speech=30.0, mouth=30.0, turn=30.0, hand=15.0, macro=30.0
)
TIMES = np.linspace(0.0, 0.9, 91)


def clips(distractors=CLIPS.distractors, **changes):
    return msgspec.structs.replace(CLIPS, distractors=distractors, **changes)


def rng(seed=1):
    return np.random.default_rng(seed)


def roles(scene):
    return {happening.role for happening in scene.happenings}


@pytest.mark.parametrize("label", MEGC3)
def test_a_clip_holds_one_event_with_rest_before_it(label):
    for seed in range(50):
        scene = clip_scene(clips(OFTEN), label, rng(seed))
        (event,) = [happening for happening in scene.happenings if happening.role == "micro"]
        assert event.label == label
        assert 0.25 <= event.onset < event.apex < event.offset <= scene.seconds
        assert "macro" not in roles(scene)


def test_without_distractors_nothing_moves_but_the_event():
    scene = clip_scene(clips(AT_REST), "positive", rng())
    assert roles(scene) == {"micro"}
    (event,) = scene.happenings
    amounts = scene.amounts(TIMES)
    assert not amounts[(event.onset >= TIMES) | (event.offset <= TIMES)].any()
    moving = {name for name, column in INDEX.items() if amounts[:, column].any()}
    assert moving == {stroke.name for stroke in event.strokes}
    pose = scene.pose(TIMES)
    assert not pose.turn.any()
    assert not pose.shift.any()
    assert scene.lamp.seen(TIMES, 0.01).tolist() == [1.0] * len(TIMES)


def test_the_event_is_strongest_at_its_apex():
    scene = clip_scene(clips(AT_REST), "surprise", rng(2))
    (event,) = scene.happenings
    fine = np.linspace(0.0, 0.9, 9001)
    total = scene.amounts(fine).sum(1)
    assert fine[int(np.argmax(total))] == pytest.approx(event.apex, abs=2e-4)


@pytest.mark.parametrize("name", list(MAKERS))
def test_each_distractor_can_be_left_out_alone(name):
    without = msgspec.structs.replace(OFTEN, **{name: 0.0})
    found = set.union(*(roles(video_scene(clips(without), 30.0, 6.0, rng(seed))) for seed in range(5)))
    assert found == {*MAKERS, "micro"} - {name}


def test_a_clip_without_event_shows_a_distractor_where_any_is_on():
    assert all(roles(clip_scene(clips(), None, rng(seed))) for seed in range(20))
    assert not roles(clip_scene(clips(AT_REST), None, rng()))


def test_expressions_of_a_video_stand_apart():
    scene = video_scene(clips(), 120.0, 20.0, rng(3))
    shown = [happening for happening in scene.happenings if happening.role in ("micro", "macro")]
    assert len(shown) > 15
    assert {happening.role for happening in shown} == {"micro", "macro"}
    gaps = [later.onset - earlier.offset for earlier, later in itertools.pairwise(shown)]
    assert min(gaps) > APART_S


def test_a_scene_is_repeated_by_its_seed_and_another_with_another():
    first, again, other = (clip_scene(clips(), "negative", rng(seed)) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_clip_too_short_for_any_event_is_refused():
    with pytest.raises(ConfigError, match=r"seconds is 0\.3; a clip with an event needs 0\.4"):
        clip_scene(clips(seconds=0.3), "negative", rng())


def test_speech_has_two_to_seven_syllables_a_second_or_nearly():
    for seed in range(20):
        spoken = speech(0.0, rng(seed))
        jaws = [stroke.span.apex for stroke in spoken.strokes if stroke.name == "jaw"]
        if len(jaws) > 2:
            assert 1.4 <= 1.0 / np.diff(jaws).mean() <= 9.0


def test_a_shutter_open_for_whole_periods_sees_no_flicker():
    lamp = Lamp(0.1, 100.0, 0.3, Wave((0.0,), (1.0,), (0.0,)))
    times = np.arange(60) / 60.0
    assert np.ptp(lamp.seen(times, 0.01)) < 1e-9
    assert np.ptp(lamp.seen(times, 0.001)) > 0.15


def test_a_wave_has_at_all_times_what_it_has_at_each():
    wave = Wave((0.4, 0.2), (0.3, 1.1), (0.1, 0.7))
    assert along(wave, TIMES) == pytest.approx([wave.at(float(t)) for t in TIMES])


def test_a_film_keeps_its_hands_apart_from_expressions():
    often = clips(msgspec.structs.replace(AT_REST, hand=20.0))
    scene = video_scene(often, 60.0, 10.0, rng())
    assert len(scene.hands) > 3
    for hand, event in itertools.product(scene.hands, (h for h in scene.happenings if h.role == "micro")):
        assert hand.span.onset > event.offset + APART_S or event.onset > hand.span.offset + APART_S


def test_no_hand_hides_the_event_of_a_clip():
    often = clips(msgspec.structs.replace(AT_REST, hand=600.0))
    assert not clip_scene(often, "positive", rng()).hands
    assert clip_scene(often, None, rng()).hands


def test_mouths_chew_and_move_their_lips_without_an_expression():
    names = set()
    for seed in range(60):
        shown = MAKERS["mouth"](1.0, rng(seed))
        assert (shown.role, shown.label, shown.units) == ("mouth", "", ())
        names |= {stroke.name for stroke in shown.strokes}
        assert all(1.0 <= stroke.span.onset <= stroke.span.offset <= shown.offset + 1e-9 for stroke in shown.strokes)
    assert {"jaw-aside", "lips-shut", "23L", "pucker"} <= names
    assert names <= set(INDEX)


def test_heads_turn_nod_and_lean_and_come_back():
    kinds = set()
    for seed in range(60):
        shown = MAKERS["turn"](1.0, rng(seed))
        kinds.add("nearer" if shown.strokes[0].name == "nearer" else len(shown.strokes) > 5)
        assert {stroke.name for stroke in shown.strokes} <= {"yaw", "pitch", "roll", "x", "y", "nearer"}
        assert all(stroke.span.level(np.array([0.9, shown.offset + 0.5])).max() == 0.0 for stroke in shown.strokes)
    assert kinds == {"nearer", True, False}


def test_a_nod_goes_both_ways_a_few_times_a_second():
    nods = [shown for seed in range(60) if len((shown := MAKERS["turn"](0.0, rng(seed))).strokes) > 7]
    assert nods
    for shown in nods:
        sizes = {np.sign(stroke.amount) for stroke in shown.strokes if stroke.name in ("pitch", "yaw")}
        assert sizes == {-1.0, 1.0}
        assert 0.2 < shown.offset - shown.onset < 2.2
