import cv2
import msgspec
import numpy as np
import pytest

from realtime.config import ROOT, convert, read_toml
from realtime.errors import DataError
from realtime.faces import landmarks as lm
from realtime.faces.align import TEMPLATE
from realtime.faces.quality import eye_distance
from train.config.clips import SyntheticSettings
from train.synthesis.portraits import EYES, MARGIN_PX, SIDE_PX, Portrait, Portraits, enlarged, framed

SHIPPED = ROOT / "configs/data/synthetic.toml"
CLIPS = convert(read_toml(SHIPPED), SyntheticSettings, SHIPPED).clips


class Finds:
    """A landmarker that finds the drawn face in every picture that is not black."""

    def __init__(self, face):
        self.face = face

    def restart(self):
        pass

    def find(self, image, faces):
        return [self.face] if image.any() else []


@pytest.fixture
def folder(tmp_path):
    for number, level in enumerate((90, 0, 160, 200)):
        cv2.imwrite(str(tmp_path / f"person{number}.png"), np.full((160, 160, 3), level, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def portraits(folder, drawn_face):
    def make(**changes):
        settings = {"ferplus": "", "portraits": (str(folder),), "people": 3} | changes
        return Portraits(msgspec.structs.replace(CLIPS, **settings), landmarker=Finds(drawn_face(80.0, 70.0, 50.0)))

    return make


def test_a_file_is_a_person_if_a_face_is_found_in_it(portraits):
    found = portraits()
    assert found.people == ("file-person0", "file-person2", "file-person3")
    assert found.portrait("file-person2").image.max() == 160


def test_rendered_people_are_a_share_of_all(portraits):
    assert portraits(people=4, rendered=0.5).people == ("rendered-0", "rendered-1", "file-person0", "file-person2")


def test_too_few_faces_are_an_error_that_says_how_many_there_are(portraits):
    with pytest.raises(DataError, match=r"only 3 neutral faces.*4 files.*people asks for 5"):
        portraits(people=5)


def test_a_portrait_that_is_not_there_is_an_error(portraits):
    with pytest.raises(DataError, match=r"no portrait nowhere.*\[clips\] portraits wants"):
        portraits(portraits=("nowhere",))


def test_two_files_of_one_name_are_an_error_for_they_may_be_one_person(portraits, folder):
    (folder / "again").mkdir()
    cv2.imwrite(str(folder / "again" / "person0.png"), np.full((9, 9, 3), 5, np.uint8))
    with pytest.raises(DataError, match="person0"):
        portraits()


def test_another_picture_of_a_person_is_told_apart(portraits, folder):
    before = portraits().made_of("file-person0")
    cv2.imwrite(str(folder / "person0.png"), np.random.default_rng(1).integers(1, 255, (160, 160, 3), np.uint8))
    assert portraits().made_of("file-person0") != before


@pytest.fixture
def portrait(drawn_face):
    image = np.random.default_rng(2).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    return Portrait(image, drawn_face(170.0, 110.0, 80.0))


def test_a_crop_has_its_eyes_where_align_puts_them(portrait):
    found = framed(portrait, "crop", 128, np.random.default_rng(1))
    assert found.image.shape == (128, 128, 3)
    assert found.landmarks[list(lm.RIGID), :2] == pytest.approx(TEMPLATE * 128, abs=1e-2)


def test_a_cameras_picture_shows_the_face_as_large_as_it_may_be(portrait):
    for seed in range(10):
        found = framed(portrait, "camera", 200, np.random.default_rng(seed))
        assert EYES[0] * 200 <= eye_distance(found.landmarks[:, :2]) <= EYES[1] * 200
        assert found.image.shape == (200, 200, 3)


def test_a_small_face_is_enlarged_with_its_border_around_it():
    face = np.random.default_rng(3).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    image = enlarged(face)
    assert image.shape == (288, 288, 3)
    inside = image[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    assert np.array_equal(inside, cv2.resize(face, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC))
    assert (image[0, :MARGIN_PX] == inside[0, 0]).all()
