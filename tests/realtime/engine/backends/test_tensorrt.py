"""The GPU's side without a GPU: a CUDA whose queue runs only when it is waited for, and a TensorRT that uses it.

So a buffer that is written while it is still to be read, or read before it was written, gives a wrong answer.
"""

# The fake has CUDA's names.
# ruff: noqa: N802, N815

import ctypes
import json
from enum import IntEnum
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.engine.backends import cuda, tensorrt
from realtime.engine.backends.plan import Plan
from realtime.engine.backends.tensorrt import TensorRt
from realtime.engine.package.manifest import load
from realtime.errors import EngineError, EngineLost

replace = msgspec.structs.replace


class Status(IntEnum):
    OK, BROKEN = 0, 700


class FakeCuda:
    """What cuda.bindings.runtime has, as far as it is used here; the call named `broken` fails."""

    cudaStreamNonBlocking = 1
    cudaMemcpyKind = SimpleNamespace(cudaMemcpyHostToDevice="up", cudaMemcpyDeviceToHost="down")
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal="thread local")

    def __init__(self):
        self.calls, self.live, self.queue, self.graph = [], {}, [], None
        self.broken, self.after = None, 0  #: a call's name, and how many of its kind succeed first
        self.handles = iter(range(1, 10_000))
        self.uploads = []  #: host memory that waits to be read

    def status(self, name):
        self.calls.append(name)
        if name == self.broken:
            if self.after == 0:
                return Status.BROKEN
            self.after -= 1
        return Status.OK

    def made(self, name, thing):
        """A status, and a handle that lives until it is freed."""
        status = self.status(name)
        if status:
            return status, None
        handle = ctypes.addressof(thing) if isinstance(thing, ctypes.Array) else next(self.handles)
        self.live[handle] = thing
        return status, handle

    def freed(self, name, handle):
        assert not self.queue, "freed while it was in use"
        del self.live[handle]
        return (self.status(name),)

    def enqueue(self, work):
        (self.queue if self.graph is None else self.graph).append(work)

    def cudaGetDeviceCount(self):
        return self.status("count"), 1

    def cudaGetDeviceProperties(self, place):
        return self.status("properties"), SimpleNamespace(name=b"H200", major=9, minor=0)

    def cudaStreamCreateWithFlags(self, flags):
        return self.made("stream", "stream")

    def cudaStreamDestroy(self, handle):
        return self.freed("destroy stream", handle)

    def cudaHostAlloc(self, size, flags):
        return self.made("pin", (ctypes.c_char * size)())

    def cudaFreeHost(self, handle):
        return self.freed("unpin", handle)

    def cudaMalloc(self, size):
        return self.made("malloc", (ctypes.c_char * size)())

    def cudaFree(self, handle):
        return self.freed("free", handle)

    def cudaMemcpyAsync(self, to, of, count, kind, stream):
        assert stream in self.live
        status = self.status(kind)
        if not status:
            self.enqueue(lambda: ctypes.memmove(to, of, count))
        return (status,)

    def cudaStreamBeginCapture(self, stream, mode):
        assert not self.queue, "captured amid other work"
        assert mode == "thread local"
        status = self.status("begin")
        self.graph = None if status else []
        return (status,)

    def cudaStreamEndCapture(self, stream):
        graph, self.graph = self.graph, None
        return self.made("end", graph)

    def cudaGraphInstantiate(self, graph, flags):
        return self.made("instantiate", list(self.live[graph]))

    def cudaGraphDestroy(self, graph):
        return self.freed("destroy graph", graph)

    def cudaGraphExecDestroy(self, graph):
        return self.freed("destroy exec", graph)

    def cudaGraphLaunch(self, graph, stream):
        status = self.status("launch")
        if not status:
            self.queue += self.live[graph]
        return (status,)

    def cudaStreamSynchronize(self, stream):
        assert self.graph is None, "waited while capturing"
        status, queue, self.queue = self.status("wait"), self.queue, []
        for work in queue:
            work()
        return (status,)

    def cudaGetErrorString(self, status):
        return Status.OK, b"an illegal memory access was encountered"


class Context:
    def __init__(self, engine, settings=None):
        self.engine, self.settings, self.shapes, self.addresses = engine, settings, {}, {}

    def set_input_shape(self, name, shape):
        self.shapes[name] = shape
        return shape[0] <= self.engine.most

    def set_tensor_address(self, name, address):
        self.addresses[name] = address

    def execute_async_v3(self, stream):
        gpu, shapes = self.engine.gpu, dict(self.shapes)
        if gpu.status("execute"):
            return False
        gpu.enqueue(lambda: self.compute(shapes))
        return True

    def compute(self, shapes):
        read = {name: self.memory(name, shape) for name, shape in shapes.items()}
        for spec in self.engine.outputs:
            found = answer(read, spec)
            self.memory(spec.name, found.shape)[:] = found

    def memory(self, name, shape):
        floats = ctypes.c_float * int(np.prod(shape))
        return np.ctypeslib.as_array(floats.from_address(self.addresses[name])).reshape(shape)


