import msgspec
import numpy as np

from train.synthesis.enacted import Studio, cast
from train.synthesis.script.emotions import EMOTIONS, LABELS, NEUTRAL

SPLITS = ["train", "valid", "test"]
replace = msgspec.structs.replace


def test_rare_expressions_play_several_clips_of_a_picture(enactment):
    roles = cast(enactment, "train")
    for label in EMOTIONS:
        own = [role for role in roles if role.shown == label]
        assert [role.plays for role in own] == [(label, label)] * 2
    assert len({role.id for role in roles}) == len(roles)
    once = cast(replace(enactment, most_takes=1), "train")
    assert all(len(role.plays) == 1 for role in once if role.shown != NEUTRAL)


def test_neutral_pictures_play_every_class_or_rest(enactment):
    plays = [role.plays for role in cast(enactment, "train") if role.shown == NEUTRAL]
    assert plays == [LABELS, (NEUTRAL,)]


def test_the_other_splits_have_fewer_and_other_pictures(enactment):
    assert [sum(role.shown == "fear" for role in cast(enactment, split)) for split in SPLITS] == [2, 2, 2]
    more = replace(enactment, held_out=0.25)
    assert sum(role.shown == "fear" for role in cast(more, "valid")) == 1
    assert {role.split for role in cast(enactment, "valid")} == {"valid"}


def test_a_role_becomes_clips_that_are_the_same_again(enactment, finds, facekit_path):
    clips = replace(enactment, head=facekit_path)
    role = next(role for role in cast(clips, "train") if role.shown == "surprise")
    made, again = (list(Studio(clips, finds()).clips(role)) for _ in range(2))
    assert [clip.enacted.label for clip in made] == ["surprise", "surprise"]
    for clip, same in zip(made, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(clip.crops, same.crops, strict=True))
        assert len(clip.crops) == len(clip.times) == 5
        assert clip.crops[0].shape == (48, 48, 3)
        assert 0.0 == clip.times[0] < clip.times[-1] < clip.enacted.scene.seconds
    assert not np.array_equal(made[0].crops[2], made[1].crops[2])


def test_where_no_face_is_found_there_is_no_clip(enactment, finds, facekit_path):
    clips = replace(enactment, head=facekit_path)
    assert list(Studio(clips, finds(none=True)).clips(cast(clips, "train")[0])) == []
