import json
import shutil

import msgspec
import pytest

from realtime.engine.package.manifest import GOLDEN, MANIFEST, MODEL, dump, load
from realtime.errors import EngineError
from realtime.labels import VOCABULARIES

replace = msgspec.structs.replace


def edit(folder, **changes):
    """Overwrite keys of manifest.json; None takes a key out."""
    tree = json.loads((folder / MANIFEST).read_text()) | changes
    (folder / MANIFEST).write_text(json.dumps({key: value for key, value in tree.items() if value is not None}))


def reasons_of(folder):
    with pytest.raises(EngineError) as caught:
        load(folder)
    assert all(reason in str(caught.value) for reason in caught.value.reasons)
    return caught.value.reasons


def test_an_exported_package_loads_with_all_it_promises(packages):
    manifest = load(packages / "encoder")
    assert manifest.labels == VOCABULARIES["ferplus-8"]
    assert [spec.shape for spec in manifest.outputs] == [(-1, 16), (-1, 8)]
    assert set(manifest.files) == {MODEL, GOLDEN, "card.md"}
    assert manifest.scores[0].counts == {"neutral": 8}


def test_what_is_dumped_is_loaded(encoder_folder):
    manifest = replace(load(encoder_folder), commit="abc")
    dump(manifest, encoder_folder)
    assert load(encoder_folder) == manifest


def test_all_reasons_are_listed_at_once(encoder_folder):
    blob = bytearray((encoder_folder / MODEL).read_bytes())
    blob[len(blob) // 2] ^= 1
    (encoder_folder / MODEL).write_bytes(blob)
    (encoder_folder / GOLDEN).unlink()
    (encoder_folder / "notes.txt").write_text("")
    edit(
        encoder_folder,
        surprise=1,
        labels=["anger", "neutral"],
        inputs=[{"name": "images", "shape": [-1, 3, 64, 64], "dtype": "float32", "layout": "NCHW"}],
    )
    reasons = reasons_of(encoder_folder)
    wanted = [
        "unknown key 'surprise'",
        "labels are ['anger', 'neutral']",
        "crop-images makes images NCHW [-1, 3, 32, 32]",
        "output logits NC [-1, 8] wants a column for each of 2 labels",
        "model.onnx differs",
        "golden.npz is missing",
        "notes.txt is not listed",
    ]
    assert [len([reason for reason in reasons if part in reason]) for part in wanted] == [1] * len(wanted)
    assert len(reasons) == len(wanted)


def test_files_are_checked_even_when_keys_are_wrong(encoder_folder):
    (encoder_folder / GOLDEN).write_bytes(b"")
    edit(encoder_folder, schema=2, opset="twenty", seed=1, training=None)
    reasons = reasons_of(encoder_folder)
    for part in ("schema is 2", "opset: Expected `int`", "unknown key 'seed'", "lacks the key 'training'", "golden"):
        assert any(part in reason for reason in reasons), part
    assert len(reasons) == 5


@pytest.mark.promise("a manifest of an engine that is nested without end", "one line", "1 of 1; a traceback before")
def test_a_manifest_without_end_is_refused_in_one_line(encoder_folder):
    path = encoder_folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"name"', b'"deep": ' + b"[" * 100_000 + b', "name"', 1))
    [reason] = reasons_of(encoder_folder)
    assert "nested without end" in reason


def test_a_graph_of_another_opset_is_refused(encoder_folder):
    edit(encoder_folder, opset=17)
    [reason] = reasons_of(encoder_folder)
    assert reason == "model.onnx is of opset 20, the manifest says 17: export the package again"


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_precision_is_one_of_three(encoder_folder, precision):
    edit(encoder_folder, precision=precision)
    assert load(encoder_folder).precision == precision


def test_a_precision_in_words_is_refused(encoder_folder):
    edit(encoder_folder, precision="f16 weights, f32 arithmetic")
    [reason] = reasons_of(encoder_folder)
    assert "precision: Invalid enum value 'f16 weights, f32 arithmetic'" in reason


def test_a_vocabulary_that_does_not_exist_is_refused(encoder_folder):
    edit(encoder_folder, vocabulary="ferplus-9")
    [reason] = reasons_of(encoder_folder)
    assert all(repr(name) in reason for name in ("own", "ferplus-8", "casme2-5"))


def test_labels_of_ones_own_stand_in_the_manifest_alone(packages):
    manifest = load(packages / "apex")
    assert (manifest.vocabulary, manifest.labels) == ("own", ("calm", "a little tense"))


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["calm", "calm"], "labels repeat"),
        (["calm"], "length >= 2"),
        (["calm", ""], "length >= 1"),
        (["a", "b", "c"], "a column for each of 3 labels"),
    ],
)
def test_labels_of_ones_own_are_two_or_more_that_differ(packages, tmp_path, labels, reason):
    folder = shutil.copytree(packages / "apex", tmp_path / "apex")
    edit(folder, labels=labels)
    [found] = reasons_of(folder)
    assert reason in found


@pytest.mark.promise(
    "an engine's manifest that lists a path outside its folder",
    "refused",
    "4 of 4",
)
@pytest.mark.parametrize("name", ["../model.onnx", "/model.onnx", ".hidden", "a/b"])
def test_a_listed_file_cannot_lie_outside_the_package(encoder_folder, name):
    files = json.loads((encoder_folder / MANIFEST).read_text())["files"]
    edit(encoder_folder, files=files | {name: "0" * 64})
    assert reasons_of(encoder_folder)[0].startswith("manifest.json, files: ")


def test_every_package_lists_model_and_golden_answers(encoder_folder):
    files = json.loads((encoder_folder / MANIFEST).read_text())["files"]
    edit(encoder_folder, files={name: sha256 for name, sha256 in files.items() if name != GOLDEN})
    assert len(reasons_of(encoder_folder)) == 2  # not listed, and there without being listed


def test_a_plan_built_on_the_box_is_no_stranger(encoder_folder):
    (encoder_folder / "h200.plan").write_bytes(b"plan")
    load(encoder_folder)


def test_what_is_no_package_says_so(tmp_path):
    assert "no such folder" in reasons_of(tmp_path / "nowhere")[0]
    assert "has no manifest.json" in reasons_of(tmp_path)[0]
    (tmp_path / MANIFEST).write_text("{")
    assert "not readable JSON" in reasons_of(tmp_path)[0]
