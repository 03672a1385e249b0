"""Tiny engine packages with random weights, drawn faces, the bundled stream's crops, and the way to real clips.

Packages are exported once, and copied for each test that damages one.
"""

import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.capture.source import open_source
from realtime.demo import truth
from realtime.engine.landmarker import open_landmarker
from realtime.engine.package.manifest import MODEL, Score, Training, sha256
from realtime.faces import landmarks as lm
from realtime.faces.align import TEMPLATE, Aligner
from realtime.faces.track import Tracker
from realtime.labels import OWN, VOCABULARIES
from realtime.records import Frame
from realtime.representation.apex_change import ApexChange
from realtime.representation.clip_images import ClipImages
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.flow_fields import FlowFields
from realtime.representation.motion_ticks import MotionTicks
from realtime.representation.movement.fields import FIELD_PX, LAG_S

CELLS, RISEN = 7, 0.8  # of the tiny spotter: the side of its grid, and the compressed rise that is even odds
CLIPS = Path(__file__).resolve().parents[1] / "../shared/clips"


@pytest.fixture(scope="session")
def clip():
    """A real clip by its name; skips where the shared material is not at hand."""

    def path(name):
        if not (CLIPS / name).exists():
            pytest.skip(f"no {name}: the shared clips are not beside the repository")
        return CLIPS / name

    return path


@pytest.fixture(scope="session")
def drawn_face():
    """Landmarks (468, 3) of a face that looks straight into the camera, its eyes' middle near (x, y)."""
    cloud = np.random.default_rng(7).uniform(-0.5, 0.5, (lm.COUNT, 3)) * (1.2, 1.5, 0.6)
    across = float(np.ptp(TEMPLATE[:, 0]))
    cloud[list(lm.RIGID), :2] = (TEMPLATE - (0.5, 0.4)) / across
    cloud[list(lm.RIGID), 2] = 0.0
    # Points 10 and 2 of MediaPipe's canonical face, from the middle of its eye corners, in its eye distances.
    cloud[lm.FOREHEAD], cloud[lm.NOSE_BASE] = (0.0, -0.6295, -0.1471), (0.0, 0.5345, -0.3244)

    def at(x, y, eye_px=80.0):
        return (cloud * eye_px + (x, y, 0.0)).astype(np.float32)

    return at


@pytest.fixture(scope="session")
def scripted_landmarker():
    """A class that plays a list of faces for each picture, as far as it is asked for them, and counts the looks."""

    class Scripted:
        def __init__(self, script):
            self.script = list(script)
            self.now = -1
            self.looks = []  #: pictures in which newcomers were looked for
            self.asked = []  #: how many faces were asked for, by picture
            self.closed = False

        def frames(self, rate_hz=60.0):
            for index in range(len(self.script)):
                self.now = index
                image = np.full((240, 320, 3), index % 251, np.uint8)
                yield Frame(image, index / rate_hz, index, gap=0, grabbed=0.0)

        def count(self, image):
            self.looks.append(self.now)
            return len(self.script[self.now])

        def find(self, image, faces):
            self.asked.append(faces)
            return self.script[self.now][:faces]

        def restart(self):
            pass

        def close(self):
            self.closed = True

    return Scripted


@pytest.fixture(scope="session")
def sample_crops():
    """Every crop of the bundled stream, made as the live process makes them; 1,500 frames take some seconds."""
    stages = config.load()
    tracker, aligner = Tracker(stages.track, open_landmarker(stages)), Aligner(stages.align)
    source = open_source(str(truth.VIDEO), stages.source, fast=True)
    crops = [crop for frame in source.frames() for face in tracker.push(frame) for crop in aligner.push((frame, face))]
    source.close()
    tracker.close()
    assert all(before.t < after.t for before, after in pairwise(crops))
    return crops


@pytest.fixture(scope="session")
def encoder_parts():
    """Network, golden inputs, output names and draft: what `export` takes but for the folder."""
    torch = pytest.importorskip("torch", reason="making engine packages needs the train extra")
    from train.packaging.export import Draft
    from train.packaging.limits import MethodCard

    class TinyEncoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 16, 3, 2, bias=False)
            self.norm = torch.nn.BatchNorm2d(16)
            self.fc = torch.nn.Linear(16, 8)

        def forward(self, images):
            embedding = torch.nn.functional.relu(self.norm(self.conv(images))).mean((2, 3))
            return embedding, self.fc(embedding)

    torch.manual_seed(1)
    network = TinyEncoder()
    network.norm.running_var.uniform_(0.5, 2.0)
    network.norm.running_mean.uniform_(-0.5, 0.5)
    draft = Draft(
        name="encoder",
        method="expression",
        task="still-expression",
        vocabulary="ferplus-8",
        labels=VOCABULARIES["ferplus-8"],
        representation=CropImages(48, 32, IMAGENET_MEAN, IMAGENET_STD),
        precision="fp32",
        card=MethodCard("A network of tests.", ("It knows nothing.",)),
        training=Training(data=("noise",), terms="none", recipe={"rate": 0.1}, seed=1, epochs=2),
        scores=(Score(name="accuracy", value=0.125, protocol="guessing", counts={"neutral": 8}),),
    )
    return network, {"images": torch.randn(4, 3, 32, 32)}, ["embedding", "logits"], draft


