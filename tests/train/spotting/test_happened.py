"""What happens in a film, and what of it a detection lies on."""

import msgspec
import numpy as np
import pytest

from realtime.config import ROOT
from train import registry
from train.spotting.happened import Happened, happened, under
from train.spotting.movements import Movement
from train.synthesis.script.scene import video_scene

CLIPS = registry.load([ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"]).source.clips


def scenes(count, **distractors):
    clips = msgspec.structs.replace(CLIPS, distractors=msgspec.structs.replace(CLIPS.distractors, **distractors))
    made = (video_scene(clips, 40.0, 12.0, np.random.default_rng(seed)) for seed in range(count))
    return [(scene, happened(scene, clips.distractors)) for scene in made]


def test_events_are_told_by_their_roles_and_times():
    for scene, found in scenes(3):
        events = [each for each in found if each.name not in ("flicker", "sway")]
        assert events == [Happened(h.role, h.onset, h.offset) for h in scene.happenings]
    assert {each.name for _, found in scenes(3) for each in found} >= {"micro", "macro", "blink", "gaze", "turn"}


@pytest.mark.parametrize(("name", "off"), [("flicker", {"flicker": 0.0}), ("sway", {"sway_deg": 0.0})])
def test_what_never_ends_is_of_the_films_that_have_most_of_it(name, off):
    def much(scene):
        return scene.lamp.size if name == "flicker" else sum(scene.sway["yaw"].sizes)

    own = {True: [], False: []}
    for scene, found in scenes(200):
        spans = [each for each in found if each.name == name]
        own[bool(spans)].append(much(scene))
        assert spans in ([], [Happened(name, 0.0, 40.0)])
    assert min(own[True]) > max(own[False])
    assert 70 < len(own[True]) < 130  # of 200 about half: 100 +- 4 standard deviations
    assert not any(each.name == name for _, found in scenes(20, **off) for each in found)


def test_a_detection_lies_on_all_that_happens_meanwhile():
    found = Movement("anna", "micro", 1.0, 1.1, 1.5)
    everything = [
        Happened("blink", 0.8, 1.1),
        Happened("blink", 1.2, 1.4),
        Happened("gaze", 0.0, 9.0),
        Happened("turn", 1.5, 2.0),
        Happened("speech", 0.5, 1.0),
    ]
    assert under(found, everything) == pytest.approx({"blink": 0.2, "gaze": 0.5})
    assert under(found, []) == {}
