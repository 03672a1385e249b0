import os
import subprocess
import sys

import msgspec
import numpy as np
import pytest

from realtime.engine import factory as engine_module
from realtime.engine.backends import openvino
from realtime.engine.factory import open_engine
from realtime.engine.package.manifest import GOLDEN, MODEL, dump, load, sha256
from realtime.errors import EngineError
from realtime.representation.apex_change import ApexChange
from realtime.representation.clip_images import ClipImages
from realtime.representation.crop_images import CropImages
from realtime.representation.embedding_sequence import EmbeddingSequence

replace = msgspec.structs.replace

PICTURES = CropImages(128, 96, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CLIPS = ClipImages(16, PICTURES)


@pytest.fixture(scope="module")
def opened(packages):
    from realtime import config

    return open_engine(packages / "encoder", replace(config.load().engines, device="cpu", precision="f32"))


@pytest.fixture
def images():
    return np.random.default_rng(0).standard_normal((3, 3, 32, 32)).astype(np.float32)


def test_answers_are_torchs(opened, packages):
    golden = np.load(packages / "encoder" / GOLDEN)
    found = opened.run({"images": golden["in_images"].astype(np.float32)})
    assert list(found) == ["embedding", "logits"]
    for name, array in found.items():
        assert array.dtype == np.float32
        np.testing.assert_allclose(array, golden[f"out_{name}"], rtol=1e-4, atol=1e-5)


def test_a_row_is_answered_the_same_alone_and_in_company(opened, images):
    together = opened.run({"images": images})["logits"]
    alone = [opened.run({"images": images[i : i + 1]})["logits"][0] for i in range(3)]
    assert np.array_equal(together, np.stack(alone))


def test_an_answer_is_not_overwritten_by_the_next(opened, images):
    first = opened.run({"images": images[:1]})["logits"]
    kept = first.copy()
    opened.run({"images": images[1:2]})
    assert np.array_equal(first, kept)


def test_inputs_may_lie_in_memory_in_any_order(opened, images):
    scattered = np.asfortranarray(images)
    assert np.array_equal(opened.run({"images": scattered})["logits"], opened.run({"images": images})["logits"])


def test_a_head_takes_sequences(packages, engines):
    head = open_engine(packages / "head", engines)
    assert head.run({"embeddings": np.zeros((2, 6, 16), np.float32)})["logits"].shape == (2, 3)


def test_an_engine_takes_clips(packages, engines):
    judge = open_engine(packages / "clips", engines)
    golden = np.load(packages / "clips" / GOLDEN)
    found = judge.run({"clips": golden["in_clips"].astype(np.float32)})["logits"]
    np.testing.assert_allclose(found, golden["out_logits"], rtol=1e-4, atol=1e-5)


def test_all_that_is_wrong_with_inputs_is_said_at_once(opened):
    with pytest.raises(EngineError) as caught:
        opened.run({"picture": np.zeros(3)})  # type: ignore[dict-item]
    assert caught.value.reasons == (
        "there is no input 'picture': name them ['images']",
        "input 'images' is missing: give float32 [B, 3, 32, 32]",
    )


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((1, 3, 32, 32)),
        np.zeros((1, 3, 31, 32), np.float32),
        np.zeros((3, 32, 32), np.float32),
        np.zeros((0, 3, 32, 32), np.float32),
        np.float32(0),
    ],
    ids=["float64", "length", "axes", "empty", "number"],
)
def test_a_wrong_input_is_shown_with_what_was_wanted(opened, array):
    with pytest.raises(EngineError, match=r"give float32 \[B, 3, 32, 32\]"):
        opened.run({"images": array})


def test_a_relative_folder_lies_beside_the_configuration(packages, engines, monkeypatch):
    monkeypatch.setattr(engine_module, "ROOT", packages.parent)
    assert open_engine(f"{packages.name}/encoder", engines).manifest.name == "encoder"


def test_a_package_that_does_not_load_does_not_open(encoder_folder, engines):
    (encoder_folder / MODEL).write_bytes(b"")
    with pytest.raises(EngineError, match=r"model\.onnx differs"):
        open_engine(encoder_folder, engines)


def test_a_graph_that_is_not_what_its_manifest_says_is_refused(encoder_folder, engines):
    manifest = load(encoder_folder)
    renamed = (replace(manifest.outputs[0], name="features", shape=(-1, 17)), manifest.outputs[1])
    dump(replace(manifest, outputs=renamed), encoder_folder)
    with pytest.raises(EngineError, match=r"\['embedding', 'logits'\], the manifest has \['features', 'logits'\]"):
        open_engine(encoder_folder, engines)


def test_a_graph_of_another_width_is_refused(encoder_folder, engines):
    manifest = load(encoder_folder)
    dump(replace(manifest, outputs=(replace(manifest.outputs[0], shape=(-1, 17)), manifest.outputs[1])), encoder_folder)
    with pytest.raises(EngineError, match=r"output embedding is \[-1, 16\], the manifest has \[-1, 17\]"):
        open_engine(encoder_folder, engines)


def test_a_file_that_is_no_graph_is_an_engine_error(encoder_folder, engines):
    manifest = load(encoder_folder)
    (encoder_folder / MODEL).write_bytes(b"no graph")
    files = manifest.files | {MODEL: sha256(encoder_folder / MODEL)}
    dump(replace(manifest, files=files), encoder_folder)
    with pytest.raises(EngineError, match="no ONNX file"):
        open_engine(encoder_folder, engines)


@pytest.mark.parametrize(
    ("asked", "capabilities", "taken"),
    [
        ("auto", ["FP32", "BF16"], "bf16"),
        ("auto", ["FP32"], "f32"),
        ("f32", ["FP32", "BF16"], "f32"),
        ("bf16", ["FP32", "BF16"], "bf16"),
    ],
)
def test_precision_is_what_was_asked_as_far_as_the_processor_has_it(engines, asked, capabilities, taken):
    for representation in (PICTURES, CLIPS):
        hints = openvino._hints(replace(engines, precision=asked, threads=3), capabilities, representation)
        assert hints["INFERENCE_PRECISION_HINT"] == taken
        assert hints["INFERENCE_NUM_THREADS"] == 3


def test_bf16_is_not_pretended(engines):
    with pytest.raises(EngineError, match=r"set engines\.precision to auto or f32"):
        openvino._hints(replace(engines, precision="bf16"), ["FP32"], PICTURES)


def test_what_shows_small_differences_stays_in_f32(engines):
    for fine in (EmbeddingSequence("encoder", "0" * 64, 8, 512), ApexChange(128, 112, 0.02, 40.0)):
        hints = openvino._hints(replace(engines, precision="bf16"), ["FP32", "BF16"], fine)
        assert hints["INFERENCE_PRECISION_HINT"] == "f32"


def test_an_engine_names_its_arithmetic_and_library(opened):
    assert opened.precision == "f32"
    assert opened.backend.startswith("openvino 20")


def test_opening_an_engine_reports_to_nobody(packages, tmp_path):
    program = (
        "import pathlib, sys; from realtime import config\nfrom realtime.engine import factory as engine\n"
        f"engine.open_engine({str(packages / 'head')!r}, config.load().engines)\n"
        "assert 'openvino' in sys.modules and not sys.modules['openvino_telemetry']\n"
        "assert not list(pathlib.Path.home().iterdir())"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "CI": ""}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, cwd=engine_module.ROOT)
