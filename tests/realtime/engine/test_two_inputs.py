"""An engine of two inputs, from the export to the answer: what is said of inputs holds for any number of them."""

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from realtime.__main__ import app
from realtime.bench.engines import bench_engines
from realtime.engine.batching import Together
from realtime.engine.build import build
from realtime.engine.check import check, golden
from realtime.engine.factory import open_engine
from realtime.engine.package.manifest import GOLDEN, MANIFEST, load
from realtime.errors import EngineError
from realtime.labels import FERPLUS
from realtime.recognition.encode import Encoder
from realtime.recognition.pairing import compatible
from realtime.recognition.recognise import Judges, Recogniser
from realtime.recognition.window import Encoded, Seen, Window
from realtime.records import Crop, Offset, Pose


@pytest.fixture
def opened(two_inputs, engines):
    return open_engine(two_inputs.folder / "glance", engines)


@pytest.fixture
def given(two_inputs, opened):
    """The golden inputs."""
    return golden(two_inputs.folder / "glance" / GOLDEN, opened)[0]


def torchs(network, inputs):
    import torch

    with torch.no_grad():
        return network(*(torch.from_numpy(inputs[name]) for name in ("picture", "movement"))).numpy()


def test_the_manifest_lists_both_and_the_card_names_both(two_inputs):
    manifest = load(two_inputs.folder / "glance")
    assert [(spec.name, spec.shape) for spec in manifest.inputs] == [
        ("picture", (-1, 3, 32, 32)),
        ("movement", (-1, 8)),
    ]
    card = " ".join((two_inputs.folder / "glance" / "card.md").read_text("utf-8").split())
    shown = "`picture` NCHW [-1, 3, 32, 32] float32 and `movement` NC [-1, 8] float32: aligned crops of 48 px"
    assert f"{shown}, RGB, brought to 32 px" in card
    assert "and the displacement field on a grid of 2 by 2." in card


def test_a_glimpse_that_does_not_know_the_representation_refuses_the_package(exported):
    with pytest.raises(EngineError, match="representation: Invalid value 'glance'"):
        load(exported.folder / "glance")


def test_a_manifest_that_leaves_one_out_is_refused(two_inputs, tmp_path):
    tree = msgspec.json.decode((two_inputs.folder / "glance" / MANIFEST).read_bytes())
    (tmp_path / MANIFEST).write_bytes(msgspec.json.encode(tree | {"inputs": tree["inputs"][:1]}))
    with pytest.raises(EngineError) as caught:
        load(tmp_path)
    assert caught.value.reasons[0] == (
        "inputs are picture NCHW [-1, 3, 32, 32]; glance makes picture NCHW [-1, 3, 32, 32], movement NC [-1, 8]: "
        "export the package again"
    )


@pytest.mark.parametrize("left_out", ["picture", "movement"])
def test_golden_inputs_of_one_are_no_golden_inputs(two_inputs, encoder_parts, given, tmp_path, left_out):
    import torch

    from train.packaging.export import export

    manifest = load(two_inputs.folder / "glance")
    draft = msgspec.structs.replace(encoder_parts[3], representation=manifest.representation)
    example = {name: torch.from_numpy(array) for name, array in given.items() if name != left_out}
    with pytest.raises(EngineError, match=r"give picture \[-1, 3, 32, 32\], movement \[-1, 8\], at least 2 rows"):
        export(two_inputs.network, example, ["logits"], draft, tmp_path / "glance")


def test_the_cpu_answers_as_torch_does_alone_and_in_company(two_inputs, opened, given):
    found = opened.run(given)["logits"]
    np.testing.assert_allclose(found, torchs(two_inputs.network, given), rtol=1e-2, atol=1e-2)  # weights are rounded
    alone = [opened.run({name: array[i : i + 1] for name, array in given.items()})["logits"][0] for i in range(4)]
    assert np.array_equal(found, np.stack(alone))
    turned = opened.run(dict(reversed(given.items())))["logits"]
    assert np.array_equal(found, turned)  # they go by name
    for name in given:
        other = opened.run(given | {name: given[name][::-1].copy()})["logits"]
        assert np.abs(other - found).max() > 0.05  # each counts


