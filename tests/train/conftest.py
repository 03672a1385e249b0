"""Fabricated trees of licensed data sets: tiny pictures under the names that users have on disk, and their tables.

And clips whose expressions are marked, of the bundled stream.
"""

import csv
import dataclasses
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest
from packed_faces import SPLITS, noise, packed

from realtime.config import ROOT
from realtime.demo import truth
from realtime.engine.package.manifest import sha256
from realtime.records import Crop, Frame, Pose
from train.clips import stored
from train.config.recorded import Rates
from train.config.sections import Stage
from train.datasets.annotation.sample import Sample
from train.datasets.folds import Fold, cases
from train.datasets.marked.marks import DIGITS
from train.storage import workers

ANNOTATIONS = Path(__file__).resolve().parents[2] / "../shared/annotations"


@pytest.fixture(scope="session")
def annotations():
    """A real annotation table by its name; skips where the shared material is not at hand."""

    def path(name):
        if not (ANNOTATIONS / name).exists():
            pytest.skip(f"no {name}: the shared annotation tables are not beside the repository")
        return ANNOTATIONS / name

    return path


@pytest.fixture(scope="session")
def facekit_path():
    """The packed 3-D head; skips where the shared material is not at hand."""
    path = ANNOTATIONS.parent / "data/ict_facekit.npz"
    if not path.exists():
        pytest.skip("no ict_facekit.npz: the 3-D head is not beside the repository (shared/data)")
    return str(path)


@pytest.fixture(scope="session")
def draw():
    """A picture (6, 8, 3), RGB, whose reds are much brighter than its blues; its green is the number that it shows."""

    def picture(number=0):
        noise = np.random.default_rng(number).integers(0, 8, (6, 8, 3))
        return np.asarray(noise + np.array([200, number % 200, 20]), np.uint8)

    return picture


