import msgspec
import pytest

from realtime.engine.package.manifest import MODEL, load
from realtime.labels import VOCABULARIES
from realtime.recognition.pairing import compatible, spotter_reasons, units_reasons
from realtime.representation.apex_field import ApexField
from realtime.representation.crop_images import IMAGENET_MEAN, IMAGENET_STD, CropImages

replace = msgspec.structs.replace


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
    reasons = compatible(head, encoder, 48)
    assert [reason.split(": ")[0] for reason in reasons] == [
        "head judges micro-expression from embedding-sequence, an encoder judges still-expression from crop-images",
        "encoder judges still-expression, a head judges events",
    ]


@pytest.mark.parametrize("name", ["apex", "change", "clips", "fields"])
def test_an_engine_of_pictures_fits_any_encoder_of_the_same_crops(packages, name):
    encoder, judge = replace(load(packages / "encoder"), files={MODEL: "f" * 64}), load(packages / name)
    assert compatible(encoder, judge, 48) == ()
    [of_encoder, of_judge] = compatible(encoder, judge, 64)
    assert of_encoder.startswith("encoder was trained on crops of 48 px, align.size_px is 64")
    assert of_judge.startswith(f"{name} was trained on crops of 48 px, align.size_px is 64")


def test_an_engine_of_fields_of_another_side_is_refused(packages):
    judge = load(packages / "fields")
    other = replace(judge, representation=replace(judge.representation, size_px=14))
    [reason] = compatible(load(packages / "encoder"), other, 48)
    assert "fields sees fields of side 14, 28 are made" in reason


def test_what_judges_micro_expressions_is_no_encoder(packages):
    [reason] = compatible(load(packages / "apex"), load(packages / "clips"), 48)
    assert reason.startswith("apex judges micro-expression from crop-images")


def test_an_engine_without_logits_judges_nothing(packages):
    judge = load(packages / "clips")
    silent = replace(judge, outputs=(replace(judge.outputs[0], name="feature"),))
    [reason] = compatible(load(packages / "encoder"), silent, 48)
    assert "has the outputs ['feature'], wanted logits" in reason


def test_an_encoder_without_embeddings_feeds_no_head(packages):
    encoder = load(packages / "encoder")
    classifier = replace(encoder, outputs=encoder.outputs[1:])
    [reason] = compatible(classifier, load(packages / "head"), 48)
    assert "has the outputs ['logits'], wanted embedding" in reason


def test_what_says_which_units_moved_judges_no_event_and_what_judges_says_no_units(packages):
    encoder, judge = load(packages / "encoder"), load(packages / "fields")
    [reason] = units_reasons(judge, 48)
    assert reason.startswith("fields judges micro-expression, engines.units action-units")
    outputs = (replace(judge.outputs[0], name="logits"), replace(judge.outputs[0], name="strength"))
    reader = replace(judge, name="units", task="action-units", outputs=outputs, representation=ApexField(48, 28, 0.02))
    assert list(units_reasons(reader, 48)) == []
    [reason] = units_reasons(reader, 64)
    assert reason.startswith("units was trained on crops of 48 px, align.size_px is 64")
    [reason] = units_reasons(replace(reader, outputs=outputs[:1]), 48)
    assert "has the outputs ['logits'], wanted strength" in reason
    [reason] = compatible(encoder, reader, 48)
    assert reason.startswith("units judges action-units, a head judges events")


def test_the_size_a_network_sees_need_not_be_the_crops(packages):
    encoder = load(packages / "encoder")
    seen = replace(encoder, representation=CropImages(64, 32, IMAGENET_MEAN, IMAGENET_STD))
    assert compatible(seen, load(packages / "head"), 64) == ()


def of_pictures(packages, **changes):
    """The manifest of a spotter that judges single pictures."""
    spotter, apex = load(packages / "spotter"), load(packages / "apex")
    [logits] = (output for output in spotter.outputs if output.name == "logits")
    made = {"inputs": apex.inputs, "outputs": (logits,), "representation": apex.representation}
    return replace(spotter, name="pictures", **made | changes)


def test_spotters_of_movement_and_of_pictures_fit_crops_of_their_size(packages):
    assert list(spotter_reasons(load(packages / "spotter"), 48)) == []
    assert list(spotter_reasons(of_pictures(packages), 48)) == []


def test_a_spotter_of_another_lag_is_refused_for_it_shapes_what_the_judges_see(packages):
    made = load(packages / "spotter")
    [reason] = spotter_reasons(replace(made, representation=replace(made.representation, lag_s=0.5)), 48)
    assert reason.endswith("over 0.5 s, wanted 48 px, 28 and 0.35 s: train it again")


def test_all_reasons_why_a_package_is_no_spotter_are_listed(packages):
    labels = VOCABULARIES["megc-3"]
    silent = of_pictures(packages, labels=labels, outputs=())
    told, size, missing = spotter_reasons(silent, 64)
    assert told == "it tells negative, positive, surprise, a spotter tells expression, micro, apex: name another"
    assert size.startswith("it was trained on crops of 48 px, align.size_px is 64")
    assert missing == "pictures has the outputs [], wanted logits: name another engine"
    forgetful = replace(load(packages / "spotter"), outputs=load(packages / "spotter").outputs[:1])
    [reason] = spotter_reasons(forgetful, 48)
    assert reason == "spotter has the outputs ['logits'], wanted memory: name another engine"
    [other] = spotter_reasons(of_pictures(packages, representation=load(packages / "clips").representation), 48)
    assert other == "it judges clip-images, a spotter judges motion-ticks or crop-images: name another"
    assert list(spotter_reasons(load(packages / "clips"), 48)) == ["it judges dynamic-expression: name another"]
