from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.engine.package.manifest import MODEL
from realtime.errors import DataError, EngineError
from realtime.labels import FERPLUS
from realtime.representation.crop_images import CropImages
from train.config.old import load
from train.methods.dynamic import enactments
from train.methods.dynamic.enactments import MANNERS
from train.synthesis.enacted import Stage, cast
from train.synthesis.portraits import MARGIN_PX, SIDE_PX
from train.synthesis.script.emotions import EMOTIONS, LABELS, NEUTRAL

SHIPPED = load(ROOT / "configs/train/dynamic.toml")
SPLITS = ["train", "valid", "test"]
ROWS = [{NEUTRAL: 10}] * 3 + [{label: 9} for label in EMOTIONS for _ in range(2)] + [{"anger": 5, "fear": 5}]


@pytest.fixture(scope="module")
def ferplus_path(tmp_path_factory):
    """A packed file: in each split two noisy pictures of each expression, three neutral ones, and a doubtful one."""
    rng = np.random.default_rng(1)
    pictures = [cv2.GaussianBlur(rng.integers(0, 256, (48, 48), dtype=np.uint8), (0, 0), 2.0) for _ in ROWS * 3]
    coded = [cv2.imencode(".webp", cv2.normalize(p, None, 0, 255, cv2.NORM_MINMAX))[1].ravel() for p in pictures]
    names = (*FERPLUS, "unknown", "NF")
    target = tmp_path_factory.mktemp("ferplus") / "ferplus.npz"
    np.savez(
        target,
        webp=np.concatenate(coded),
        offsets=np.cumsum([0, *map(len, coded)]).astype(np.int64),
        votes=np.array([[row.get(name, 0) for name in names] for row in ROWS * 3], np.uint8),
        vote_names=np.array(names),
        usage=np.repeat(np.arange(3, dtype=np.uint8), len(ROWS)),
        usage_names=np.array(SPLITS),
    )
    return target


@pytest.fixture
def clips(ferplus_path):
    few = {"expressive": 4, "neutral": 1, "resting": 1, "held_out": 0.5, "most_takes": 3, "frames": 5, "size_px": 48}
    return msgspec.structs.replace(SHIPPED.clips, ferplus=str(ferplus_path), **few)


class Finds:
    """A landmarker that finds a face in the middle of every picture; None finds none."""

    def __init__(self, face):
        self.face = face

    def restart(self):
        pass

    def close(self):
        pass

    def find(self, image, faces):
        return [] if self.face is None else [self.face]


@pytest.fixture
def face(drawn_face):
    middle = MARGIN_PX + SIDE_PX / 2
    return drawn_face(middle, middle - 20.0, 70.0)


def test_the_shipped_clips_are_cropped_as_the_live_half_does():
    assert SHIPPED.clips.size_px == realtime_config.load().align.size_px


def test_rare_expressions_play_several_clips_of_a_picture(clips):
    roles = cast(clips, "train")
    for label in EMOTIONS:
        own = [role for role in roles if role.shown == label]
        assert [role.plays for role in own] == [(label, label)] * 2
    assert len({role.id for role in roles}) == len(roles)
    once = cast(msgspec.structs.replace(clips, most_takes=1), "train")
    assert all(len(role.plays) == 1 for role in once if role.shown != NEUTRAL)


def test_neutral_pictures_play_every_class_or_rest(clips):
    plays = [role.plays for role in cast(clips, "train") if role.shown == NEUTRAL]
    assert plays == [LABELS, (NEUTRAL,)]


def test_the_other_splits_have_fewer_and_other_pictures(clips):
    assert [sum(role.shown == "fear" for role in cast(clips, split)) for split in SPLITS] == [2, 2, 2]
    more = msgspec.structs.replace(clips, held_out=0.25)
    assert sum(role.shown == "fear" for role in cast(more, "valid")) == 1
    assert {role.split for role in cast(clips, "valid")} == {"valid"}


