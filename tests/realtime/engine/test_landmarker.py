"""Face landmarks by both engines: that they agree, and what the one of our own promises."""

import subprocess
import sys
from itertools import islice

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.capture.source import open_source
from realtime.config import ROOT
from realtime.demo import truth
from realtime.engine import landmarker
from realtime.engine.backends import picture_network
from realtime.engine.backends.picture_network import PictureNetwork
from realtime.engine.landmarker import SpareLandmarker, landmarker_version, open_landmarker, sight
from realtime.errors import ConfigError, EngineError
from realtime.faces import face_mesh, mesh, public_models
from realtime.faces.face_mesh import FaceMesh
from realtime.faces.public_models import FACE_LANDMARKS, FULL_RANGE, MODELS, SHORT_RANGE
from realtime.faces.quality import eye_distance
from realtime.faces.track import Tracker
from realtime.records import Frame

OWN = config.load(overrides=["faces.landmarks=openvino"])
THEIRS = config.load(overrides=["faces.landmarks=mediapipe"])
AGREED = 0.4  # % of the distance of the outer eye corners


@pytest.fixture(scope="module")
def own():
    """The landmarker of our own; `restart` it for each test."""
    made = open_landmarker(OWN)
    assert isinstance(made, FaceMesh)
    yield made
    made.close()


@pytest.fixture
def fresh(own):
    own.restart()
    return own


@pytest.fixture(scope="module")
def theirs():
    if not mesh.installed():
        pytest.skip("mediapipe is not installed")
    made = open_landmarker(THEIRS)
    yield made
    made.close()


def pictures(path, count=None):
    return [frame.image for frame in islice(open_source(str(path), OWN.source, fast=True).frames(), count)]


@pytest.fixture(scope="module")
def sample():
    return pictures(truth.VIDEO, 60)


def followed(landmarker, images, faces=1):
    landmarker.restart()
    return [landmarker.find(image, faces) for image in images]


def apart(points, others):
    """Mean distance of the landmarks, % of the eyes'."""
    return 100 * np.linalg.norm(points[:, :2] - others[:, :2], axis=1).mean() / eye_distance(points[:, :2])


def assert_agree(own, theirs, images):
    distances = []
    for mine, other in zip(followed(own, images), followed(theirs, images), strict=True):
        assert len(mine) == len(other) == 1
        distances.append(apart(other[0], mine[0]))
    assert np.mean(distances) < AGREED
    assert distances[0] < 0.1 * AGREED  # both begin from the same detection


def test_both_engines_agree_on_the_sample(own, theirs, sample):
    assert_agree(own, theirs, sample)


@pytest.mark.parametrize("name", ["single_face.mp4", "strong_expressions.mp4"])
def test_both_engines_agree_on_a_real_face(own, theirs, clip, name):
    assert_agree(own, theirs, pictures(clip(name), 300))


def test_both_engines_agree_on_a_group(fresh, theirs, clip):
    [image] = pictures(clip("multi_face.jpg"))
    theirs.restart()
    assert fresh.count(image) == theirs.count(image) == 5
    mine, others = fresh.find(image, 5), theirs.find(image, 5)
    for points in others:
        assert min(apart(points, each) for each in mine) < AGREED


def test_both_engines_agree_on_pictures_that_stand_alone(theirs, sample):
    stills = [open_landmarker(stages, still=True) for stages in (OWN, THEIRS)]
    for image in sample[::20]:
        [mine], [other] = (still.find(image, 1) for still in stills)
        assert apart(other, mine) < 0.1 * AGREED
    for still in stills:
        still.close()


def test_the_same_pictures_give_the_same_landmarks_bit_for_bit(fresh, sample):
    first = followed(fresh, sample)
    another = open_landmarker(OWN)
    for again in (followed(fresh, sample), followed(another, sample)):
        assert all(np.array_equal(a, b) for [a], [b] in zip(first, again, strict=True))
    another.close()


def test_what_comes_later_changes_nothing_and_what_was_given_stays(fresh, sample):
    whole = followed(fresh, sample[:20])
    kept = [points.copy() for [points] in whole]
    cut = followed(fresh, sample[:8])
    assert all(np.array_equal(a, b) for [a], [b] in zip(cut, whole[:8], strict=True))
    assert all(np.array_equal(a, b) for a, [b] in zip(kept, whole, strict=True))
    assert whole[0][0].dtype == np.float32


