from dataclasses import replace

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.capture.source import open_source
from realtime.engine.landmarker import open_landmarker
from realtime.faces import landmarks as lm
from realtime.faces import track
from realtime.faces.track import Tracker
from realtime.records import Frame

RATE = 60.0


@pytest.fixture
def follow(scripted_landmarker):
    """Play faces by picture through a tracker: the ids in each picture, and the landmarker with its records."""

    def play(script, rate_hz=RATE, **changes):
        landmarker = scripted_landmarker(script)
        tracker = Tracker(msgspec.structs.replace(config.load().track, **changes), landmarker)
        return [tracker.push(frame) for frame in landmarker.frames(rate_hz)], landmarker

    return play


def ids(frames):
    return [[face.id for face in faces] for faces in frames]


def seconds(duration):
    return round(duration * RATE)


def test_a_face_that_stays_keeps_its_id(follow, drawn_face):
    frames, _ = follow([[drawn_face(100 + i, 100)] for i in range(90)])
    assert ids(frames) == [[1]] * 90


def test_a_face_is_described_where_it_is(follow, drawn_face):
    frames, _ = follow([[drawn_face(100, 120)]])
    face = frames[0][0]
    assert np.array_equal(face.landmarks, drawn_face(100, 120))
    assert face.box == track.bounding_box(face.landmarks)
    assert face.quality.size_px == pytest.approx(80.0, rel=1e-4)
    assert face.pose.yaw == pytest.approx(0.0, abs=0.1)


def test_a_short_loss_keeps_the_id(follow, drawn_face):
    face = [drawn_face(100, 100)]
    frames, _ = follow([face] * 10 + [[]] * seconds(0.7) + [face] * 30, retire_s=1.0, search_s=0.25)
    assert ids(frames)[:10] == [[1]] * 10
    assert ids(frames)[-15:] == [[1]] * 15
    assert {id for faces in ids(frames) for id in faces} == {1}


def test_a_face_that_was_away_for_long_comes_back_as_another(follow, drawn_face):
    face = [drawn_face(100, 100)]
    frames, _ = follow([face] * 10 + [[]] * seconds(1.2) + [face] * 30, retire_s=1.0)
    assert ids(frames)[:10] == [[1]] * 10
    assert ids(frames)[-1] == [2]


@pytest.mark.promise(
    "two people cross, or stand off-angle",
    "keep their ids",
    "1 of 1",
)
def test_two_faces_that_cross_keep_their_ids(follow, drawn_face):
    left_to_right = np.linspace(60, 260, 60)
    script = [[drawn_face(x, 90), drawn_face(320 - x, 130)] for x in left_to_right]
    frames, _ = follow(script)
    assert ids(frames) == [[1, 2]] * 60
    assert frames[-1][0].landmarks is script[-1][0]


def test_the_order_in_which_faces_are_found_does_not_matter(follow, drawn_face):
    a, b = drawn_face(60, 100), drawn_face(240, 100)
    frames, _ = follow([[a, b], [b, a], [a, b]])
    assert ids(frames) == [[1, 2]] * 3
    assert all(faces[0].landmarks is a for faces in frames)


def test_a_jump_beyond_the_gate_is_another_face(follow, drawn_face):
    near, far = drawn_face(100 + 0.9 * 80, 100), drawn_face(100 + 0.9 * 80 + 1.1 * 80, 100)
    frames, _ = follow([[drawn_face(100, 100)], [near], [far]], gate=1.0)
    assert ids(frames) == [[1], [1], [2]]


def test_the_nearer_face_keeps_the_id(follow, drawn_face):
    frames, _ = follow([[drawn_face(100, 100)], [drawn_face(150, 100), drawn_face(90, 100)]], search_s=1e-3)
    assert ids(frames)[1] == [1, 2]
    assert frames[1][0].landmarks[lm.LEFT_EYE_OUTER, 0] < frames[1][1].landmarks[lm.LEFT_EYE_OUTER, 0]