@pytest.fixture
def pictures(tmp_path, draw):
    """Write pictures into a folder below the root: `pictures("sub01/EP01", range(46, 87), "img{}.png")`."""

    def write(folder, numbers, name="img{}.png"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            bgr = cv2.cvtColor(draw(number), cv2.COLOR_RGB2BGR)
            assert cv2.imwrite(str(tmp_path / folder / name.format(number)), bgr)
        return tmp_path / folder

    return write


@pytest.fixture
def spreadsheet(tmp_path):
    """Write an .xlsx: `spreadsheet("table.xlsx", rows)`, or `Name=rows` for several sheets."""
    openpyxl = pytest.importorskip("openpyxl", reason="reading tables needs the train extra")

    def write(name, rows=(), **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, content in (sheets or {"Sheet1": rows}).items():
            sheet = book.create_sheet(title.replace("_naming_", "naming "))
            for row in content:
                sheet.append(list(row))
        book.save(tmp_path / name)
        return tmp_path / name

    return write


class Drawn:
    """Implements `sample.Dataset`: faces of noise (48 px) in which one place brightens, another for each label."""

    def __init__(self, name, labels, people, per_person, frames):
        self.name, self.labels = name, labels
        self.people, self.per_person, self.count = people, per_person, frames
        self.filmed = []

    def samples(self):
        return [
            Sample(f"{p}-{i}", f"p{p}", self.labels[(p + i) % len(self.labels)], 0.04, 0.12, 0.2)
            for p in range(self.people)
            for i in range(self.per_person)
        ]

    def made_of(self, sample):
        return (self.labels, self.count, sample.id)

    def frames(self, sample):
        self.filmed.append(sample.id)
        person, number = map(int, sample.id.split("-"))
        rng = np.random.default_rng((person, number))
        face = np.random.default_rng(person).uniform(60, 140, (48, 48, 3))
        column = 16 * self.labels.index(sample.label) % 48
        frames = []
        for index in range(self.count):
            picture = face + rng.normal(0, 2, face.shape)
            picture[8:24, column : column + 16] += 80 * np.interp(index / 50, [0.04, 0.12, 0.2], [0, 1, 0])
            frames.append(Frame(np.clip(picture, 0, 255).astype(np.uint8), index / 50, index, 0, 0.0))
        return frames


@pytest.fixture
def one_process(monkeypatch):
    """Nothing is shared among processes, in which nothing is replaced that a test replaces."""
    monkeypatch.setattr(workers, "cores", lambda: 1)


@pytest.fixture
def landmarks(one_process, monkeypatch):
    """Pictures count as crops, and no face is looked for in them: these are its landmarks (468, 2), to be set."""
    points, matrix = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32)

    def crops(frames, stages, landmarker):
        return [Crop(1, frame.t, frame.image, points, matrix, Pose(0.0, 0.0, 0.0)) for frame in frames]

    monkeypatch.setattr(stored, "open_landmarker", lambda stages: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(stored, "face_crops", crops)
    return points


@pytest.fixture
def drawn(landmarks):
    """Make a `Drawn`, whose pictures count as crops."""

    def make(name="toy", labels=("negative", "positive", "surprise"), people=4, per_person=3, frames=14):
        return Drawn(name, labels, people, per_person, frames)

    return make


@pytest.fixture
def collected(tmp_path):
    """Collect data sets, each clip as it was recorded unless other rates are named."""
    collection = pytest.importorskip("train.sources.collection", reason="training needs the train extra")

    def make(*sets, cache=tmp_path, train_hz=(0.0,), test_hz=(0.0,)):
        return collection.collect(sets, Rates(train_hz=train_hz, test_hz=test_hz, seed=1), cache)

    return make


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Collect six drawn clips, two of each of three people, as the cache holds them: no detector has seen them."""
    collection = pytest.importorskip("train.sources.collection", reason="training needs the train extra")

    @cache
    def make(labels=("negative", "positive", "surprise")):
        dataset, folder = Drawn("toy", labels, 3, 2, 14), tmp_path_factory.mktemp("written")
        found = {}
        for case, sample in zip(cases({"toy": dataset.samples()}), dataset.samples(), strict=True):
            clip, frames = stored.StoredClip(case, sample, folder / sample.id, ""), dataset.frames(sample)
            faces = np.zeros(len(frames), stored.FACE)
            faces["t"] = [frame.t for frame in frames]
            np.save(clip.faces, faces)
            np.save(clip.pictures, np.stack([frame.image for frame in frames]))
            found[case.id] = clip
        return collection.Collection(labels, tuple(clip.case for clip in found.values()), {0.0: found}, ())

    return make


@pytest.fixture
def gather_by(monkeypatch):
    """Let recorded sources gather what this makes of the data that they name, of rates, cache and workers."""
    recorded = pytest.importorskip("train.sources.recorded", reason="training needs the train extra")
    return lambda gather: monkeypatch.setattr(recorded, "gather", gather)


@pytest.fixture
def gathered(gather_by):
    """Let recorded sources find this collection, whatever data they name."""
    return lambda collection: gather_by(lambda *given: collection)


@pytest.fixture
def golden_of(monkeypatch):
    """Let golden inputs be made of these crops, and not of the sample stream."""
    golden = pytest.importorskip("train.packaging.golden", reason="training needs the train extra")
    return lambda crops: monkeypatch.setattr(golden, "sample_crops", lambda count: crops[:count])


@pytest.fixture(scope="session")
def given_clips():
    """A source of clips that are at hand, in whatever form a method sees them: two people test, one calibrates."""
    source = pytest.importorskip("train.sources.source", reason="training needs the train extra")

    class Given:
        """Implements `ClipSource`."""

        provenance = source.Provenance(("clips of tests",), "none")

        def __init__(self, clips, labels, known=None, name="megc-3-none"):
            self.clips, self.known, self.vocabulary = clips, known, source.Vocabulary(name, labels)
            self.asked = []

        def key(self):
            return f"given-{len(self.clips)}"

        def folds(self):
            people = sorted({clip.sample.subject for clip in self.clips})
            return (self._fold(people[:-2], people[-2:]),)

        def whole(self):
            return self.folds()[0]

        def split(self, fold):
            self.asked.append(fold.name)
            by_id = {clip.sample.id: clip for clip in self.clips}
            train, test = ([by_id[id] for id in ids] for ids in (fold.train, fold.test))
            calibrating = max(clip.sample.subject for clip in train)
            own = [clip for clip in train if clip.sample.subject == calibrating]
            others = [clip for clip in train if clip.sample.subject != calibrating]
            return source.Split(self.vocabulary, (others,), own, (test,))

        def marked(self, workers=None):
            return ()

        def exact(self, people, each, workers=None):
            return self.known

        def macros(self, people, each, workers=None):
            return ()

        def _fold(self, *sides):
            ids = (tuple(clip.sample.id for clip in self.clips if clip.sample.subject in side) for side in sides)
            return Fold("held-out", *ids)

    return Given


@pytest.fixture(scope="session")
def acted():
    """Make clips of 0.7 s in which one place of a drawn face moves, another for each label: `acted(labels, people)`.

    The movement lasts from 0.2 to 0.5 s; nothing moves where the label is "none".
    """
    flowing = pytest.importorskip("train.clips.movement.flowing", reason="training needs the train extra")
    from realtime.representation.flow_clip import FlowClip, consecutive

    side, times = 64, np.arange(0.0, 0.7, 1 / 30)
    x, y = np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2)
    made = FlowClip(side, 32, (8, 16), 0.03, 64)
    moves = [((0.5, 0.3), 3.0), ((0.35, 0.75), -3.0), ((0.65, 0.75), 3.0)]  # where, and how far down

    def act(label, place, person, number):
        rng = np.random.default_rng((person, number))
        texture = np.random.default_rng(person).uniform(20, 235, (20, 20, 3)).astype(np.float32)
        face = cv2.resize(texture, (side, side), interpolation=cv2.INTER_CUBIC)
        (right, down), most = moves[place]
        near = np.exp(-(((x - right * side) ** 2 + (y - down * side) ** 2) / (2 * 8.0**2))).astype(np.float32)
        amounts = most * rng.uniform(0.8, 1.2) * np.interp(times, [0.2, 0.35, 0.5], [0, 1, 0]) * (label != "none")
        shown = [cv2.remap(face, x, y - a * near, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for a in amounts]
        images = np.clip(np.rint(np.stack(shown) + rng.normal(0, 1, (len(times), side, side, 3))), 0, 255)
        images = images.astype(np.uint8)
        middles, speeds = consecutive(times, images, made)
        points = rng.uniform(0.2 * side, 0.8 * side, (468, 2)).astype(np.float32)
        sample = Sample(f"{person}-{number}", f"p{person}", label, 0.2, 0.35, 0.5)
        return flowing.FlowingClip(sample, times, images, points, middles, speeds.astype(np.float16))

    def make(labels, people):
        numbered = list(enumerate(labels))
        return [act(label, number % 3, person, number) for person in range(people) for number, label in numbered]

    return make


@pytest.fixture
def recipe_of(tmp_path):
    """A shipped recipe, small and quick, its files under a temporary folder: `recipe_of("motion", "casme2-5")`."""

    def make(method, data="synthetic", **changes):
        registry = pytest.importorskip("train.registry", reason="training needs the train extra")
        given = registry.load([ROOT / f"configs/methods/{method}.toml", ROOT / f"configs/data/{data}.toml"])
        config, source = given.method, given.source
        files = {"cache": str(tmp_path / "cache"), "runs": str(tmp_path / "runs")}
        less = {
            "size_px": 32,
            "epochs": 2,
            "stages": (Stage(epochs=2, size_px=32),),
            "steps": 2,
            "blocks": (1, 1, 1, 1),
            "hidden": 16,
            "scales": (8, 16),
            "planes": (4, 4, 4),
        }
        quick = {key: value for key, value in less.items() if key in config.__struct_fields__}
        optimiser = msgspec.structs.replace(config.optimiser, batch=4, average=0.0)
        config = msgspec.structs.replace(config, **(files | quick | {"optimiser": optimiser} | changes))
        if hasattr(source, "evaluate"):
            evaluation = msgspec.structs.replace(source.evaluate, threads=1)
            source = msgspec.structs.replace(source, evaluate=evaluation)
        return dataclasses.replace(given, method=config, source=source)

    return make


@pytest.fixture
def one_thread():
    """Networks of this size are slower on two threads, and much slower when something else runs."""
    torch = pytest.importorskip("torch", reason="training needs the train extra")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny_networks(monkeypatch):
    """In place of resnet18-gru: a network that learns in no time."""
    torch = pytest.importorskip("torch", reason="training needs the train extra")
    from train.methods.ecstfl.backbones import BACKBONES

    class TinyClips(torch.nn.Module):
        def __init__(self, classes, dropout):
            super().__init__()
            self.encoder = torch.nn.Linear(3 * 64, 16)
            self.norm = torch.nn.BatchNorm1d(16)
            self.fc = torch.nn.Linear(16, classes)

        def forward(self, x):
            x = torch.nn.functional.adaptive_avg_pool2d(x.mean(2), 8).flatten(1)
            feature = torch.nn.functional.relu(self.norm(self.encoder(x)))
            return feature, self.fc(feature)

    tiny = dataclasses.replace(BACKBONES["resnet18-gru"], build=TinyClips)
    for name in ("resnet18-gru", "r3d18"):
        monkeypatch.setitem(BACKBONES, name, tiny)


@pytest.fixture(scope="session")
def enactment(tmp_path_factory):
    """Shipped settings of enacted clips, few and small, of packed pictures: noise, which shows each class by its votes.

    In each split two pictures show each expression, three none, and of one the crowd is in doubt.
    """
    registry = pytest.importorskip("train.registry", reason="training needs the train extra")
    from train.synthesis.script.emotions import EMOTIONS, NEUTRAL

    rows = [{NEUTRAL: 10}] * 3 + [{label: 9} for label in EMOTIONS for _ in range(2)] + [{"anger": 5, "fear": 5}]
    splits = [split for split in SPLITS for _ in rows]
    target = packed(tmp_path_factory.mktemp("ferplus") / "ferplus.npz", noise(len(splits)), rows * 3, splits)
    shipped = registry.load([ROOT / "configs/methods/dynamic.toml", ROOT / "configs/data/enacted.toml"]).source.clips
    few = {"expressive": 4, "neutral": 1, "resting": 1, "held_out": 0.5, "most_takes": 3, "frames": 5, "size_px": 48}
    return msgspec.structs.replace(shipped, ferplus=str(target), **few)


@pytest.fixture
def finds(drawn_face):
    """A landmarker that finds a face in the middle of every enlarged portrait, or none anywhere."""
    from train.synthesis.portraits import MARGIN_PX, SIDE_PX

    middle = MARGIN_PX + SIDE_PX / 2
    face = drawn_face(middle, middle - 20.0, 70.0)

    def landmarker(*, none=False):
        found = [] if none else [face]
        return SimpleNamespace(restart=lambda: None, close=lambda: None, find=lambda image, faces: found)

    return landmarker


@pytest.fixture(scope="session")
def filmed(tmp_path_factory):
    """A folder with the first seconds of the sample, in which a micro-expression of surprise is at 4.0, 4.15, 4.37."""
    folder = tmp_path_factory.mktemp("filmed")
    source = cv2.VideoCapture(str(truth.VIDEO))
    rate = truth.load().rate_hz
    size = tuple(int(source.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    writer = cv2.VideoWriter(str(folder / "short.avi"), cv2.VideoWriter_fourcc(*"MJPG"), rate, size)
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 98)
    for _ in range(round(5.5 * rate)):
        writer.write(source.read()[1])
    writer.release()
    source.release()
    return folder


@pytest.fixture
def marked(tmp_path):
    """Writes the tables for clips of a folder: rows of clips (clip, person, people) and of marks."""

    def write(folder, clips, marks):
        rows = [(*row, sha256(folder / row[0])[:DIGITS]) if len(row) == 3 else row for row in clips]
        for name, header, content in (
            ("clips.csv", ("clip", "person", "people", "sha256"), rows),
            ("marks.csv", ("clip", "onset", "apex", "held", "offset", "class", "label", "note"), marks),
        ):
            with (tmp_path / name).open("w", newline="") as file:
                csv.writer(file).writerows([header, *content])
        return tmp_path

    return write
