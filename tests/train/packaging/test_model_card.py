import shutil
from typing import get_args

import msgspec
import pytest

from realtime.config import ROOT
from realtime.engine.check import check
from realtime.engine.package.manifest import MANIFEST, MODEL, Score, Task, load, sha256
from realtime.errors import EngineError
from train import registry
from train.packaging.limits import ALWAYS, FORCED, RECORDED, SYNTHETIC, MethodCard
from train.packaging.model_card import ARITHMETIC, CARD, PURPOSES, lines, rewrite
from train.registry import METHODS

replace = msgspec.structs.replace


@pytest.fixture
def manifest(packages):
    return load(packages / "encoder")


@pytest.fixture
def card(packages):
    """The words of a manifest's card, whatever the lines they stand in."""
    return lambda manifest: " ".join(
        "\n".join(lines(manifest, packages / "encoder", registry.card_of(manifest.method))).split()
    )


def trained(manifest, **recipe):
    return replace(manifest, training=replace(manifest.training, recipe=recipe))


def test_every_method_has_its_limits_and_every_task_and_precision_its_words():
    assert all(method.card.limits for method in METHODS.values())
    assert set(PURPOSES) == set(get_args(Task))
    assert set(ARITHMETIC) == {"fp32", "fp16", "int8"}


def test_an_export_writes_the_card_and_lists_it(packages, manifest, encoder_parts):
    assert manifest.files[CARD] == sha256(packages / "encoder" / CARD)
    text = (packages / "encoder" / CARD).read_text("utf-8")
    assert text.splitlines() == "\n".join(lines(manifest, packages / "encoder", encoder_parts[3].card)).splitlines()
    assert max(map(len, text.splitlines())) <= 120


def test_a_card_says_what_the_manifest_says(manifest, card):
    said = card(manifest)
    for part in (
        "# encoder",
        METHODS["expression"].card.what,
        "`images` NCHW [-1, 3, 32, 32] float32: aligned crops of 48 px, RGB, brought to 32 px",
        "`neutral`, `happiness`,",
        "- `logits` NC [-1, 8] float32",
        "- noise none",  # data, and terms
        "Seed 1, 2 epochs",
        "On guessing (neutral 8): | score | value | |---|---| | accuracy | 0.1250 |",
        f"SHA-256 {manifest.files[MODEL]}",
        "fp32: float32",
        *ALWAYS,
    ):
        assert part in said


def test_scores_stand_below_what_they_were_measured_on(manifest, card):
    scores = [Score(name=n, value=0.5, protocol=p, counts={"a": 2}) for n, p in (("x", "p"), ("y", "p"), ("z", "q"))]
    said = card(replace(manifest, scores=tuple(scores)))
    assert "On p (a 2): | score | value | |---|---| | x | 0.5000 | | y | 0.5000 | On q (a 2):" in said
    assert "nobody has measured it" in card(replace(manifest, scores=()))


def test_limits_follow_the_data_and_the_labels(packages, manifest, card):
    assert RECORDED in card(manifest)
    assert FORCED not in card(manifest)  # a still picture always shows one of its labels
    synthetic = card(trained(manifest, clips={}))
    assert SYNTHETIC in synthetic
    assert RECORDED not in synthetic
    head = load(packages / "head")
    assert FORCED in card(head)
    assert FORCED not in card(replace(head, labels=(*head.labels, "none")))


@pytest.mark.parametrize(
    ("name", "shown"), [("head", "by `encoder` of SHA-256"), ("clips", "6 frames from the event's")]
)
def test_what_other_engines_are_fed_is_said_too(packages, card, name, shown):
    assert shown in card(load(packages / name))


FERPLUS_RECIPE = "--config configs/methods/expression.toml --config configs/data/ferplus.toml"
HERE = {"method": "expression", "name": "encoder", "source": "ferplus", "set": ""}
RECORDED_CLIPS = {"method": "motion", "name": "motion-casme2-5", "source": "recorded", "set": "casme2-5"}


