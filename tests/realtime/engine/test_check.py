import msgspec
import numpy as np
import pytest

from realtime.engine.check import BARS, check, difference, replay
from realtime.engine.factory import open_engine
from realtime.engine.package.manifest import GOLDEN, MANIFEST, Manifest, dump, sha256
from realtime.errors import EngineError
from realtime.representation.representation import decoded

replace = msgspec.structs.replace


def alter_golden(folder, alter):
    """Rewrite golden.npz and let the manifest know it, so that only a replay can tell."""
    arrays = dict(np.load(folder / GOLDEN))
    alter(arrays)
    np.savez_compressed(folder / GOLDEN, **arrays)
    manifest = load_unchecked(folder)
    dump(replace(manifest, files=manifest.files | {GOLDEN: sha256(folder / GOLDEN)}), folder)


def load_unchecked(folder):
    return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest, dec_hook=decoded)


def test_an_untouched_package_passes_in_f32(packages, engines):
    report = check(packages / "encoder", engines)
    assert report.ok
    assert [each.output for each in report.differences] == ["embedding", "logits"]
    assert all(each.relative < BARS["f32"] == each.bar for each in report.differences)
    assert report.milliseconds > 0


@pytest.mark.parametrize("name", ["encoder", "head"])
def test_an_untouched_package_passes_in_bf16(packages, engines, name):
    if open_engine(packages / name, replace(engines, precision="auto")).precision != "bf16":
        pytest.skip("this processor has no bf16")
    report = check(packages / name, replace(engines, precision="bf16"))
    assert report.ok
    assert report.precision == "bf16"
    assert report.differences[0].bar == BARS["bf16"]
    assert report.differences[0].relative > BARS["f32"]  # or it was not bf16 that ran


def test_other_answers_fail_and_name_the_output(encoder_folder, engines):
    def nudge(arrays):
        arrays["out_logits"] *= 1.01

    alter_golden(encoder_folder, nudge)
    report = check(encoder_folder, engines)
    assert not report.ok
    assert {each.output: each.ok for each in report.differences} == {"embedding": True, "logits": False}


@pytest.mark.promise(
    "an engine that answers NaN",
    "never passes its check",
    "1 of 1",
)
def test_an_answer_that_was_nan_never_passes(encoder_folder, engines):
    def spoil(arrays):
        arrays["out_embedding"][1, 2] = np.nan

    alter_golden(encoder_folder, spoil)
    assert not check(encoder_folder, engines).ok


def test_a_batch_of_another_size_never_passes(encoder_folder, engines):
    def shorten(arrays):
        arrays["out_logits"] = arrays["out_logits"][:2]

    alter_golden(encoder_folder, shorten)
    assert not check(encoder_folder, engines).ok


def test_golden_arrays_must_be_the_manifests(encoder_folder, engines):
    def rename(arrays):
        arrays["out_scores"] = arrays.pop("out_logits")

    alter_golden(encoder_folder, rename)
    with pytest.raises(EngineError, match="does not fit its manifest"):
        check(encoder_folder, engines)


def test_golden_answers_that_are_no_archive_are_an_engine_error(encoder_folder, engines):
    (encoder_folder / GOLDEN).write_bytes(b"no archive")
    manifest = load_unchecked(encoder_folder)
    dump(replace(manifest, files=manifest.files | {GOLDEN: sha256(encoder_folder / GOLDEN)}), encoder_folder)
    with pytest.raises(EngineError, match="not readable"):
        check(encoder_folder, engines)


@pytest.mark.promise(
    "a corrupt engine",
    "refused, and not replayed",
    "1 of 1",
)
def test_a_damaged_package_is_not_replayed(encoder_folder, engines):
    (encoder_folder / GOLDEN).write_bytes(b"")
    with pytest.raises(EngineError, match=r"golden\.npz differs"):
        check(encoder_folder, engines)