def beside(left, right):
    """Both pictures, side by side."""
    return np.ascontiguousarray(np.concatenate([left, right], axis=1))


def test_who_is_followed_knows_nothing_of_who_joins_stands_by_and_leaves(fresh, sample):
    """Bit for bit as if nobody else had been there."""
    nobody, width = np.full_like(sample[0], 60), sample[0].shape[1]
    others = [nobody, *sample[30:34], nobody, nobody]
    fresh.find(beside(sample[0], nobody), 1)
    alone = [fresh.find(beside(image, nobody), 1)[0] for image in sample[1:7]]
    fresh.restart()
    fresh.find(beside(sample[0], nobody), 1)
    counts = []
    for image, other, wanted in zip(sample[1:7], others[1:], alone, strict=True):
        found = fresh.find(beside(image, other), 2)
        counts.append(len(found))
        assert np.array_equal(found[0], wanted)
        assert all(points[:, 0].min() > width for points in found[1:])
    assert counts == [2, 2, 2, 2, 1, 1]


def test_a_face_that_goes_is_gone_and_one_that_comes_is_found(fresh, sample):
    nobody = np.full_like(sample[0], 60)
    assert len(fresh.find(sample[0], 1)) == 1
    assert fresh.find(nobody, 1) == []
    [again] = fresh.find(sample[1], 1)
    fresh.restart()
    [first] = fresh.find(sample[1], 1)
    assert np.array_equal(again, first)  # nothing is left of where it was before


def test_where_nobody_is_nobody_is_found(fresh):
    noise = np.random.default_rng(5).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    for image in (noise, np.zeros((240, 320, 3), np.uint8), np.full((3, 5, 3), 255, np.uint8)):
        assert fresh.count(image) == 0
        assert fresh.find(image, 1) == []


def test_no_more_faces_are_given_than_are_asked_for(fresh, clip):
    [image] = pictures(clip("multi_face.jpg"))
    assert fresh.count(image) == 5
    assert len(fresh.find(image, 3)) == 3
    assert len(fresh.find(image, 2)) == 2
    assert len(fresh.find(image, 5)) == 5


class Counted:
    """Opens networks, and counts how often each runs."""

    def __init__(self):
        self.runs = dict.fromkeys(MODELS, 0)

    def __call__(self, model):
        network = PictureNetwork(model)
        run = network.run

        def counted():
            self.runs[model] += 1
            return run()

        network.run = counted
        return network


def test_detectors_rest_while_everybody_is_followed_and_look_once_for_a_newcomer(sample):
    opened = Counted()
    landmarker = FaceMesh(OWN.track, opened)
    landmarker.count(sample[0])
    for image in sample[:10]:
        landmarker.find(image, 1)
    assert opened.runs == {SHORT_RANGE: 0, FULL_RANGE: 1, FACE_LANDMARKS: 10}
    landmarker.count(sample[10])
    landmarker.find(sample[11], 2)  # another picture than the one that was counted in
    assert opened.runs[FULL_RANGE] == 3
    landmarker.close()


def test_a_picture_that_changed_in_its_place_is_looked_at_anew(fresh, sample):
    image = sample[0].copy()
    assert fresh.count(image) == 1
    image[:] = 60
    assert fresh.count(image) == 0
    image[:] = sample[0]
    assert len(fresh.find(image, 1)) == 1


def test_pictures_are_only_read_and_may_be_part_of_another(fresh, sample):
    part = sample[0][:, 100:540]
    part.flags.writeable = False
    [found] = fresh.find(part, 1)
    fresh.restart()
    [alone] = fresh.find(np.ascontiguousarray(part), 1)
    assert np.array_equal(found, alone)


def test_colours_reach_the_network_in_its_own_range():
    """What the library makes of bytes is what the network makes of numbers."""
    import openvino

    rng = np.random.default_rng(2)
    for model in (SHORT_RANGE, FACE_LANDMARKS):
        network, image = PictureNetwork(model), rng.integers(0, 256, (model.side_px,) * 2 + (3,)).astype(np.uint8)
        network.picture[:] = image
        found = [answer.copy() for answer in network.run()]
        plain = openvino.Core().compile_model(model.checked(), "CPU", picture_network._HINTS)
        scaled = model.black + image.astype(np.float32) * (model.white - model.black) / 255
        for mine, other in zip(found, plain(scaled[None]).values(), strict=True):
            assert np.abs(mine - other).max() < 2e-4 * max(np.abs(other).max(), 1.0)