def test_all_that_is_wrong_with_either_is_said_at_once(opened, given):
    with pytest.raises(EngineError) as caught:
        opened.run({"picture": given["picture"][:2], "images": given["movement"]})
    assert caught.value.reasons[:2] == (
        "there is no input 'images': name them ['picture', 'movement']",
        "input 'movement' is missing: give float32 [B, 8]",
    )
    with pytest.raises(EngineError, match="batches differ"):
        opened.run(given | {"movement": given["movement"][:3]})


def test_several_cameras_go_through_together(opened, given):
    assert np.array_equal(Together(opened).run(given)["logits"], opened.run(given)["logits"])


@pytest.mark.parametrize(("name", "bar"), [("glance", 1e-4), ("glance16", 1e-2)])
def test_a_check_replays_both(two_inputs, engines, name, bar):
    report = check(two_inputs.folder / name, engines)
    assert report.ok, report
    assert {each.bar for each in report.differences} == {bar}


def test_a_bench_times_it(two_inputs, engines):
    found = bench_engines(msgspec.structs.replace(engines, folder=str(two_inputs.folder)), seconds=0.2)
    assert found.ok, found
    assert [speed.package for speed in found.speeds] == ["glance", "glance16"]
    assert [batch.rows for batch in found.speeds[0].batches] == [1, 4, 16]
    told = CliRunner().invoke(
        app, ["bench", "--engines", "--seconds", "2", "--set", f"engines.folder={two_inputs.folder}", "--json"]
    )
    assert told.exit_code == 0, told.output
    assert {one["package"] for one in msgspec.json.decode(told.stdout)["speeds"]} == {"glance", "glance16"}


@pytest.mark.parametrize(("name", "precision"), [("glance", "fp32"), ("glance16", "fp16")])
def test_tensorrt_for_rtx_builds_a_plan_of_it(two_inputs, engines, tmp_path, name, precision):
    pytest.importorskip("tensorrt_rtx", reason="building plans needs the tensorrt-rtx extra")
    settings = msgspec.structs.replace(engines, cache=str(tmp_path))
    [built] = build([two_inputs.folder / name], settings, "tensorrt-rtx")
    assert built.new
    assert built.record.identity.precision == precision
    assert built.record.bytes > 1000


def test_it_judges_events_beside_the_encoder(two_inputs, packages, engines, opened):
    """A window of a second; what it is fed is what it would be fed of the same frames in training."""
    from realtime.config import load as load_config

    encoder, judge = open_engine(packages / "encoder", engines), Recorder(opened)
    assert compatible(encoder.manifest, judge.manifest, 48) == ()
    assert [reason.split()[0] for reason in compatible(encoder.manifest, judge.manifest, 64)] == ["encoder", "glance"]
    window, rng = Window(5.0), np.random.default_rng(5)
    for number in range(30):
        image, field = rng.integers(0, 256, (48, 48, 3)).astype(np.uint8), rng.normal(0, 0.01, (2, 28, 28))
        crop = Crop(1, number / 30, image, np.zeros((468, 2)), np.eye(2, 3), Pose(0, 0, 0))
        encoded = Encoded(np.zeros(16, np.float32), np.full(len(FERPLUS), 1 / 8, np.float32))
        window.push(Seen(crop, field.astype(np.float32), encoded))
    recogniser = Recogniser(load_config().recognise, Encoder(encoder), Judges((judge,)))
    found = recogniser.final(Offset(1, 1, 0.2, 0.41, 0.6, "micro", 5.0, ""), window, 1.0, ())
    assert set(found.probabilities["glance"]) == set(judge.manifest.labels)
    [fed] = judge.fed
    wanted = judge.manifest.representation.of_event(window.span(12 / 30, 12 / 30), 0.41)
    assert fed.keys() == wanted.keys()
    assert all(np.array_equal(fed[name], wanted[name]) for name in wanted)


class Recorder:
    """An engine that keeps what it is fed."""

    precision, backend, fallback = "f32", "none", None

    def __init__(self, engine):
        self.manifest, self.engine, self.fed = engine.manifest, engine, []

    def run(self, inputs):
        self.fed.append(inputs)
        return self.engine.run(inputs)