def answer(inputs, spec):
    """What the network answers: the sums of each input's rows, the second doubled, and the place of each number."""
    sums = [k * rows.reshape(len(rows), -1).sum(-1, keepdims=True) for k, rows in enumerate(inputs.values(), 1)]
    return sum(sums[1:], sums[0]) + np.arange(spec.shape[1], dtype=np.float32)


class Engine:
    def __init__(self, gpu, manifest, most, said):
        self.gpu, self.outputs, self.most, self.said = gpu, manifest.outputs, most, said
        self.contexts = []

    def create_engine_inspector(self):
        return SimpleNamespace(get_engine_information=lambda form: self.said)

    def create_runtime_config(self):
        return SimpleNamespace(cuda_graph_strategy="disabled")

    def create_execution_context(self, settings=None):
        if self.gpu.status("context"):
            return None
        self.contexts.append(Context(self, settings))
        return self.contexts[-1]


def inspected(word):
    return json.dumps({"Layers": [{"Inputs": [{"DataType": word}], "Outputs": [{"DataType": word}]}]})


@pytest.fixture
def gpu(monkeypatch):
    gpu = FakeCuda()
    monkeypatch.setattr(cuda, "_runtime", lambda: gpu)
    return gpu


@pytest.fixture
def make(gpu, packages, engines, monkeypatch):
    """A package of the test packages, or of another folder, as a TensorRT engine of up to four rows."""

    def made(name="encoder", backend="tensorrt", word="Float", deserializes=True, folder=packages, **changes):
        manifest = replace(load(folder / name), **changes)
        engine = Engine(gpu, manifest, 4, inspected(word)) if deserializes else None
        listener = SimpleNamespace(errors=[] if deserializes else ["the plan is of another version"])
        trt = SimpleNamespace(
            __version__="11.0.0",
            Runtime=lambda listener: SimpleNamespace(deserialize_cuda_engine=lambda data: engine),
            LayerInformationFormat=SimpleNamespace(JSON="json"),
        )
        if backend == "tensorrt-rtx":
            trt.CudaGraphStrategy = SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole")
        monkeypatch.setattr(tensorrt, "library", lambda backend: trt)
        monkeypatch.setattr(tensorrt, "listener", lambda trt: listener)
        monkeypatch.setattr(tensorrt, "obtain", lambda *_: Plan("x.plan", None, b"plan", new=False))
        opened = TensorRt(backend, folder / name, manifest, replace(engines, batch=4))
        opened.engine = engine
        return opened

    return made


def pictures(rows, seed=0):
    return {"images": np.random.default_rng(seed).standard_normal((rows, 3, 32, 32)).astype(np.float32)}


def check_answers(engine, inputs):
    found = engine.run(inputs)
    assert list(found) == [spec.name for spec in engine.manifest.outputs]
    for spec in engine.manifest.outputs:
        wanted = answer(inputs, spec)
        assert found[spec.name].dtype == np.float32
        np.testing.assert_array_equal(found[spec.name], wanted)
    return found


@pytest.mark.parametrize("backend", ["tensorrt", "tensorrt-rtx"])
def test_every_number_of_rows_is_answered_row_by_row(make, backend):
    engine = make(backend=backend)
    for seed, rows in enumerate([1, 4, 2, 3, 5, 11, 1, 4, 2]):
        check_answers(engine, pictures(rows, seed))


def test_an_answer_is_the_callers_to_keep(make):
    engine = make()
    first = check_answers(engine, pictures(2, 1))
    kept = {name: array.copy() for name, array in first.items()}
    check_answers(engine, pictures(2, 2))
    assert all(np.array_equal(first[name], kept[name]) for name in kept)


def test_the_order_of_calls_is_once_plainly_then_captured_then_launched(make, gpu):
    engine = make()
    gpu.calls.clear()
    engine.run(pictures(2))
    network = ["up", "execute", "down", "down"]
    captured = [*network, "wait", "begin", *network, "end", "instantiate", "destroy graph", "launch", "wait"]
    assert gpu.calls == captured
    gpu.calls.clear()
    engine.run(pictures(2))
    assert gpu.calls == ["launch", "wait"]
    gpu.calls.clear()
    engine.run(pictures(6))  # four rows, which are new, and two
    assert gpu.calls == ["context", *captured, "launch", "wait"]


def test_a_graph_keeps_a_context_that_nothing_changes(make):
    engine = make()
    for rows in (3, 1, 3):
        engine.run(pictures(rows))
    assert [context.shapes["images"][0] for context in engine.engine.contexts] == [3, 1]


def test_a_head_is_run_as_it_comes(make, gpu):
    engine = make("head")
    gpu.calls.clear()
    for rows in (1, 3):
        check_answers(engine, {"embeddings": np.full((rows, 6, 16), rows, np.float32)})
    assert gpu.calls == ["up", "execute", "down", "wait"] * 2


