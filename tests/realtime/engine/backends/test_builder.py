"""Plans that TensorRT for RTX builds ahead of time, which needs no GPU."""

import logging
import shutil

import msgspec
import pytest

from realtime.config import ROOT
from realtime.engine.backends.builder import BuildOrder, serialize
from realtime.engine.build import build, lines
from realtime.engine.package.manifest import MODEL, dump, load, sha256
from realtime.errors import EngineError

trt = pytest.importorskip("tensorrt_rtx", reason="building plans needs the tensorrt-rtx extra")
onnx = pytest.importorskip("onnx", reason="ONNX files are made with the train extra")
replace = msgspec.structs.replace

SHIPPED = sorted(path.parent for path in (ROOT / "engines").glob("*/manifest.json"))


@pytest.fixture
def settings(engines, tmp_path):
    return replace(engines, cache=str(tmp_path / "cache"))


def test_every_shipped_package_builds(settings):
    built = build(SHIPPED, settings, "tensorrt-rtx")
    assert [each.record.identity.package for each in built] == [load(folder).name for folder in SHIPPED]
    assert all(each.new and each.record.bytes > 1e4 for each in built)
    again = build(SHIPPED, settings, "tensorrt-rtx")
    assert [(each.plan, each.new) for each in again] == [(each.plan, False) for each in built]
    assert "was there" in next(iter(lines(again)))


@pytest.mark.parametrize("name", ["encoder", "head", "apex", "clips", "fields"])
def test_every_representation_builds(packages, settings, name):
    [built] = build([packages / name], settings, "tensorrt-rtx")
    assert built.record.identity.library == f"tensorrt-rtx {trt.__version__}"


def test_a_build_tells_how_far_it_is(packages, settings, caplog):
    with caplog.at_level(logging.INFO):
        build([packages / "head"], settings, "tensorrt-rtx")
    assert "building the plan of head for compute capability 8.0 and later: there is none yet" in caplog.text
    assert "head: Building engine" in caplog.text


def test_plans_are_built_for_a_kind_of_gpu(packages, settings):
    [ampere] = build([packages / "head"], settings, "tensorrt-rtx", "8.6")
    assert ampere.record.identity.target == "compute capability 8.6"
    with pytest.raises(EngineError, match=r"give one of \['7\.5', '8\.0'"):
        build([packages / "head"], settings, "tensorrt-rtx", "5.2")


def test_packages_that_do_not_build_are_told_together_and_the_others_are_built(packages, settings, tmp_path):
    with pytest.raises(EngineError, match="2 of 3 packages have no plan") as caught:
        build([tmp_path / "nothing", packages / "head", tmp_path], settings, "tensorrt-rtx")
    assert [reason.split(":")[0] for reason in caught.value.reasons] == ["nothing", tmp_path.name]
    assert not build([packages / "head"], settings, "tensorrt-rtx")[0].new


@pytest.fixture
def altered(packages, tmp_path):
    """A copy of the encoder's package whose graph is changed, its manifest knowing of it."""

    def changed(change):
        folder = shutil.copytree(packages / "encoder", tmp_path / "altered")
        model = onnx.load(folder / MODEL)
        change(model.graph)
        onnx.save(model, folder / MODEL)
        manifest = load_unchecked(folder)
        dump(replace(manifest, files=manifest.files | {MODEL: sha256(folder / MODEL)}), folder)
        return folder

    def load_unchecked(folder):
        return load(packages / "encoder")

    return changed


def test_the_node_that_the_parser_refuses_is_named(altered, settings):
    def invent(graph):
        graph.node[0].op_type, graph.node[0].name = "Sorcery", "conv_of_stem"

    with pytest.raises(EngineError, match=r"altered: node conv_of_stem \(Sorcery\): .*; export it without this"):
        build([altered(invent)], settings, "tensorrt-rtx")


def test_a_graph_that_is_not_what_its_manifest_says_is_refused(packages):
    manifest = load(packages / "encoder")
    other = replace(manifest, outputs=(replace(manifest.outputs[0], shape=(-1, 17)), manifest.outputs[1]))
    with pytest.raises(EngineError, match=r"output embedding is \[-1, 16\], the manifest has \[-1, 17\]"):
        serialize(BuildOrder(packages / "encoder" / MODEL, other, "tensorrt-rtx", None, 4), b"")


def test_a_file_that_is_no_graph_is_an_engine_error(packages, tmp_path):
    (tmp_path / MODEL).write_bytes(b"no graph")
    with pytest.raises(EngineError, match="cannot read"):
        serialize(BuildOrder(tmp_path / MODEL, load(packages / "encoder"), "tensorrt-rtx", None, 4), b"")
