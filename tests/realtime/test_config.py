import re

import msgspec
import pytest

from realtime import config
from realtime.config import DEFAULT, Config, load, merge, parse_override, read_toml
from realtime.errors import ConfigError

SECTIONS = {field.name: field.type for field in msgspec.structs.fields(Config)}


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_default_file_is_complete_and_nothing_is_hidden():
    tree = read_toml(DEFAULT)
    assert list(tree) == list(SECTIONS)
    for name, section in SECTIONS.items():
        assert sorted(tree[name]) == sorted(section.__struct_fields__)
        assert not section.__struct_defaults__


def test_numbers_keep_their_types():
    stages = load()
    assert isinstance(stages.spotter.open, float)
    assert isinstance(stages.align.size_px, int)
    assert isinstance(stages.publish.landmarks, bool)


def test_a_configuration_cannot_be_changed():
    with pytest.raises(AttributeError):
        load().spotter.open = 1.0  # type: ignore[misc]


def test_a_file_needs_only_what_differs(tmp_path):
    mine, default = load(write(tmp_path, "[spotter]\nopen = 0.8\n")), load()
    assert mine.spotter.open == 0.8
    assert msgspec.structs.replace(mine, spotter=default.spotter) == default
    assert msgspec.structs.replace(mine.spotter, open=default.spotter.open) == default.spotter


def test_overrides_win_over_the_file_and_the_last_over_the_others(tmp_path):
    path = write(tmp_path, "[spotter]\nopen = 0.8\n")
    assert load(path, ["spotter.open=0.9", "spotter.open=0.95"]).spotter.open == 0.95


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("track.max_faces=8", {"track": {"max_faces": 8}}),
        (" spotter.open = 0.85 ", {"spotter": {"open": 0.85}}),
        ("publish.camera=door", {"publish": {"camera": "door"}}),
        ("publish.camera='0'", {"publish": {"camera": "0"}}),
        ("publish.landmarks=true", {"publish": {"landmarks": True}}),
        ("engines.folder=a=b", {"engines": {"folder": "a=b"}}),
    ],
)
def test_an_override_is_a_path_and_a_value(text, tree):
    assert parse_override(text) == tree


@pytest.mark.parametrize("text", ["spotter.open", "=8", ""])
def test_an_override_without_key_or_value_is_refused(text):
    with pytest.raises(ConfigError, match=r"section\.key=value"):
        parse_override(text)


@pytest.mark.promise(
    "a corrupt configuration: unknown keys, wrong types and values",
    "refused with key and expectation",
    "15 of 15",
)
@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("spotter.opne=0.8", "opne"),
        ("spoter.open=0.8", "spoter"),
        ("spotter=8", r"\$\.spotter"),
        ("spotter.open=high", r"\$\.spotter\.open"),
        ("spotter.open=0", r"> 0.*\$\.spotter\.open"),
        ("spotter.open=1.5", r"<= 1.*\$\.spotter\.open"),
        ("engines.spotter=''", r"length >= 1.*\$\.engines\.spotter"),
        ("align.size_px=31", r">= 32.*\$\.align\.size_px"),
        ("align.size_px=128.5", r"int.*\$\.align\.size_px"),
        ("publish.camera=a/b", r"\$\.publish\.camera"),
        ("publish.events_port=70000", r"<= 65535"),
        ("publish.landmarks=1", r"bool.*\$\.publish\.landmarks"),
        ("engines.device=gpu", r"\$\.engines\.device"),
        ("engines.device=triton://gpus", r"\$\.engines\.device"),
        ("engines.device=cuda:1", r"\$\.engines\.device"),
    ],
)
def test_what_is_wrong_is_named_with_what_was_wanted(override, said):
    with pytest.raises(ConfigError, match=said):
        load(overrides=[override])


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "triton://gpus:8001", "triton://10.0.0.7:8001"])
def test_engines_run_on_one_of_these(device):
    assert load(overrides=[f"engines.device={device}"]).engines.device == device


def test_an_error_names_the_file(tmp_path):
    path = write(tmp_path, "[spotter]\nopen = -1\n")
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load(path)


def test_what_is_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"spotter\.open"):
        load(overrides=["spotter.open=nan"])


def test_a_missing_file_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigError, match="give an existing file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["[spotter\n", "spotter = \n"])
def test_a_file_that_is_no_toml_is_a_configuration_error(tmp_path, text):
    with pytest.raises(ConfigError, match="not readable TOML"):
        load(write(tmp_path, text))


@pytest.mark.promise(
    "a configuration of random bytes",
    "one error",
    "1 of 1",
)
def test_bytes_that_are_no_text_are_a_configuration_error(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00[spotter]")
    with pytest.raises(ConfigError, match="not readable TOML"):
        load(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="not readable TOML"):
        load(tmp_path)


def test_merging_changes_neither_side():
    below, above = {"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 4}
    assert merge(below, above) == {"a": {"x": 1, "y": 3}, "b": 4}
    assert (below, above) == ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}, "b": 4})


def test_times_of_the_default_fit_each_other():
    stages = load()
    assert stages.spotter.micro_max_s <= 0.5  # the field's own limit
    assert stages.spotter.micro_max_s < stages.spotter.macro_max_s <= stages.window.seconds
    assert stages.spotter.close < stages.spotter.open
    assert config.ROOT in DEFAULT.parents


def test_a_table_of_an_array_is_changed_by_its_place():
    below = {"data": [{"root": "a", "table": ""}, {"root": "b", "table": ""}]}
    assert merge(below, parse_override("data.1.root=c"))["data"] == [
        {"root": "a", "table": ""},
        {"root": "c", "table": ""},
    ]
    assert below["data"][1]["root"] == "b"


def test_a_place_that_an_array_lacks_is_left_to_the_strict_reading():
    assert merge({"data": [{"root": "a"}]}, parse_override("data.1.root=c"))["data"] == {"1": {"root": "c"}}