@pytest.fixture(scope="session")
def packages(encoder_parts, tmp_path_factory):
    """A folder with `encoder`, `spotter`, and `head`, `apex`, `change`, `clips`, `fields` that judge events.

    Nobody may change it.
    """
    import torch

    from train.packaging.export import export

    class TinyPictures(torch.nn.Module):
        """One colour a class, of a picture (B, 3, S, S) or of the changes in a clip (B, 3, T, S, S)."""

        def __init__(self, classes):
            super().__init__()
            self.fc = torch.nn.Linear(3, classes)

        def forward(self, pictures):
            colour = pictures.mean((-1, -2))
            return self.fc(colour if colour.ndim == 2 else colour.diff(dim=2).abs().sum(2))

    class TinyFields(torch.nn.Module):
        """Of fields (B, N, 3, S, S), by the sizes of u, v and strain; so sure of a class that "none" is never said."""

        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(3, 4)
            self.fc.bias.data[-1] = -20.0

        def forward(self, fields):
            return self.fc(fields.abs().mean((1, 3, 4)))

    class TinyHead(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(16, 24, batch_first=True)
            self.fc = torch.nn.Linear(24, 3)

        def forward(self, embeddings):
            return self.fc(self.lstm(embeddings)[0][:, -1])

    class TinySpotter(torch.nn.Module):
        """Of rows (B, 1 + F): an expression is brows that rise; a lag later, those that rose fall, which is none.

        Half of what it remembers is what it sees now, compressed as all movements are.
        """

        def forward(self, ticks):
            down = ticks[:, 1 + CELLS**2 : 1 + 2 * CELLS**2].reshape(-1, CELLS, CELLS)
            seen = 0.5 * ticks[:, :1] - 0.5 * down[:, 1:3, 2:5].mean((1, 2), keepdim=True)[:, 0]
            return 4.0 * (seen - RISEN).expand(-1, 3), seen

    folder = tmp_path_factory.mktemp("engines")
    export(*encoder_parts, folder / "encoder")
    draft = msgspec.structs.replace(
        encoder_parts[3],
        name="head",
        vocabulary="megc-3",
        labels=VOCABULARIES["megc-3"],
        task="micro-expression",
        representation=EmbeddingSequence("encoder", sha256(folder / "encoder" / MODEL), 6, 16),
    )
    export(TinyHead(), {"embeddings": torch.randn(4, 6, 16)}, ["logits"], draft, folder / "head")
    picture = encoder_parts[3].representation
    apex = msgspec.structs.replace(
        draft, name="apex", vocabulary=OWN, labels=("calm", "a little tense"), representation=picture
    )
    export(TinyPictures(2), encoder_parts[1], ["logits"], apex, folder / "apex")
    change = msgspec.structs.replace(apex, name="change", representation=ApexChange(48, 32, 0.02, 20.0))
    export(TinyPictures(2), encoder_parts[1], ["logits"], change, folder / "change")
    clips = msgspec.structs.replace(
        draft,
        name="clips",
        task="dynamic-expression",
        vocabulary="casme2-5",
        labels=VOCABULARIES["casme2-5"],
        representation=ClipImages(6, picture),
    )
    export(TinyPictures(5), {"clips": torch.randn(2, 3, 6, 32, 32)}, ["logits"], clips, folder / "clips")
    fields = msgspec.structs.replace(
        draft,
        name="fields",
        vocabulary="megc-3-none",
        labels=VOCABULARIES["megc-3-none"],
        representation=FlowFields(48, 28, 4, "each", 5e-4, 8.0),
    )
    export(TinyFields(), {"fields": torch.randn(3, 4, 3, 28, 28)}, ["logits"], fields, folder / "fields")
    spotter = msgspec.structs.replace(
        draft,
        name="spotter",
        method="spotter",
        task="spotting",
        vocabulary="spotting-3",
        labels=VOCABULARIES["spotting-3"],
        representation=MotionTicks(48, FIELD_PX, CELLS, LAG_S, 1 / 60, 0.05, 1),
    )
    golden = {"ticks": torch.randn(3, spotter.representation.width)}
    export(TinySpotter(), golden, ["logits", "memory"], spotter, folder / "spotter")
    return folder


@pytest.fixture(scope="session")
def leaky_spotter():
    """An engine class: its memory follows the size of the largest movement, and is what every spot says."""

    class Leaky:
        precision, backend, fallback = "f32", "none", None

        def __init__(self, crop_px, lag_s=LAG_S, tick_s=1 / 60, lookback_s=0.1):
            made = MotionTicks(crop_px, 28, 7, lag_s, tick_s, lookback_s, 1)
            self.manifest = SimpleNamespace(name="leaky", task="spotting", representation=made)
            self.fed = []

        def run(self, inputs):
            [rows] = inputs.values()
            self.fed.append(rows)
            seen = 0.7 * rows[:, :1] + 0.3 * rows[:, 1 + 2 * 49 : 1 + 3 * 49].max(1, keepdims=True)
            return {"logits": seen.repeat(3, 1).astype(np.float32), "memory": seen.astype(np.float32)}

    return Leaky


@pytest.fixture(scope="session")
def dark_spotter():
    """An engine class that judges single pictures: what every spot says follows how dark the brows are."""

    class Dark:
        precision, backend, fallback = "f32", "none", None

        def __init__(self, crop_px):
            made = CropImages(crop_px, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
            self.manifest = SimpleNamespace(name="dark", task="spotting", representation=made)
            self.fed = []

        def run(self, inputs):
            [pictures] = inputs.values()
            self.fed.append(pictures)
            dark = 0.5 - pictures[:, :, 6:12, 6:13].mean((1, 2, 3))
            return {"logits": (20.0 * dark)[:, None].repeat(3, 1).astype(np.float32)}

    return Dark


@pytest.fixture
def encoder_folder(packages, tmp_path):
    """A copy of the encoder's package that may be damaged."""
    return shutil.copytree(packages / "encoder", tmp_path / "encoder")


@pytest.fixture
def engines():
    """The default [engines] section, on the CPU in f32 so that answers are the same on every machine."""
    return msgspec.structs.replace(config.load().engines, device="cpu", precision="f32")
