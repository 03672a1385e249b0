"""Which engines run together, and which a visitor may choose."""

import msgspec
import pytest

from realtime import config
from realtime.engine.package.manifest import MODEL, sha256
from realtime.errors import ConfigError, EngineError
from realtime.labels import OWN, VOCABULARIES
from realtime.recognition.heads import Heads, engines, spotter
from realtime.representation.apex_field import ApexField
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.movement.fields import FIELD_PX


@pytest.fixture(scope="module")
def folder(packages, encoder_parts, tmp_path_factory):
    """The tiny packages, and `dynamic`, which judges seven expressions."""
    import torch

    from train.packaging.export import export

    class TinyDynamic(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(16, 7)

        def forward(self, embeddings):
            return self.fc(embeddings.mean(1))

    class TinyUnits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2 * FIELD_PX**2, 2)

        def forward(self, field):
            strength = self.fc(field.flatten(1))
            return strength - 0.1, strength

    folder = tmp_path_factory.mktemp("engines")
    for package in packages.iterdir():
        (folder / package.name).symlink_to(package)
    draft = msgspec.structs.replace(
        encoder_parts[3],
        name="dynamic",
        vocabulary="dfew-7",
        labels=VOCABULARIES["dfew-7"],
        task="dynamic-expression",
        representation=EmbeddingSequence("encoder", sha256(packages / "encoder" / MODEL), 16, 16),
    )
    export(TinyDynamic(), {"embeddings": torch.randn(3, 16, 16)}, ["logits"], draft, folder / "dynamic")
    units = msgspec.structs.replace(
        draft,
        name="units",
        vocabulary=OWN,
        labels=("17", "26"),
        task="action-units",
        representation=ApexField(48, FIELD_PX, 0.02),
    )
    export(
        TinyUnits(), {"field": torch.randn(3, 2, FIELD_PX, FIELD_PX)}, ["logits", "strength"], units, folder / "units"
    )
    return folder


@pytest.fixture
def settings(folder):
    """The configuration that asks for `head` and `dynamic`, with changes."""
    fixed = {
        "engines.folder": folder,
        "engines.dynamic": "",
        "engines.units": "",
        "engines.device": "cpu",
        "engines.precision": "f32",
        "align.size_px": 48,
    }

    def with_changes(head, dynamic="", **changes):
        found = fixed | {"engines.head": head, "engines.dynamic": dynamic} | changes
        return config.load(
            overrides=[f'{key}="{value}"' if value == "" else f"{key}={value}" for key, value in found.items()]
        )

    return with_changes


def names(some):
    return [engine.manifest.name for engine in some]


def test_a_plain_name_is_one_engine_and_nothing_judges_beside_the_encoder(settings):
    encoder, judges = engines(settings("fields"))
    assert encoder.manifest.name == "encoder"
    assert (names(judges.micro), judges.macro) == (["fields"], ())


def test_an_engine_of_units_is_opened_beside_those_that_judge_and_may_not_judge_itself(settings, folder):
    config = settings("fields", **{"engines.units": "units"})
    _, judges = engines(config)
    assert judges.units.manifest.name == "units"
    assert names(judges.engines) == ["fields"]
    assert config.engines.packages == ("encoder", "spotter", "units", "fields")
    assert engines(settings("fields"))[1].units is None
    assert "units" not in Heads(config).names
    with pytest.raises(EngineError, match="do not fit together") as found:
        engines(settings("fields", **{"engines.units": "fields"}))
    assert found.value.reasons[0].startswith("fields judges micro-expression, engines.units action-units")


def test_joined_names_are_engines_in_that_order(settings):
    _, judges = engines(settings("fields+head", "dynamic"))
    assert (names(judges.micro), names(judges.macro)) == (["fields", "head"], ["dynamic"])
    assert names(judges.engines) == ["dynamic", "fields", "head"]
    assert settings("fields+head", "dynamic").engines.packages == ("encoder", "spotter", "dynamic", "fields", "head")


def test_a_package_in_two_places_is_opened_once(settings):
    _, judges = engines(settings("dynamic", "dynamic"))
    assert judges.micro == judges.macro == judges.engines
    assert settings("dynamic", "dynamic").engines.packages == ("encoder", "spotter", "dynamic")