def test_a_difference_by_hand():
    found, wanted = np.array([[3.0, 4.5]], np.float32), np.array([[3.0, 4.0]], np.float32)
    apart = difference("y", found, wanted, 0.1)
    assert (apart.largest, apart.mean, apart.relative, apart.ok) == (0.5, 0.25, 0.1, True)
    assert not difference("y", found, wanted, 0.0999).ok


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_never_passes(odd):
    fine, spoilt = np.ones((1, 2), np.float32), np.array([[1.0, odd]], np.float32)
    assert not difference("y", spoilt, fine, 1e9).ok
    assert not difference("y", fine, spoilt, 1e9).ok
    assert not difference("y", spoilt, spoilt, 1e9).ok


def test_zeros_are_compared_without_dividing_by_zero():
    zeros = np.zeros((1, 2), np.float32)
    assert difference("y", zeros, zeros, 1e-4).ok
    assert not difference("y", zeros + 1e-3, zeros, 1e-4).ok


class Quantised:
    """The encoder as INT8 of another backend: it answers what it is told to."""

    backend, precision, fallback = "none", "int8", None

    def __init__(self, folder, **answers):
        self.manifest = replace(load_unchecked(folder), precision="int8")
        self.answers = {name: array.astype(np.float32) for name, array in answers.items()}

    def run(self, inputs):
        rows = len(inputs["images"])
        return {name: array[:rows] for name, array in self.answers.items()}


@pytest.fixture
def quantised(encoder_folder):
    """Replays an INT8 engine: how far its answers are moved, and in how many of a hundred rows the label is."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((100, 8))
    embedding = rng.standard_normal((100, 16))

    def widen(arrays):
        arrays["in_images"] = np.zeros((100, *arrays["in_images"].shape[1:]), np.float32)
        arrays["out_logits"], arrays["out_embedding"] = logits, embedding

    alter_golden(encoder_folder, widen)

    def replayed(flipped=0, spoilt=0.0):
        found = logits.copy()
        found[:flipped] = -logits[:flipped]
        moved = embedding * 1.2
        moved[0, 0] += spoilt
        return replay(Quantised(encoder_folder, logits=found, embedding=moved), encoder_folder)

    return replayed


def test_int8_is_judged_by_its_labels(quantised):
    embedding, logits = quantised(flipped=2).differences
    assert (logits.agreement, logits.ok) == (0.98, True)
    assert (embedding.agreement, embedding.ok) == (None, True)
    assert logits.relative > BARS["bf16"]
    assert not quantised(flipped=3).ok


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_int8_that_is_no_number_never_passes(quantised, odd):
    report = quantised(spoilt=odd)
    assert [each.ok for each in report.differences] == [False, True]
    assert not report.ok


def test_labels_alone_do_not_excuse_an_engine_of_floats(encoder_folder, engines):
    def scale(arrays):
        arrays["out_logits"] *= 1.01

    alter_golden(encoder_folder, scale)
    logits = check(encoder_folder, engines).differences[1]
    assert (logits.agreement, logits.ok) == (1.0, False)


def test_a_package_of_half_precision_has_the_bar_of_half_precision(encoder_folder, engines):
    dump(replace(load_unchecked(encoder_folder), precision="fp16"), encoder_folder)
    report = check(encoder_folder, engines)
    assert report.precision == "f32"
    assert {each.bar for each in report.differences} == {BARS["f16"]}


def test_a_backend_is_checked_as_it_is_named(packages, engines):
    assert check(packages / "head", engines, "openvino").backend.startswith("openvino")
    with pytest.raises(EngineError):
        check(packages / "head", replace(engines, device="triton://127.0.0.1:1"), "triton")


def test_a_report_goes_into_json(packages, engines):
    tree = msgspec.json.decode(msgspec.json.encode(check(packages / "head", engines).to_dict()))
    assert (tree["package"], tree["ok"], tree["differences"][0]["output"]) == ("head", True, "logits")