@pytest.mark.promise(
    "five faces where four are followed",
    "four are, the fifth costs nothing",
    "1 of 1",
)
def test_no_more_faces_than_allowed_are_followed(follow, drawn_face):
    crowd = [drawn_face(50 + 60 * i, 100, 30.0) for i in range(5)]
    frames, landmarker = follow([crowd] * 40, max_faces=4)
    assert ids(frames) == [[1, 2, 3, 4]] * 40
    assert max(landmarker.asked) == 4


@pytest.mark.promise(
    "a slow frame every few seconds",
    "who comes is looked for once a second, and costs no frame its place",
    "1 of 1",
)
def test_newcomers_are_looked_for_once_a_second_only(follow, drawn_face):
    _, landmarker = follow([[drawn_face(100, 100)]] * seconds(3.0), search_s=0.25)
    assert landmarker.looks == [0, 15, 75, 135]  # who has just come may not be alone
    assert landmarker.asked == [1] * seconds(3.0)


def test_an_empty_picture_is_looked_at_no_more_often(follow):
    _, landmarker = follow([[]] * seconds(1.0), search_s=0.25)
    assert landmarker.looks == [0, 15, 30, 45]
    assert landmarker.asked == []


def test_a_newcomer_is_seen_with_the_next_look(follow, drawn_face):
    old, new = drawn_face(60, 100), drawn_face(240, 100)
    frames, _ = follow([[old]] * 16 + [[old, new]] * 70, search_s=0.25)
    assert ids(frames) == [[1]] * 75 + [[1, 2]] * 11


def test_losing_a_face_makes_it_look_at_once(follow, drawn_face):
    a, b = drawn_face(60, 100), drawn_face(240, 100)
    _, landmarker = follow([[a, b]] * 5 + [[a]] * 5, search_s=0.25)
    assert landmarker.looks == [0, 6]
    assert landmarker.asked == [2] * 6 + [1] * 4


def test_a_face_that_has_no_landmarks_is_not_looked_for_in_every_picture(scripted_landmarker, drawn_face):
    class Poster(scripted_landmarker):
        def count(self, image):
            return super().count(image) + 1

    landmarker = Poster([[drawn_face(100, 100)]] * seconds(3.0))
    tracker = Tracker(msgspec.structs.replace(config.load().track, search_s=0.25), landmarker)
    frames = [tracker.push(frame) for frame in landmarker.frames(RATE)]
    assert ids(frames) == [[1]] * seconds(3.0)
    assert landmarker.looks == [0, 15, 75, 135]
    assert landmarker.asked.count(2) == 4


@pytest.mark.promise(
    "faces that come and go",
    "an id is never given twice",
    "1 of 1",
)
def test_an_id_is_never_given_twice(follow, drawn_face):
    face, gone = [drawn_face(100, 100)], [[]] * seconds(0.2)
    frames, _ = follow(([face] * 20 + gone) * 4, retire_s=0.1, search_s=0.05)
    seen = [faces[0] for faces in ids(frames) if faces]
    assert seen == sorted(seen)
    assert set(seen) == {1, 2, 3, 4}


def test_ids_do_not_depend_on_the_frame_rate(follow, drawn_face):
    face = [drawn_face(100, 100)]
    for rate in (24.0, 200.0):
        short, long = round(0.7 * rate), round(1.4 * rate)
        frames, _ = follow([face] * 10 + [[]] * short + [face] * long + [[]] * long + [face] * long, rate)
        assert {faces[0] for faces in ids(frames) if faces} == {1, 2}


def test_nothing_is_held_back(scripted_landmarker):
    tracker = Tracker(config.load().track, scripted_landmarker([]))
    assert tracker.flush() == []
    assert tracker.delay_s == 0.0


def test_closing_the_tracker_frees_the_models(scripted_landmarker):
    landmarker = scripted_landmarker([])
    Tracker(config.load().track, landmarker).close()
    assert landmarker.closed


@pytest.fixture(scope="module")
def play(clip, stages):
    """Ids of a real clip, by picture."""

    def ids_of(name, **changes):
        tracker = Tracker(msgspec.structs.replace(stages.track, **changes), open_landmarker(stages))
        source = open_source(str(clip(name)), stages.source, fast=True)
        found = ids(map(tracker.push, source.frames()))
        tracker.close()
        return found

    return ids_of


