"""Training and serving make equal arrays of the same frames: the one promise that an engine's figures rest on."""

from itertools import islice, repeat
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.capture.source import open_source
from realtime.demo import truth
from realtime.engine.landmarker import open_landmarker
from realtime.engine.package.manifest import load
from realtime.faces.align import TEMPLATE
from realtime.faces.landmarks import RIGID
from realtime.pipeline.pipeline import Pipeline
from realtime.recognition.encode import Encoder
from realtime.recognition.recognise import Judges, Recogniser
from realtime.recognition.window import Encoded, Seen, Window
from realtime.records import Crop, Offset, Pose
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages, crop_images
from realtime.spotting.detector import STILL

STAGES = config.load(overrides=["engines.encoder_hz=1000.0"])  # the encoder is shown every frame
FRAMES = 40


class Recorder:
    """An engine that keeps what it is fed and finds every label as likely."""

    precision, backend, fallback = "f32", "none", None

    def __init__(self, folder):
        self.manifest = load(folder)
        self.fed = []

    def run(self, inputs):
        [array] = inputs.values()
        self.fed.append(array.copy())
        return {spec.name: np.zeros((len(array), *spec.shape[1:]), np.float32) for spec in self.manifest.outputs}


class Playback:
    """A source of frames that are at hand."""

    rate_hz = 60.0
    dropped = 0
    live = False

    def __init__(self, frames):
        self._frames = frames

    def frames(self):
        return iter(self._frames)

    def close(self):
        pass


class Silence:
    """A publisher that nobody hears."""

    def event(self, event):
        return event

    state = meta = event


@pytest.fixture(scope="module")
def prepare():
    pytest.importorskip("torch", reason="training needs the train extra")
    from train.clips import prepare

    return prepare


@pytest.fixture(scope="module")
def landmarker():
    made = open_landmarker(STAGES)
    yield made
    made.close()


@pytest.fixture(scope="module")
def frames():
    source = open_source(str(truth.VIDEO), STAGES.source, fast=True)
    found = list(islice(source.frames(), FRAMES))
    source.close()
    return found


def frames_of(path):
    return list(open_source(str(path), STAGES.source, fast=True).frames())


@pytest.fixture(scope="module")
def served(packages):
    """What the live process feeds the encoder, a row for each frame with a face."""

    def rows(frames):
        encoder, head = Recorder(packages / "encoder"), Recorder(packages / "head")
        Pipeline(STAGES, Playback(frames), Silence(), (encoder, Judges((head,)))).run()
        return np.concatenate(encoder.fed), encoder.manifest.representation

    return rows


def test_training_sees_what_the_live_process_sees(prepare, landmarker, served, frames):
    live, representation = served(frames)
    times, crops = prepare.serve(frames, STAGES, landmarker)
    assert times.tolist() == [frame.t for frame in frames]
    assert live.shape == (FRAMES, 3, representation.size_px, representation.size_px)
    assert live.std() > 0.1
    assert np.array_equal(crop_images(crops, representation), live)


def test_a_clip_is_the_same_after_any_other(prepare, landmarker, frames, clip):
    first_times, first = prepare.serve(frames, STAGES, landmarker)
    prepare.serve(frames_of(clip("single_face.mp4"))[:10], STAGES, landmarker)
    again_times, again = prepare.serve(frames, STAGES, landmarker)
    assert np.array_equal(first_times, again_times)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_face_that_comes_late_is_seen_the_same(prepare, landmarker, served, clip):
    frames = frames_of(clip("noface_face.mov"))[85:125]
    live, representation = served(frames)
    times, crops = prepare.serve(frames, STAGES, landmarker)
    assert 0 < len(times) < len(frames)
    assert np.array_equal(crop_images(crops, representation), live)


def test_training_takes_crops_of_the_size_that_serving_makes(prepare, landmarker, frames):
    _, crops = prepare.serve(frames[:2], STAGES, landmarker)
    assert {crop.shape for crop in crops} == {(STAGES.align.size_px, STAGES.align.size_px, 3)}


def test_a_photograph_is_brought_to_the_position_of_a_live_face(prepare, clip):
    [frame] = frames_of(clip("single_face.jpg"))
    side, size = min(frame.image.shape[:2]), STAGES.align.size_px
    still = open_landmarker(STAGES, still=True)
    crop = prepare.still_crop(np.ascontiguousarray(frame.image[:side, :side]), still, size)
    [points] = still.find(crop, 1)
    still.close()
    assert (crop.shape, crop.dtype) == ((size, size, 3), np.uint8)
    assert np.abs(points[list(RIGID), :2] - TEMPLATE * size).mean() < 0.03 * size


