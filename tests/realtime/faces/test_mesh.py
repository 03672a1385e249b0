import numpy as np
import pytest

from realtime import config
from realtime.capture.source import open_source
from realtime.faces import landmarks as lm
from realtime.faces import mesh
from realtime.faces.mesh import MediaPipe

pytestmark = pytest.mark.skipif(not mesh.installed(), reason="mediapipe is not installed")


def written(points, **more):
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    message = NormalizedLandmarkList()
    for x, y, z in points.tolist():
        message.landmark.add(x=x, y=y, z=z, **more)
    return message.SerializeToString()


def test_landmarks_are_read_from_the_wire(drawn_face):
    points = drawn_face(0, 0, 0.2)
    message = written(points)
    assert len(message) == lm.COUNT * mesh._POINT.itemsize
    assert np.array_equal(mesh._points(message), points)
    assert mesh._points(message).dtype == np.float32


def test_landmarks_of_another_form_are_read_one_by_one(drawn_face):
    points = np.tile(drawn_face(0, 0, 0.2), (2, 1))[: lm.COUNT + 10]
    assert np.array_equal(mesh._points(written(points, visibility=0.5)), points[: lm.COUNT])


@pytest.fixture(scope="module")
def pictures(clip):
    stages = config.load()
    source = open_source(str(clip("single_face.mp4")), stages.source, fast=True)
    return [frame.image for frame, _ in zip(source.frames(), range(6), strict=False)]


def test_graphs_run_by_hand_find_what_mediapipes_own_call_does(pictures):
    settings = config.load().track
    ours, theirs = MediaPipe(settings), mesh._far_mesh(1, settings)
    theirs.process(mesh._BLANK)
    for picture in pictures:
        (found,) = ours.find(picture, 1)
        (wanted,) = theirs.process(picture).multi_face_landmarks
        scale = (picture.shape[1], picture.shape[0], picture.shape[1])
        assert found == pytest.approx(np.array([(p.x, p.y, p.z) for p in wanted.landmark]) * scale, abs=1e-4)
    ours.close()


def test_a_picture_that_is_part_of_another_is_seen_as_it_is(pictures):
    landmarker = MediaPipe(config.load().track)
    part = pictures[0][:, 100:540]
    assert not part.flags.c_contiguous
    (found,) = landmarker.find(part, 1)
    landmarker.restart()
    (alone,) = MediaPipe(config.load().track).find(np.ascontiguousarray(part), 1)
    assert np.array_equal(found, alone)


def test_pictures_may_still_be_written_to_afterwards(pictures):
    landmarker, picture = MediaPipe(config.load().track), pictures[0].copy()
    landmarker.find(picture, 1)
    landmarker.close()
    picture[:] = 0
    assert not picture.any()
