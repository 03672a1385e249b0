import json

import msgspec
import pytest

from realtime.errors import EngineError
from realtime.labels import VOCABULARIES
from realtime.manifest import GOLDEN, MANIFEST, MODEL, compatible, dump, load
from realtime.preprocess import IMAGENET_MEAN, IMAGENET_STD, CropImages

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
    assert set(manifest.files) == {MODEL, GOLDEN}
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


def test_a_vocabulary_that_does_not_exist_is_refused(encoder_folder):
    edit(encoder_folder, vocabulary="ferplus-9")
    assert "['ferplus-8', 'megc-3']" in reasons_of(encoder_folder)[0]


@pytest.mark.parametrize("name", ["../model.onnx", "/model.onnx", ".hidden", "a/b"])
def test_a_listed_file_cannot_lie_outside_the_package(encoder_folder, name):
    files = json.loads((encoder_folder / MANIFEST).read_text())["files"]
    edit(encoder_folder, files=files | {name: "0" * 64})
    assert reasons_of(encoder_folder)[0].startswith("manifest.json, files: ")


def test_every_package_lists_model_and_golden_answers(encoder_folder):
    files = json.loads((encoder_folder / MANIFEST).read_text())["files"]
    edit(encoder_folder, files={MODEL: files[MODEL]})
    assert len(reasons_of(encoder_folder)) == 2  # not listed, and there without being listed


def test_a_plan_built_on_the_box_is_no_stranger(encoder_folder):
    (encoder_folder / "h200.plan").write_bytes(b"plan")
    load(encoder_folder)


def test_what_is_no_package_says_so(tmp_path):
    assert "no such folder" in reasons_of(tmp_path / "nowhere")[0]
    assert "has no manifest.json" in reasons_of(tmp_path)[0]
    (tmp_path / MANIFEST).write_text("{")
    assert "not readable JSON" in reasons_of(tmp_path)[0]


def test_a_head_fits_the_encoder_it_was_trained_on(packages):
    assert compatible(load(packages / "encoder"), load(packages / "head"), 48) == ()


def test_all_reasons_why_a_head_does_not_fit_are_listed(packages):
    encoder, head = load(packages / "encoder"), load(packages / "head")
    outputs = (replace(encoder.outputs[0], shape=(-1, 99)), encoder.outputs[1])
    other = replace(encoder, name="other", outputs=outputs, files={MODEL: "f" * 64})
    reasons = compatible(other, head, 64)
    for part in (
        "crops of 48 px, align.size_px is 64",
        "encoder's embeddings, not other's",
        "ffffffffffff",
        "gives 99",
    ):
        assert any(part in reason for reason in reasons), part
    assert len(reasons) == 4


def test_engines_in_each_others_place_are_refused(packages):
    encoder, head = load(packages / "encoder"), load(packages / "head")
    assert [reason.split(" takes ")[0] for reason in compatible(head, encoder, 48)] == ["head", "encoder"]


def test_an_encoder_without_embeddings_feeds_no_head(packages):
    encoder = load(packages / "encoder")
    classifier = replace(encoder, outputs=encoder.outputs[1:])
    assert "gives none" in compatible(classifier, load(packages / "head"), 48)[0]


def test_the_size_a_network_sees_need_not_be_the_crops(packages):
    encoder = load(packages / "encoder")
    seen = replace(encoder, representation=CropImages(64, 32, IMAGENET_MEAN, IMAGENET_STD))
    assert compatible(seen, load(packages / "head"), 64) == ()
