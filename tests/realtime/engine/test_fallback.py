"""Where engines run: the choice of a backend, and the CPU in the place of what fails."""

import logging
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.engine import factory as engine_module
from realtime.engine.backends.cuda import Gpu
from realtime.engine.factory import choose, open_engine, open_with
from realtime.engine.fallback import Fallback
from realtime.errors import EngineError, EngineLost

replace = msgspec.structs.replace


@pytest.fixture
def box(monkeypatch):
    """A machine whose GPU and libraries can be taken out; no GPU and no TensorRT are in it at first."""
    box = SimpleNamespace(gpu=None, libraries=())

    def gpu():
        if box.gpu is None:
            raise EngineLost("CUDA cannot be used:", ["no device"])
        return box.gpu

    def library(backend):
        if backend not in box.libraries:
            raise EngineLost("cannot be imported:", [f"no {backend}"])
        return backend

    monkeypatch.setattr(engine_module, "gpu", gpu)
    monkeypatch.setattr(engine_module, "library", library)
    return box


@pytest.mark.parametrize(
    ("device", "gpu", "libraries", "chosen", "why"),
    [
        ("cpu", True, ["tensorrt"], "openvino", "engines.device is cpu"),
        ("triton://gpus:8001", False, [], "triton", "engines.device is triton://gpus:8001"),
        ("auto", False, ["tensorrt"], "openvino", "no device"),
        ("auto", True, [], "openvino", "no tensorrt; no tensorrt-rtx"),
        ("auto", True, ["tensorrt-rtx"], "tensorrt-rtx", "there is a H200 (9.0)"),
        ("auto", True, ["tensorrt-rtx", "tensorrt"], "tensorrt", "there is a H200 (9.0)"),
        ("cuda", True, ["tensorrt-rtx"], "tensorrt-rtx", "there is a H200 (9.0)"),
    ],
)
def test_the_device_chooses_the_backend_and_says_why(box, device, gpu, libraries, chosen, why):
    box.gpu, box.libraries = Gpu("H200", "9.0") if gpu else None, libraries
    assert choose(device) == (chosen, why)


def test_a_gpu_that_is_asked_for_and_missing_is_explained_with_all_reasons(box):
    with pytest.raises(EngineLost) as caught:
        choose("cuda")
    assert caught.value.reasons == ("no device", "no tensorrt", "no tensorrt-rtx")


def test_the_log_says_which_engine_runs_and_why(box, packages, engines, caplog):
    with caplog.at_level(logging.INFO):
        opened = open_engine(packages / "head", replace(engines, device="auto"))
    assert opened.backend.startswith("openvino")
    assert opened.fallback is None
    assert "head runs on openvino: no device" in caplog.text


def test_without_fallback_a_missing_gpu_is_an_error(box, packages, engines):
    with pytest.raises(EngineLost, match=r"engines\.device is cuda, which cannot be used here"):
        open_engine(packages / "head", replace(engines, device="cuda", fallback=False))


def test_with_fallback_a_missing_gpu_is_told_once_and_the_cpu_runs(box, packages, engines, caplog):
    opened = open_engine(packages / "head", replace(engines, device="cuda", fallback=True))
    assert opened.backend.startswith("openvino")
    assert opened.fallback == (
        "engines.device is cuda, which cannot be used here: - no device - no tensorrt - no tensorrt-rtx"
    )
    warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warned == [f"head goes on with the CPU: {opened.fallback}"]


def test_a_backend_that_does_not_open_is_replaced_as_well(box, packages, engines, monkeypatch):
    box.gpu, box.libraries = Gpu("H200", "9.0"), ["tensorrt"]

    def refuse(*_):
        raise EngineError("no plan:", ["the disk is full"])

    monkeypatch.setitem(engine_module.BACKENDS, "tensorrt", refuse)
    opened = open_engine(packages / "head", replace(engines, device="auto", fallback=True))
    assert (opened.backend[:8], opened.fallback) == ("openvino", "no plan: - the disk is full")
    with pytest.raises(EngineError, match="the disk is full"):
        open_engine(packages / "head", replace(engines, device="auto", fallback=False))


def test_an_unfit_package_is_no_matter_of_devices(encoder_folder, engines):
    (encoder_folder / "model.onnx").write_bytes(b"")
    with pytest.raises(EngineError, match=r"model\.onnx differs"):
        open_engine(encoder_folder, replace(engines, device="cuda", fallback=True))


def test_one_backend_can_be_asked_for_and_nothing_takes_its_place(packages, engines):
    settings = replace(engines, device="cuda", fallback=True)
    assert open_with("openvino", packages / "head", settings).backend.startswith("openvino")
    with pytest.raises(EngineError):
        open_with("triton", packages / "head", replace(settings, device="triton://127.0.0.1:1"))


class Answering:
    """An engine that answers with its name, or is lost while `lost` says why."""

    manifest = SimpleNamespace(name="encoder")
    fallback = None

    def __init__(self, backend, precision):
        self.backend, self.precision, self.lost, self.calls = backend, precision, None, 0

    def run(self, inputs):
        self.calls += 1
        if self.lost:
            raise self.lost
        return {"by": self.backend}


@pytest.fixture
def pair():
    gpu, cpu = Answering("tensorrt", "f16"), Answering("openvino", "f32")
    cpu.opened = 0

    def opened():
        cpu.opened += 1
        return cpu

    return gpu, cpu, Fallback(gpu, opened)


@pytest.mark.promise(
    "the GPU is lost under way",
    "the CPU answers meanwhile, and it is told",
    "1 of 1",
)
def test_the_cpu_answers_while_the_gpu_is_lost_and_no_longer(pair, caplog):
    gpu, cpu, both = pair
    assert both.run({}) == {"by": "tensorrt"}
    assert (both.backend, both.precision, both.fallback) == ("tensorrt", "f16", None)
    gpu.lost = EngineLost("CUDA cannot be used:", ["it fell off the bus"])
    for _ in range(3):
        assert both.run({}) == {"by": "openvino"}
    assert (both.backend, both.precision) == ("openvino", "f32")
    assert both.fallback == "CUDA cannot be used: - it fell off the bus"
    gpu.lost = None
    assert both.run({}) == {"by": "tensorrt"}
    assert (both.backend, both.precision, both.fallback) == ("tensorrt", "f16", None)
    assert cpu.opened == 1
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "encoder goes on with the CPU: CUDA cannot be used: - it fell off the bus",
        "encoder: tensorrt is back",
    ]


def test_wrong_inputs_are_the_callers_fault_wherever_it_runs(pair):
    gpu, cpu, both = pair
    gpu.lost = EngineError("cannot take these inputs:", ["no images"])
    with pytest.raises(EngineError, match="no images"):
        both.run({})
    assert (cpu.opened, both.fallback) == (0, None)


def test_a_real_package_goes_on_with_the_same_answers(packages, engines):
    gpu = open_with("openvino", packages / "head", engines)
    inputs = {"embeddings": np.random.default_rng(0).standard_normal((2, 6, 16)).astype(np.float32)}
    wanted = gpu.run(inputs)["logits"]
    gpu.run = Answering("tensorrt", "f32").run
    gpu.run.__self__.lost = EngineLost("gone:", ["away"])
    both = Fallback(gpu, lambda: open_with("openvino", packages / "head", engines))
    np.testing.assert_array_equal(both.run(inputs)["logits"], wanted)