def test_a_role_becomes_clips_that_are_the_same_again(clips, face, facekit_path):
    clips = msgspec.structs.replace(clips, head=facekit_path)
    role = next(role for role in cast(clips, "train") if role.shown == "surprise")
    made, again = (list(Stage(clips, Finds(face)).clips(role)) for _ in range(2))
    assert [clip.enacted.label for clip in made] == ["surprise", "surprise"]
    for clip, same in zip(made, again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(clip.crops, same.crops, strict=True))
        assert len(clip.crops) == len(clip.times) == 5
        assert clip.crops[0].shape == (48, 48, 3)
        assert 0.0 == clip.times[0] < clip.times[-1] < clip.enacted.scene.seconds
    assert not np.array_equal(made[0].crops[2], made[1].crops[2])


def test_where_no_face_is_found_there_is_no_clip(clips, facekit_path):
    clips = msgspec.structs.replace(clips, head=facekit_path)
    assert list(Stage(clips, Finds(None)).clips(cast(clips, "train")[0])) == []


class Encoder:
    """Crops -> what eight strips of them have in the mean, twice as an embedding."""

    manifest = SimpleNamespace(files={MODEL: "a" * 64}, representation=CropImages(48, 32, (0.5,) * 3, (0.25,) * 3))

    def run(self, inputs):
        logits = inputs["images"].mean(1).reshape(len(inputs["images"]), 8, -1).mean(2)
        return {"embedding": np.concatenate([logits, logits**2], 1), "logits": logits}


@pytest.fixture
def config(clips, facekit_path, tmp_path, monkeypatch):
    """Settings whose clips are quickly made, by neither mediapipe nor OpenVINO; `face` is what is found."""
    monkeypatch.setattr("train.methods.dynamic.enactments.encoder_of", lambda config: Encoder())
    monkeypatch.setattr("train.methods.dynamic.enactments.load_manifest", lambda folder: Encoder.manifest)

    def make(face):
        monkeypatch.setattr("train.methods.dynamic.enactments.MediaPipe", lambda track: Finds(face))
        few = msgspec.structs.replace(clips, head=facekit_path, expressive=1)
        return msgspec.structs.replace(SHIPPED, clips=few, cache=str(tmp_path))

    return make


def test_clips_are_embedded_once_and_read_again(config, face, monkeypatch):
    found = enactments.prepare(config(face), workers=1)
    train = found["train"]
    assert list(found) == SPLITS
    assert train.embeddings.shape == (14, 5, 16)
    assert train.logits.shape == (14, 5, 8)
    assert bool((train.moments.diff(dim=1) > 0).all())
    assert [LABELS[k] for k in train.labels[:6]] == list(EMOTIONS)
    assert [MANNERS[k] for k in train.manners] == ["backward"] * 6 + [
        "still" if label == NEUTRAL else "forward" for label in (*LABELS, NEUTRAL)
    ]
    monkeypatch.setattr("train.methods.dynamic.enactments.run", lambda *_: pytest.fail("all clips are there already"))
    again = enactments.prepare(config(face), workers=1)
    assert again["test"].embeddings.equal(found["test"].embeddings)


def test_an_encoder_of_other_crops_is_refused(clips, monkeypatch):
    engine = SimpleNamespace(manifest=SimpleNamespace(name="encoder", representation=Encoder.manifest.representation))
    monkeypatch.setattr("train.methods.dynamic.enactments.open_engine", lambda folder, engines: engine)
    assert enactments.encoder_of(msgspec.structs.replace(SHIPPED, clips=clips)) is engine
    with pytest.raises(EngineError, match=r"crops of 128 px"):
        enactments.encoder_of(SHIPPED)


def test_pictures_without_a_face_are_an_error_that_counts_them(config):
    with pytest.raises(DataError, match="no face is found in any of 8 pictures"):
        enactments.prepare(config(None), workers=1)
