"""Macro-expressions: where they are from, what is said where they are not, and that they are learned once."""

import msgspec
import numpy as np
import pytest
import torch

from realtime.errors import DataError
from realtime.labels import FERPLUS, VOCABULARIES
from realtime.representation.movement.motion import grey
from train.config.clips import EnactedSettings
from train.methods.microattention import enacted_apexes, macro, macro_job
from train.methods.microattention.enacted_apexes import apexes
from train.methods.microattention.macro_job import MacroJob, MacroTraining
from train.methods.microattention.network import MicroAttentionNetwork, begin_with
from train.registry import METHODS
from train.sources.collection import collect
from train.sources.enacted import EnactedSource
from train.synthesis.script.emotions import EMOTIONS, LABELS

pytestmark = pytest.mark.usefixtures("one_thread")
replace = msgspec.structs.replace
MICRO = METHODS["microattention"]


def test_pictures_of_ferplus_are_the_serving_crops_of_its_training_split_and_their_votes(taught, faces):
    found = macro.pictures(taught)
    assert faces.asked == [("train", 128, 32)]
    assert (found.images.shape, found.images.dtype) == ((24, 1, 32, 32), torch.uint8)
    assert found.shares.argmax(1).tolist() == [0, 1] * 12


def test_a_sequence_of_ckplus_gives_its_first_picture_as_neutral_and_its_last_as_its_label(config, drawn, gather_by):
    labels = VOCABULARIES["emotion-7"]
    named, made = [], []

    def gather(data, rates, cache, workers):
        named.append((data[0].name, data[0].root, data[0].labels))
        made.append(collect([drawn("ckplus", labels, people=2, per_person=2)], rates, cache))
        return made[0]

    gather_by(gather)
    found = macro.pictures(replace(config, macro=("ckplus",), size_px=48))
    assert named == [("ckplus", "data/CK+", "emotion-7")]
    shown = [FERPLUS[row] for row in found.shares.argmax(1).tolist()]
    assert shown[::2] == ["neutral"] * 4
    assert shown[1::2] == [labels[0], labels[1], labels[1], labels[2]]
    [clip] = made[0].of(("ckplus/0-0",), 0.0)
    assert np.array_equal(found.images[0, 0], grey(clip.crops()[2]))  # 0.04 s at 50 Hz
    assert np.array_equal(found.images[1, 0], grey(clip.crops()[6]))  # 0.12 s


@pytest.fixture
def cast(enactment, facekit_path, tmp_path, finds, monkeypatch):
    """Everybody in a training split of a few pictures, in which faces are found at once."""
    monkeypatch.setattr(enacted_apexes, "open_landmarker", lambda stages: finds())
    few = replace(enactment, head=facekit_path, expressive=1)
    source = EnactedSource(EnactedSettings(set="", clips=few), tmp_path)
    (found,) = source.split(source.whole()).train
    return found


def test_of_an_enacted_clip_the_peak_is_kept_and_read_again(cast, monkeypatch, one_process):
    found = apexes(cast)
    assert [label for _, label in found][:6] == list(EMOTIONS)
    assert {label for _, label in found} == set(LABELS)
    assert {(image.shape, image.dtype) for image, _ in found} == {((48, 48), np.dtype(np.uint8))}
    monkeypatch.setattr(enacted_apexes, "run", lambda *_: pytest.fail("all peaks are there already"))
    assert all(np.array_equal(a, b) for (a, _), (b, _) in zip(found, apexes(cast), strict=True))
    seen = macro.labelled(found, 32)[1].argmax(1)
    assert [FERPLUS[row] for row in seen] == [label for _, label in found]


@pytest.mark.parametrize("name", ["ferplus", "enacted"])
def test_pictures_that_are_not_at_hand_are_named_with_what_to_do(config, given_clips, name, tmp_path):
    if name == "enacted":
        file = tmp_path / "enacted.toml"
        shipped = (macro.ROOT / "configs/data/enacted.toml").read_text("utf-8")
        file.write_text(shipped.replace("../shared/data/ferplus.npz", "nowhere.npz"), "utf-8")
    places = replace(config.places, ferplus="nowhere.npz", enacted=str(tmp_path / "enacted.toml"))
    asked = replace(config, macro=(name,), places=places)
    wanted = rf"macro names '{name}'.*no file nowhere.npz.*\n.*places.{name}.*macro=\[\]"
    with pytest.raises(DataError, match=wanted):
        MICRO.files(asked)
    with pytest.raises(DataError, match=wanted):
        MICRO.see(asked, given_clips([], ()), None)


def test_ckplus_that_is_not_at_hand_is_named_too(config, tmp_path):
    places = replace(config.places, ckplus=str(tmp_path))
    with pytest.raises(DataError, match=r"macro names 'ckplus'.*Emotion_labels.zip"):
        MICRO.files(replace(config, macro=("ckplus",), places=places))


def test_macro_expressions_are_learned_once_whatever_the_fold_and_the_weights_kept(taught, monkeypatch):
    first = MacroTraining(taught)
    begun = {name: value.clone() for name, value in first.network.state_dict().items()}
    assert first.solve() == {"pictures": 24.0}
    assert not torch.equal(first.network.conv1.weight, begun["conv1.weight"])
    monkeypatch.setattr(MacroJob, "loss", lambda *_: pytest.fail("it was learned already"))
    torch.rand(3)  # what was drawn before does not matter
    again = MacroTraining(taught)
    again.solve()
    assert all(map(torch.equal, first.network.state_dict().values(), again.network.state_dict().values()))


def test_another_seed_size_or_set_is_learned_anew(taught, faces, tmp_path):
    known = macro_job.folder(taught)
    (tmp_path / "more.npz").write_bytes(b"also not read")
    places = replace(taught.places, ferplus=str(tmp_path / "more.npz"))
    others = [replace(taught, seed=2), replace(taught, size_px=48), replace(taught, places=places)]
    assert len({known, *map(macro_job.folder, others)}) == 4
    assert macro_job.folder(replace(taught, epochs=99, jitter_s=0.1)) == known  # the apex frames' own


def test_the_second_training_begins_with_all_but_the_last_layer(config):
    torch.manual_seed(3)
    taught, mine = MicroAttentionNetwork(8, attention=True, width=8), MicroAttentionNetwork(3, attention=True, width=8)
    own = {name: value.clone() for name, value in mine.fc.state_dict().items()}
    begin_with(mine, taught)
    assert all(torch.equal(mine.fc.state_dict()[name], value) for name, value in own.items())
    rest = [name for name in taught.state_dict() if not name.startswith("fc.")]
    assert all(torch.equal(mine.state_dict()[name], taught.state_dict()[name]) for name in rest)


def test_macro_expressions_are_told_apart_after_a_few_epochs(taught):
    quick = replace(taught.transfer.optimiser, batch=8, rate=0.1)
    longer = replace(taught, transfer=replace(taught.transfer, epochs=10, optimiser=quick))
    training = MacroTraining(longer)
    training.solve()
    x = macro.pictures(longer).images.float().expand(-1, 3, -1, -1) / 255
    with torch.no_grad():
        said = training.network.eval()(x)[1].argmax(1)
    assert said.tolist() == [0, 1] * 12