@pytest.mark.parametrize(("precision", "option"), [("fp32", ""), ("fp16", " --precision fp16")])
def test_the_command_that_makes_it_names_the_files_of_its_method_and_its_clips(manifest, card, precision, option):
    said = card(trained(replace(manifest, precision=precision), **HERE))
    assert f"python -m train rebuild {FERPLUS_RECIPE}{option} The" in said
    assert "rebuild" not in card(trained(manifest, **HERE | {"name": "mine"}))
    assert "rebuild" not in card(trained(manifest, **HERE | {"set": "mine"}))


def test_a_recipe_from_before_sources_had_names_is_known_by_its_keys(manifest, card):
    before = {"method": "expression", "name": "encoder", "ferplus": "../shared/data/ferplus.npz"}
    assert f"python -m train rebuild {FERPLUS_RECIPE} The" in card(trained(manifest, **before))


@pytest.mark.parametrize(("rest", "method"), [(0.2, "motion"), (0.0, "motion-recorded")])
def test_of_two_files_of_one_name_it_is_the_one_with_more_of_the_recipe(manifest, card, rest, method):
    said = card(trained(manifest, **RECORDED_CLIPS, rest=rest))
    assert f"--config configs/methods/{method}.toml --config configs/data/casme2-5.toml The" in said


def test_a_package_of_a_method_that_is_not_there_gets_no_card(encoder_folder):
    with pytest.raises(EngineError, match=r"no card can be written for 'magic'[\s\S]*the methods are .*motion"):
        registry.card_of("magic")


def test_a_card_is_written_anew_and_nothing_else_changes(encoder_folder, encoder_parts, engines):
    card = encoder_parts[3].card
    before = load(encoder_folder)
    (encoder_folder / "a.plan").write_bytes(b"built here")
    (encoder_folder / CARD).unlink()
    tree = msgspec.json.decode((encoder_folder / MANIFEST).read_bytes())
    del tree["files"][CARD]  # a package of before there were cards
    (encoder_folder / MANIFEST).write_bytes(msgspec.json.encode(tree))
    assert rewrite(encoder_folder, lambda _: card) == encoder_folder / CARD
    assert load(encoder_folder) == before
    assert (encoder_folder / "a.plan").read_bytes() == b"built here"
    assert list(encoder_folder.parent.iterdir()) == [encoder_folder]
    assert check(encoder_folder, engines).ok


def test_a_manifest_is_not_filled_up_with_what_has_a_default_since(packages, tmp_path):
    folder = shutil.copytree(packages / "head", tmp_path / "head")
    before = msgspec.json.decode((folder / MANIFEST).read_bytes())
    del before["representation"]["cells"]
    (folder / MANIFEST).write_bytes(msgspec.json.encode(before))
    rewrite(folder, lambda _: MethodCard("Another word.", ()))
    after = msgspec.json.decode((folder / MANIFEST).read_bytes())
    assert after.pop("files") == before.pop("files") | {CARD: sha256(folder / CARD)}
    assert after == before


def test_a_card_that_was_changed_by_hand_is_refused(encoder_folder):
    (encoder_folder / CARD).write_text("It is never wrong.\n")
    with pytest.raises(EngineError, match=r"card\.md differs"):
        load(encoder_folder)
    with pytest.raises(EngineError, match=r"card\.md differs"):
        rewrite(encoder_folder, registry.card_of)


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "engines").glob("*/manifest.json")), ids=lambda path: path.parent.name
)
def test_the_cards_of_shipped_packages_are_those_of_their_manifests(folder, tmp_path):
    copy = shutil.copytree(folder.parent, tmp_path / folder.parent.name)
    before = (copy / CARD).read_bytes()
    rewrite(copy, registry.card_of)
    assert (copy / CARD).read_bytes() == before