def test_the_augmented_pictures_of_training_are_standardised_as_crops_are(prepare):
    import torch

    from train.training.augment import standardise

    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3)).astype(np.uint8)
    images[0], images[1] = 0, 255
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    crops = crop_images(list(images), CropImages(32, 32, IMAGENET_MEAN, IMAGENET_STD))
    np.testing.assert_allclose(standardise(tensor).numpy(), crops, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def recorded(prepare, landmarker, frames):
    """A clip as training has it on disk, with an event from its 5th to its 31st frame whose apex lies between two."""
    from train.clips.clip import event
    from train.datasets.annotation.sample import Sample

    times, crops = prepare.serve(frames, STAGES, landmarker)
    sample = Sample("a", "p", "surprise", times[4], 0.4 * times[17] + 0.6 * times[18], times[30])
    return SimpleNamespace(
        named=sample,
        sample=sample,
        times=lambda: times,
        crops=lambda: np.stack(crops),
        event=lambda: range(len(times))[event(times, sample)],
    )


def fed_live(clip, folder, representation, fields=None):
    """What an engine of this representation is fed at the end of the event of `clip`, seen from its first frame on."""
    judge, window = Recorder(folder / "clips"), Window(STAGES.window.seconds)
    judge.manifest = msgspec.structs.replace(judge.manifest, representation=representation)
    points, matrix = np.zeros((468, 2), np.float32), np.eye(2, 3, dtype=np.float32)
    for t, image, field in zip(clip.times(), clip.crops(), repeat(STILL) if fields is None else fields, strict=False):
        crop = Crop(1, t, image, points, matrix, Pose(0, 0, 0))
        window.push(Seen(crop, field, Encoded(np.zeros(16, np.float32), np.full(8, 1 / 8, np.float32))))
    moments = clip.sample.onset_s, clip.sample.apex_s, clip.sample.offset_s
    recogniser = Recogniser(STAGES.recognise, Encoder(Recorder(folder / "encoder")), Judges((judge,)))
    recogniser.final(Offset(1, 1, *moments, "micro", 5.0, ""), window, clip.times()[-1], ())
    return judge.fed[0]


def fed_by(predict):
    """What `predict` feeds its network."""
    import torch

    fed = []

    class Network(torch.nn.Module):
        def forward(self, x):
            fed.append(x.numpy())
            return x, torch.zeros(len(x), 3)

    predict(Network())
    return fed[0]


def test_a_network_of_clips_is_fed_an_event_as_it_was_trained(recorded, packages):
    from train import registry

    given = registry.load([config.ROOT / f"configs/{name}.toml" for name in ("methods/ecstfl", "data/smic-3")])
    ecstfl = registry.METHODS["ecstfl"]
    trained = ecstfl.inputs(given.method, [recorded], "final")["clips"].numpy()
    live = fed_live(recorded, packages, ecstfl.representation(given.method))
    assert live.shape == (1, 3, 16, 112, 112)
    assert np.array_equal(trained, live)


@pytest.mark.parametrize("shows", ["apex", "change"])
@pytest.mark.parametrize("file", ["apexnet", "apexnet-recorded"])
def test_a_network_of_the_apex_is_fed_what_it_was_tested_on(recorded, packages, file, shows):
    from train.methods.apexnet.pairs import filmed
    from train.registry import METHODS
    from train.registry import load as load_recipe

    files = [config.ROOT / f"configs/{name}.toml" for name in (f"methods/{file}", "data/casme2-5")]
    settings, method = load_recipe(files, [f"shows={shows}"]).method, METHODS["apexnet"]
    clips = filmed([recorded], [recorded.sample.apex_s])
    live = fed_live(recorded, packages, method.representation(settings))
    assert live.shape == (1, 3, settings.size_px, settings.size_px)
    assert np.array_equal(method.inputs(settings, clips, "final")["images"].numpy(), live)


def test_the_apex_is_the_frame_nearest_to_its_moment(recorded):
    from train.methods.apexnet.pictures import apex_of

    times = recorded.times()
    assert np.array_equal(apex_of(times, recorded.crops(), recorded.sample.apex_s), recorded.crops()[18])


def test_a_network_of_fields_is_fed_an_event_as_it_was_trained(prepare, landmarker, frames, recorded, packages):
    from train.clips.movement.fields import MovingClip, displacements
    from train.registry import METHODS, load

    files = [config.ROOT / "configs" / name for name in ("methods/motion.toml", "data/synthetic.toml")]
    settings, method = load(files).method, METHODS["motion"]
    fields = displacements(prepare.face_crops(frames, STAGES, landmarker))
    clip = MovingClip(recorded.sample, recorded.times(), fields.astype(np.float16))
    trained = method.inputs(settings, [clip], "final")["fields"].numpy()
    live = fed_live(recorded, packages, method.representation(settings), clip.fields)
    assert live.shape == (1, 8, 3, 28, 28)
    assert np.abs(live).max() > 1.0
    assert np.array_equal(trained, live)