@pytest.mark.parametrize("name", ["single_face.mp4", "strong_expressions.mp4"])
def test_one_real_face_is_one_id_throughout(play, name):
    found = play(name)
    assert found == [[1]] * len(found)


def test_a_cartoon_is_no_face(play):
    found = play("no_face.mp4")
    assert len(found) == 95
    assert not any(found)


def test_a_real_face_ends_where_it_is_cut_away(play):
    found = play("face_noface.mov")
    assert found == [[1]] * 72 + [[]] * (len(found) - 72)


def test_a_real_face_begins_soon_after_it_comes(play):
    found = play("noface_face.mov")
    began = found.index([1])
    assert 96 <= began <= 103  # it comes with picture 96, and is looked for every quarter of a second
    assert found[began:-1] == [[1]] * (len(found) - began - 1)  # the very last picture is the cartoon again


@pytest.mark.parametrize("most", [4, 5])
def test_the_faces_of_a_group_are_found_in_one_picture(play, most):
    assert play("multi_face.jpg", max_faces=most) == [list(range(1, most + 1))]


@pytest.fixture(scope="module")
def tight(clip, stages):
    """The first pictures of a real clip, cut to the face."""
    landmarker = open_landmarker(stages)
    source = open_source(str(clip("strong_expressions.mp4")), stages.source, fast=True)
    frames = [frame for frame, _ in zip(source.frames(), range(20), strict=False)]
    box = track.bounding_box(landmarker.find(frames[0].image, 1)[0])
    landmarker.close()
    rows, columns = slice(int(box.y), int(box.y + box.height)), slice(int(box.x), int(box.x + box.width))
    return [replace(frame, image=np.ascontiguousarray(frame.image[rows, columns])) for frame in frames]


def test_a_face_that_fills_the_picture_is_one_id_from_the_first_picture_on(tight, stages):
    tracker = Tracker(msgspec.structs.replace(stages.track, search_s=0.1), open_landmarker(stages))
    found = ids(map(tracker.push, tight))
    tracker.close()
    assert found == [[1]] * len(tight)


def test_who_fills_the_picture_is_followed_as_such_until_more_are_found(tight, clip, stages):
    landmarker = open_landmarker(stages)
    [group] = open_source(str(clip("multi_face.jpg")), stages.source, fast=True).frames()
    assert (landmarker.count(tight[0].image), len(landmarker.find(tight[0].image, 1))) == (1, 1)
    assert landmarker.count(tight[1].image) == 0  # nobody is new
    assert len(landmarker.find(tight[1].image, 1)) == 1
    several = landmarker.count(group.image)
    assert len(landmarker.find(group.image, several)) == several > 1
    landmarker.close()


def test_two_turning_heads_are_two_ids(play):
    found = play("head-pose-face-detection-female-and-male.gif")
    assert found == [[1, 2]] * len(found)


def test_pictures_that_stand_alone_do_not_know_of_each_other(clip, stages):
    landmarker = open_landmarker(stages, still=True)
    names = ("single_face.jpg", "single_face.mp4")
    frames = [next(open_source(str(clip(name)), stages.source, fast=True).frames()) for name in names]
    alone = [landmarker.find(frame.image, 1)[0] for frame in frames]
    again = [landmarker.find(frame.image, 1)[0] for frame in reversed(frames)]
    landmarker.close()
    assert all(np.array_equal(a, b) for a, b in zip(alone, again[::-1], strict=True))


def test_after_a_restart_a_clip_is_seen_as_if_it_were_the_first(clip, stages):
    landmarker = open_landmarker(stages)

    def seen():
        source = open_source(str(clip("single_face.mp4")), stages.source, fast=True)
        landmarker.restart()
        return [landmarker.find(frame.image, 1)[0] for frame, _ in zip(source.frames(), range(5), strict=False)]

    first, second = seen(), seen()
    landmarker.close()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_frames_are_only_read(drawn_face, scripted_landmarker):
    image = np.full((240, 320, 3), 90, np.uint8)
    image.setflags(write=False)
    landmarker = scripted_landmarker([[drawn_face(100, 100)]])
    landmarker.now = 0
    assert len(Tracker(config.load().track, landmarker).push(Frame(image, 0.0, 0, 0, 0.0))) == 1