def test_all_reasons_why_engines_cannot_judge_together_are_listed(settings):
    with pytest.raises(EngineError, match="do not fit together") as found:
        engines(settings("head+apex+head+encoder", "clips"))
    for part in (
        "head is named 2 times in engines.head",
        "apex tells a little tense, calm apart, head negative, positive, surprise",
        "encoder judges still-expression, a head judges events",
        "clips tells repression, others, of which encoder knows nothing",
    ):
        assert any(part in reason for reason in found.value.reasons), part
    assert len(found.value.reasons) == len(set(found.value.reasons)) == 5  # also for what the encoder tells apart


def test_engines_of_movements_judge_macro_expressions_too_and_are_opened_once(settings):
    config = settings("fields+head", "dynamic+fields")
    _, judges = engines(config)
    assert (names(judges.micro), names(judges.macro)) == (["fields", "head"], ["dynamic", "fields"])
    assert names(judges.engines) == ["dynamic", "fields", "head"]
    assert config.engines.packages == ("encoder", "spotter", "dynamic", "fields", "head")


def test_all_reasons_why_engines_cannot_judge_beside_the_encoder_are_listed(settings):
    with pytest.raises(EngineError, match="do not fit together") as found:
        engines(settings("head", "dynamic+apex+dynamic+clips+spotter"))
    assert [reason.split(":")[0] for reason in found.value.reasons] == [
        "spotter judges spotting, a head judges events",
        "dynamic is named 2 times in engines.dynamic",
        "apex tells calm, a little tense, of which encoder knows nothing",
        "clips tells repression, others, of which encoder knows nothing",
        "spotter tells expression, micro, apex, of which encoder knows nothing",
    ]


def test_a_name_that_is_none_is_told_as_such(settings):
    for joined in ("fields+", "fields+nothing"):
        with pytest.raises(EngineError, match="cannot be used"):
            engines(settings(joined))
        with pytest.raises(EngineError, match="cannot be used"):
            engines(settings("head", joined))


def test_weights_are_of_engines_that_are_there(settings):
    assert engines(settings("fields+head", **{"recognise.weights.apex": 2.0}))
    with pytest.raises(ConfigError, match=r"recognise\.weights names feilds, wanted engines that are there: apex"):
        engines(settings("fields+head", **{"recognise.weights.feilds": 2.0}))
    with pytest.raises(ConfigError, match=r"Expected `float` > 0"):
        settings("fields+head", **{"recognise.weights.fields": 0.0})


def test_one_may_choose_the_engines_together_or_each_alone(settings):
    heads = Heads(settings("fields+head", "dynamic"))
    assert heads.names == ("fields+head", "fields", "head", "apex", "change", "clips", "dynamic")
    together, alone = heads.judges("fields+head"), heads.judges("fields")
    assert (names(together.micro), names(alone.micro)) == (["fields", "head"], ["fields"])
    assert alone.micro[0] is together.micro[0]  # opened once, so that each waits for the other
    assert alone.macro == together.macro
    with pytest.raises(EngineError, match=r"'head\+fields' is no engine that judges events here; there are "):
        heads.judges("head+fields")


def test_the_spotter_is_a_package_of_spotting_and_at_work_on_the_cpu_wherever_others_are(settings):
    found = spotter(settings("head", **{"engines.device": "cuda", "engines.fallback": "false"}))
    assert found.manifest.name == "spotter"
    assert (found.precision, found.fallback) == ("f32", None)
    assert found.backend.startswith("openvino")


TRAINED = "it was trained on crops of 48 px and fields of 28 over 0.35 s"


@pytest.mark.parametrize(
    ("name", "crop_px", "reason"),
    [
        ("head", 48, "it judges micro-expression: name another"),
        ("spotter", 64, f"{TRAINED}, wanted 64 px, 28 and 0.35 s: train it again"),
    ],
)
def test_another_package_cannot_be_the_spotter(settings, name, crop_px, reason):
    with pytest.raises(EngineError, match=f"{name} cannot be the spotter") as found:
        spotter(settings("head", **{"engines.spotter": name, "align.size_px": crop_px}))
    assert found.value.reasons == (reason,)


def test_a_spotter_judges_no_events_and_is_no_choice_of_those_who_watch(settings):
    assert "spotter" not in Heads(settings("head")).names
    with pytest.raises(EngineError, match="spotter judges spotting, a head judges events"):
        engines(settings("spotter"))