def test_another_file_in_place_of_a_model_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(public_models, "FOLDER", tmp_path)
    with pytest.raises(EngineError, match=r"face_landmark.tflite cannot be read: .*; install Glimpse again"):
        PictureNetwork(FACE_LANDMARKS)
    (tmp_path / FACE_LANDMARKS.file).write_bytes(b"TFL3")
    with pytest.raises(EngineError, match=r"has sha256 [0-9a-f]{64}, wanted 1055cb9d"):
        PictureNetwork(FACE_LANDMARKS)


def test_the_notice_and_the_licence_lie_beside_the_models():
    notice = (public_models.FOLDER / "NOTICE").read_text("utf-8")
    assert all(model.file in notice for model in MODELS)
    assert "Apache License" in (public_models.FOLDER / "LICENSE").read_text("utf-8")


def test_what_is_kept_depends_on_the_engine_and_for_mediapipe_on_what_it_did(monkeypatch):
    monkeypatch.setattr(mesh, "version", lambda: "of mediapipe")
    assert landmarker_version(THEIRS) == "of mediapipe"
    assert sight(THEIRS) == (THEIRS.track,)
    own = landmarker_version(OWN)
    assert own.startswith("openvino-")
    assert sight(OWN) == (OWN.track, own)
    monkeypatch.setattr(face_mesh, "VERSION", face_mesh.VERSION + 1)
    assert landmarker_version(OWN) != own


def test_mediapipe_that_is_not_installed_is_one_line_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    for use in (open_landmarker, landmarker_version):
        with pytest.raises(ConfigError) as caught:
            use(THEIRS)
        assert "\n" not in str(caught.value)
        assert "set faces.landmarks=openvino" in str(caught.value)


def test_without_mediapipe_faces_are_followed_all_the_same(tmp_path, sample):
    np.save(tmp_path / "frames.npy", np.array(sample[:3]))
    program = (
        "import sys; sys.modules['mediapipe'] = None\n"
        "import numpy as np\n"
        "from realtime import config\n"
        "from realtime.engine.landmarker import open_landmarker\n"
        "from realtime.faces.track import Tracker\n"
        "from realtime.records import Frame\n"
        "stages = config.load(overrides=['faces.landmarks=openvino'])\n"
        "tracker = Tracker(stages.track, open_landmarker(stages))\n"
        "images = enumerate(np.load(sys.argv[1]))\n"
        "print([[face.id for face in tracker.push(Frame(image, i / 60, i, 0, 0.0))] for i, image in images])\n"
        "assert not any(name.startswith('mediapipe.') for name in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "frames.npy")], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[[1], [1], [1]]", done.stderr


def test_a_tracker_of_our_own_engine_is_causal(own, sample):
    frames = [Frame(image, i / 60.0, i, 0, 0.0) for i, image in enumerate(sample[:24])]

    def pushed(frames):
        own.restart()
        tracker = Tracker(msgspec.structs.replace(OWN.track, search_s=0.1), own)
        return [[(face.id, face.landmarks.tobytes()) for face in tracker.push(frame)] for frame in frames]

    whole = pushed(frames)
    assert all(len(faces) == 1 for faces in whole)
    for cut in (1, 13):
        assert pushed(frames[:cut]) == whole[:cut]


class Opened:
    def __init__(self):
        self.told = []

    def count(self, image):
        return 0

    def find(self, image, faces):
        return []

    def restart(self):
        self.told.append("restart")

    def close(self):
        self.told.append("close")


def test_who_comes_gets_the_landmarker_that_waits_and_the_next_one_gets_it_again(monkeypatch):
    opened = []
    monkeypatch.setattr(landmarker, "open_landmarker", lambda stages: opened.append(Opened()) or opened[-1])
    spare = SpareLandmarker(OWN)
    assert len(opened) == 1
    first, second = spare.take(), spare.take()
    assert len(opened) == 2
    first.close()
    second.close()  # one may wait, and one does
    assert [each.told for each in opened] == [["restart"], ["close"]]
    third = spare.take()
    assert len(opened) == 2
    assert (third.find, third.count) == (opened[0].find, opened[0].count)
    third.close()
    third.close()  # given back already
    late = spare.take()
    spare.close()
    late.close()
    assert opened[0].told == ["restart", "restart", "close"]  # nobody comes any more