@pytest.mark.parametrize("backend", ["tensorrt", "tensorrt-rtx"])
def test_two_inputs_go_up_together(make, gpu, two_inputs, backend):
    engine, rng = make("glance", backend, folder=two_inputs.folder), np.random.default_rng(1)
    for rows in (1, 3, 6, 3):
        pictures, movements = rng.standard_normal((rows, 3, 32, 32)), rng.standard_normal((rows, 8))
        check_answers(engine, {"picture": pictures.astype(np.float32), "movement": movements.astype(np.float32)})
    for context in engine.engine.contexts:
        assert {name: shape[1:] for name, shape in context.shapes.items()} == {
            "picture": (3, 32, 32),
            "movement": (8,),
        }
    assert ("begin" in gpu.calls) == (backend == "tensorrt")  # networks for every frame are captured, both inputs in
    engine.close()
    assert not gpu.live


def test_tensorrt_for_rtx_captures_by_itself(make, gpu):
    engine = make(backend="tensorrt-rtx")
    assert [context.settings.cuda_graph_strategy for context in engine.engine.contexts] == ["whole"]
    engine.run(pictures(2))
    assert "begin" not in gpu.calls
    assert engine.backend == "tensorrt-rtx 11.0.0"


def test_closing_frees_everything_when_nothing_uses_it_any_more(make, gpu):
    engine = make()
    for rows in (1, 2):
        engine.run(pictures(rows))
    assert gpu.live
    engine.close()
    assert not gpu.live
    assert gpu.calls[-1] == "destroy stream"


@pytest.mark.parametrize(
    ("broken", "after"), [("stream", 0), *((each, n) for each in ("pin", "malloc") for n in range(3)), ("context", 0)]
)
def test_what_fails_while_it_is_opened_frees_what_was_allocated(make, gpu, broken, after):
    gpu.broken, gpu.after = broken, after
    with pytest.raises(EngineLost):
        make()
    assert not gpu.live


@pytest.mark.parametrize(
    ("broken", "after"),
    [(each, 0) for each in ("up", "execute", "down", "begin", "end", "instantiate", "launch")]
    + [("execute", 1), ("down", 3)],  # within the capture
)
def test_what_fails_while_it_runs_is_lost_and_leaves_nothing_in_flight(make, gpu, broken, after):
    engine = make()
    gpu.broken, gpu.after = broken, after
    with pytest.raises(EngineLost):
        engine.run(pictures(2))
    assert not gpu.queue
    assert gpu.graph is None
    gpu.broken = None
    check_answers(engine, pictures(2))
    engine.close()
    assert not gpu.live


@pytest.mark.parametrize("backend", ["tensorrt", "tensorrt-rtx"])
def test_without_a_gpu_no_plan_is_built(make, gpu, packages, engines, monkeypatch, backend):
    make()
    monkeypatch.setattr(tensorrt, "obtain", lambda *_: pytest.fail("built in vain"))
    gpu.broken = "count"
    with pytest.raises(EngineLost, match="CUDA cannot be used"):
        TensorRt(backend, packages / "encoder", load(packages / "encoder"), engines)


def test_a_gpu_that_fails_says_so_in_cudas_words(make, gpu):
    engine = make("head")
    gpu.broken = "wait"
    with pytest.raises(EngineLost, match="BROKEN: an illegal memory access was encountered; see what nvidia-smi says"):
        engine.run({"embeddings": np.zeros((1, 6, 16), np.float32)})


def test_inputs_are_checked_before_anything_is_queued(make, gpu):
    engine = make()
    gpu.calls.clear()
    with pytest.raises(EngineError, match="there is no input 'picture'"):
        engine.run({"picture": np.zeros((1, 3), np.float32)})
    assert not gpu.calls


def test_a_precision_that_is_not_the_manifests_is_refused(make, gpu):
    assert make(word="Half", precision="fp16").precision == "f16"
    gpu.live.clear()
    with pytest.raises(EngineError, match="plan of encoder computes in f32, its manifest says fp16"):
        make(word="Float", precision="fp16")
    assert not gpu.live


def test_a_plan_that_is_not_taken_is_explained(make):
    with pytest.raises(EngineLost) as caught:
        make(deserializes=False)
    assert caught.value.reasons[0] == "the plan is of another version"
    assert "delete x.plan" in caught.value.reasons[1]


def test_the_gpu_is_named_with_its_compute_capability(gpu):
    properties = SimpleNamespace(name=b"NVIDIA H200", major=9, minor=0)
    gpu.cudaGetDeviceCount = lambda: (Status.OK, 1)
    gpu.cudaGetDeviceProperties = lambda device: (Status.OK, properties)
    assert str(cuda.gpu()) == "NVIDIA H200 (9.0)"


def test_no_gpu_is_an_engine_that_is_lost(gpu):
    gpu.cudaGetDeviceCount = lambda: (Status.BROKEN, None)
    with pytest.raises(EngineLost, match="BROKEN"):
        cuda.gpu()
