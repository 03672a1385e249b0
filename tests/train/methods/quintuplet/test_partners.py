"""Who is whose partner: hard classes, groups, and the macro-expressions of a fold."""

import msgspec
import pytest
import torch

from realtime.labels import MEGC3, VOCABULARIES
from train.config.recorded import Data
from train.methods.quintuplet import macro as partners
from train.methods.quintuplet.groups import Groups
from train.methods.quintuplet.macro import macro_clips
from train.methods.quintuplet.plutchik import hard, same
from train.registry import experiment
from train.sources.source import ClipSource, Split, Vocabulary

replace = msgspec.structs.replace
EMOTIONS = VOCABULARIES["emotion-7"]


@pytest.mark.parametrize(
    ("label", "known", "wanted"),
    [
        ("disgust", EMOTIONS, {"anger", "contempt"}),
        ("disgust", VOCABULARIES["casme2-5"], {"repression", "others"}),
        ("repression", VOCABULARIES["casme2-5"], {"happiness", "disgust"}),
        ("repression", EMOTIONS, {"disgust", "sadness", "happiness"}),
        ("happiness", VOCABULARIES["samm-5"], {"contempt"}),
        ("surprise", EMOTIONS, {"fear"}),
        ("others", EMOTIONS, {"disgust"}),
        ("negative", MEGC3, {"positive", "surprise"}),  # by contempt and repression, and by fear
        ("positive", MEGC3, {"negative"}),
        ("surprise", MEGC3, {"negative"}),
        ("positive", EMOTIONS, {"contempt"}),
        ("negative", EMOTIONS, {"happiness", "surprise"}),  # never of its own
        ("none", MEGC3, set(MEGC3)),  # which has no neighbour
    ],
)
def test_hard_classes_are_neighbours_in_the_wheel(label, known, wanted):
    assert hard(label, known) == wanted


def test_hardness_is_mutual_and_no_class_is_hard_to_tell_from_itself():
    for known in (EMOTIONS, MEGC3, VOCABULARIES["casme2-5"]):
        for one in known:
            assert one not in hard(one, known)
            for other in known:
                told = {one, other}
                assert (other in hard(one, told)) == (one in hard(other, told))


def test_one_class_has_two_names_in_two_vocabularies():
    assert same("happiness", "positive")
    assert same("negative", "fear")
    assert same("surprise", "surprise")
    assert not same("positive", "fear")
    assert not same("disgust", "anger")  # both negative, and yet not one


MICRO = ["happiness", "happiness", "disgust", "repression", "others"]
MACRO = ["happiness", "anger", "disgust", "contempt", "surprise"]


def drawn(groups, anchor, seeds=40):
    return [groups.draw(anchor, torch.Generator().manual_seed(seed)) for seed in range(seeds)]


def test_a_group_has_the_anchor_its_class_and_a_hard_one_of_either_mode():
    for members, there in drawn(Groups(MICRO, MACRO), 0):
        assert there == [True] * 4
        assert members[:2] == [(False, 0), (False, 1)]  # the other happiness
        assert members[2] == (False, 3)  # repression
        assert members[3] == (True, 0)
        assert members[4] == (True, 3)  # contempt


def test_every_candidate_is_drawn():
    found = [members for members, _ in drawn(Groups(MICRO, MACRO), 2)]
    assert {members[2] for members in found} == {(False, 3), (False, 4)}
    assert {members[4] for members in found} == {(True, 1), (True, 3)}


def test_the_anchor_stands_for_a_partner_that_there_is_none_of():
    [(members, there), *_] = drawn(Groups(MICRO, MACRO), 2)
    assert (members[1], there[0]) == ((False, 2), False)  # the only disgust
    assert (members[3], there[2]) == ((True, 2), True)
    [(members, there), *_] = drawn(Groups(MICRO, MACRO), 4)
    assert (members[3], there[2]) == ((False, 4), False)  # CK+ has no others
    assert (members[4], there[3]) == ((True, 2), True)


def test_without_macro_expressions_there_are_three():
    groups = Groups(MICRO, [])
    assert groups.members == 3
    [(members, there), *_] = drawn(groups, 0)
    assert (len(members), there) == (3, [True, True, False, False])


class Makes(ClipSource):
    """A source that makes macro-expressions of whom it is asked for."""

    def __init__(self):
        self.asked = []

    def macros(self, people, each, workers=None):
        self.asked.append((people, each))
        return ["made"]


def test_macro_expressions_are_of_nobody_who_is_held_back(recipe_of, drawn, collected, monkeypatch, tmp_path):
    config = recipe_of("quintuplet").method
    micro = collected(drawn("toy", people=4))
    people = {
        name: [clip for clip in micro.of(micro.ids(), 0.0) if clip.case.subject == f"toy/p{name}"] for name in range(4)
    }
    split = Split(Vocabulary("megc-3", MEGC3), ([*people[0], *people[1]],), people[2], (people[3],))
    source = Makes()
    assert macro_clips(config, source, split) == ["made"]
    assert source.asked == [(["toy/p0", "toy/p1"], 2)]
    sets = {"toy": micro, "ckplus": collected(drawn("ckplus", EMOTIONS, people=2))}
    monkeypatch.setattr(partners, "gather", lambda data, rates, cache, workers: sets[data[0].name])
    for name, wanted in (("toy", {"toy/p0", "toy/p1"}), ("ckplus", {"ckplus/p0", "ckplus/p1"})):
        named = (Data(name=name, root="", table="", labels=""),)
        beside = macro_clips(replace(config, macro=replace(config.macro, each=0, data=named)), source, split)
        assert {clip.case.subject for clip in beside} == wanted
    assert len(source.asked) == 1


def test_recorded_clips_are_learned_from_beside_those_of_ckplus(
    recipe_of, drawn, collected, gathered, monkeypatch, tmp_path
):
    labels = VOCABULARIES["casme2-5"]
    gathered(collected(drawn("casme2", labels, people=3, per_person=5)))
    ckplus = collected(drawn("ckplus", EMOTIONS, people=2, per_person=4))
    monkeypatch.setattr(partners, "gather", lambda data, rates, cache, workers: ckplus)
    asked = experiment(recipe_of("quintuplet-recorded", "casme2-5", epochs=1))
    assert asked.method.files(asked.config)["macro"] == ckplus.key()
    (_, branches) = asked.method.stages(asked.config, asked.split, asked.source, 1)
    job, _ = branches()
    pictures, flow, _, there = next(job.batches(0))
    assert (pictures.shape[:2], flow.shape[:2], there.shape) == ((4, 5), (4, 5), (4, 4))
    assert {clip.sample.subject for clip in job.macro} == {"ckplus/p0", "ckplus/p1"}
    assert bool(there[:, 3].all())  # a hard macro-expression there is for every class
    run = asked.fit()
    assert all(bool(torch.isfinite(x).all()) for x in torch.load(run / "weights.pt", weights_only=True).values())
