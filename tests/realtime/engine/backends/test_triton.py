"""The client against a server of the real protocol, which reads a repository as `train export --triton` writes it."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import pytest

from realtime.engine.backends.openvino import OpenVino
from realtime.engine.backends.triton import Triton
from realtime.engine.check import check
from realtime.engine.factory import open_engine, open_with
from realtime.engine.package.manifest import GOLDEN, load
from realtime.errors import EngineError, EngineLost

grpc = pytest.importorskip("grpc", reason="the client needs the triton extra")
pytest.importorskip("tritonclient.grpc", reason="the client needs the triton extra")
from google.protobuf import text_format  # noqa: E402
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc  # noqa: E402

replace = msgspec.structs.replace


class Server(service_pb2_grpc.GRPCInferenceServiceServicer):
    """A Triton Inference Server as far as its protocol shows: whole models, computed by OpenVINO."""

    def __init__(self, repository, packages, engines):
        self.configs, self.networks = {}, {}
        for path in sorted(repository.glob("*/config.pbtxt")):
            config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
            folder = packages / config.name
            self.configs[config.name] = config
            self.networks[config.name] = OpenVino(folder, load(folder), engines)
        self.ready, self.spoil, self.asked = True, lambda name, array: array, []
        self.free = threading.Event()  #: cleared, requests wait until they are given up
        self.free.set()
        self.port = 0
        self.start()

    def start(self):
        self._server = grpc.server(ThreadPoolExecutor(4))
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self):
        self.free.set()
        self._server.stop(None).wait()

    def ServerMetadata(self, request, context):  # noqa: N802
        self.free.wait(10.0)
        return service_pb2.ServerMetadataResponse(name="triton", version="2.51.0")

    def ServerReady(self, request, context):  # noqa: N802
        return service_pb2.ServerReadyResponse(ready=self.ready)

    def ModelReady(self, request, context):  # noqa: N802
        return service_pb2.ModelReadyResponse(ready=self.ready and request.name in self.configs)

    def ModelConfig(self, request, context):  # noqa: N802
        return service_pb2.ModelConfigResponse(config=self.configs[request.name])

    def ModelInfer(self, request, context):  # noqa: N802
        self.asked.append(request)
        self.free.wait(10.0)
        inputs = {
            tensor.name: np.frombuffer(raw, np.float32).reshape(tuple(tensor.shape))
            for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
        }
        rows = len(next(iter(inputs.values())))
        most = self.configs[request.model_name].max_batch_size
        if rows > most:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"batch-size must be <= {most}")
        response = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="1")
        for name, array in self.networks[request.model_name].run(inputs).items():
            array = self.spoil(name, array)
            response.outputs.add(name=name, datatype="FP32", shape=array.shape)
            response.raw_output_contents.append(np.ascontiguousarray(array, np.float32).tobytes())
        return response


class Clock:
    """Time that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(scope="module")
def repository(packages, tmp_path_factory):
    from train.packaging.triton import write

    folder = tmp_path_factory.mktemp("repository")
    write(packages, folder, ())
    return folder


@pytest.fixture
def server(repository, packages, engines):
    made = Server(repository, packages, replace(engines, device="cpu"))
    yield made
    made.stop()


@pytest.fixture
def asks(server, engines):
    """The [engines] section that asks the server, without a fallback and with short pauses."""
    triton = replace(engines.triton, timeout_s=5.0, retry_first_s=0.05, retry_most_s=0.2, give_up_s=20.0)
    return replace(engines, device=f"triton://127.0.0.1:{server.port}", fallback=False, triton=triton)


def hasty(config, **changes):
    """With these changes in [engines.triton]."""
    return replace(config, triton=replace(config.triton, **changes))


@pytest.fixture
def images(packages):
    return {"images": np.load(packages / "encoder" / GOLDEN)["in_images"].astype(np.float32)}


def test_a_server_answers_what_the_package_answers_here(server, packages, engines, asks, images):
    engine = open_engine(packages / "encoder", asks)
    assert (engine.precision, engine.backend) == ("f32", f"triton 2.51.0 onnxruntime at 127.0.0.1:{server.port}")
    wanted = OpenVino(packages / "encoder", load(packages / "encoder"), engines).run(images)
    found = engine.run(images)
    assert list(found) == ["embedding", "logits"]
    for name, array in found.items():
        assert np.array_equal(array, wanted[name])
        array[:] = 0  # it is the caller's
    [request] = server.asked
    assert request.parameters["timeout"].int64_param == 5_000_000


def test_a_head_on_a_server_passes_its_check(packages, asks):
    report = check(packages / "head", asks)
    assert report.ok, report
    assert report.backend.startswith("triton 2.51.0")


def test_more_rows_than_the_server_takes_at_once_go_in_turn(server, packages, asks, images):
    server.configs["encoder"].max_batch_size = 3
    many = {"images": np.concatenate([images["images"]] * 2)}
    found = open_engine(packages / "encoder", asks).run(many)["logits"]
    assert [list(request.inputs[0].shape[:1]) for request in server.asked] == [[3], [3], [2]]
    assert np.array_equal(found[:4], found[4:])


def test_inputs_are_checked_before_anybody_is_asked(server, packages, asks):
    engine = open_engine(packages / "encoder", asks)
    with pytest.raises(EngineError, match="input 'images' is missing"):
        engine.run({})
    assert server.asked == []


def test_all_that_is_wrong_with_a_served_model_is_said_at_once(server, packages, asks):
    served = server.configs["encoder"]
    served.parameters["sha256"].string_value = "0" * 64
    served.parameters["precision"].string_value = "guessed"
    served.max_batch_size = 0
    served.input[0].dims[1] = 33
    served.output[0].name = "features"
    with pytest.raises(EngineError, match=r"serves another model; .*train export --triton") as caught:
        open_engine(packages / "encoder", asks)
    sha, precision, most, *shapes = caught.value.reasons
    assert "0" * 64 in sha
    assert load(packages / "encoder").files["model.onnx"] in sha
    assert precision == "its parameter precision is guessed, wanted one of ['f32', 'f16', 'bf16', 'int8']"
    assert most == "its max_batch_size is 0, wanted 1 or more"
    assert shapes == [
        "input images is [-1, 3, 33, 32], the manifest has [-1, 3, 32, 32]",
        "outputs are ['features', 'logits'], the manifest has ['embedding', 'logits']",
    ]


def test_a_model_that_says_nothing_of_its_package_is_refused(server, packages, asks):
    server.configs["encoder"].ClearField("parameters")
    with pytest.raises(EngineError, match="SHA-256 None"):
        open_engine(packages / "encoder", asks)


def test_a_model_that_is_not_there_is_named(server, packages, asks):
    del server.configs["apex"]
    with pytest.raises(EngineLost, match=r"no model 'apex' that is ready.*train export --triton"):
        open_engine(packages / "apex", asks)


def test_a_server_that_is_not_ready_is_as_lost(server, packages, asks):
    server.ready = False
    with pytest.raises(EngineLost, match="no model 'encoder' that is ready"):
        open_engine(packages / "encoder", asks)


def test_nobody_at_the_address_is_said_with_what_to_do(server, packages, asks):
    server.stop()
    with pytest.raises(EngineLost, match=r"start it, or correct engines\.device") as caught:
        open_engine(packages / "encoder", asks)
    assert caught.value.reasons[0].startswith("UNAVAILABLE: ")


def test_a_missing_library_is_an_engine_error(packages, asks, monkeypatch):
    monkeypatch.setitem(sys.modules, "tritonclient.grpc", None)
    with pytest.raises(EngineError, match=r"pip install .*\[triton\]"):
        open_engine(packages / "encoder", asks)


def test_a_slow_answer_is_given_up_and_the_next_call_asks_again(server, packages, asks, images):
    clock = Clock()
    engine = Triton(
        load(packages / "encoder"),
        hasty(asks, timeout_s=0.6, retry_first_s=0.5, give_up_s=0.0),
        clock=clock,
        sleep=clock.sleep,
    )
    server.free.clear()
    with pytest.raises(EngineLost, match="DEADLINE_EXCEEDED"):
        engine.run(images)
    server.free.set()
    with pytest.raises(EngineLost, match="DEADLINE_EXCEEDED"):  # without asking: a live picture waits for no one
        engine.run(images)
    assert len(server.asked) == 1
    clock.now += 0.5
    assert engine.run(images)["logits"].shape == (4, 8)


def test_a_server_that_went_away_is_waited_for(server, packages, asks, images):
    engine = open_engine(packages / "encoder", asks)
    before = engine.run(images)["logits"]
    server.stop()
    back = threading.Timer(0.5, server.start)
    back.start()
    assert np.array_equal(engine.run(images)["logits"], before)
    back.join()


def test_pauses_double_until_the_server_is_given_up(server, packages, asks, images):
    clock = Clock()
    config = hasty(asks, retry_first_s=0.5, retry_most_s=4.0, give_up_s=10.0)
    engine = Triton(load(packages / "encoder"), config, clock=clock, sleep=clock.sleep)
    server.stop()
    with pytest.raises(EngineLost):
        engine.run(images)
    assert clock.slept == [0.5, 1.0, 2.0, 4.0]


def test_a_pause_is_short_again_after_an_answer(server, packages, asks, images):
    clock = Clock()
    config = hasty(asks, retry_first_s=0.5, retry_most_s=4.0, give_up_s=1.0)
    engine = Triton(load(packages / "encoder"), config, clock=clock, sleep=clock.sleep)
    for _ in range(2):
        server.stop()
        with pytest.raises(EngineLost):
            engine.run(images)
        server.start()
        clock.now += 4.0
        time.sleep(0.3)  # gRPC has pauses of its own
        engine.run(images)
    assert clock.slept == [0.5, 0.5]


def test_a_server_that_answers_badly_is_asked_less_and_less(server, packages, asks, images):
    clock = Clock()
    config = hasty(asks, retry_first_s=0.5, retry_most_s=4.0, give_up_s=4.0)
    engine = Triton(load(packages / "encoder"), config, clock=clock, sleep=clock.sleep)
    server.spoil = lambda name, array: array * np.float32(np.nan)
    with pytest.raises(EngineLost, match="NaN"):
        engine.run(images)
    assert clock.slept == [0.5, 1.0, 2.0]
    assert len(server.asked) == 4


def test_another_model_in_the_place_of_the_first_is_refused(server, packages, asks, images):
    clock = Clock()
    engine = Triton(load(packages / "encoder"), hasty(asks, give_up_s=0.0), clock=clock, sleep=clock.sleep)
    engine.run(images)
    server.configs["encoder"].parameters["sha256"].string_value = "f" * 64
    clock.now += 5.0
    with pytest.raises(EngineLost, match="f" * 64):
        engine.run(images)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (
            lambda name, array: np.where(name == "logits", np.float32(np.nan), array),
            "logits holds NaN",
        ),
        (lambda name, array: array[:, :5], r"embedding is \[4, 5\], wanted \[4, 16\]"),
        (lambda name, array: array[:2], r"logits is \[2, 8\], wanted \[4, 8\]"),
    ],
    ids=["nan", "width", "rows"],
)
def test_an_answer_that_cannot_be_is_never_passed_on(server, packages, asks, images, spoil, reason):
    engine = open_engine(packages / "encoder", hasty(asks, give_up_s=0.0))
    server.spoil = spoil
    with pytest.raises(EngineLost, match=reason):
        engine.run(images)


def until_back(engine, images):
    """Ask until the server answers again; what it answers, and what the CPU did before."""
    for _ in range(200):
        found = engine.run(images)["logits"]
        if engine.fallback is None:
            return found
        time.sleep(0.02)
    raise AssertionError(engine.fallback)


def test_the_cpu_takes_over_and_hands_back(server, packages, asks, images):
    engine = open_engine(packages / "encoder", replace(asks, fallback=True))
    before = engine.run(images)["logits"]
    assert engine.fallback is None
    server.stop()
    assert np.array_equal(engine.run(images)["logits"], before)
    assert "UNAVAILABLE" in engine.fallback
    assert engine.backend.startswith("openvino")
    server.start()
    assert np.array_equal(until_back(engine, images), before)
    assert engine.backend.startswith("triton")


def test_a_server_that_starts_after_the_cameras_is_found(server, packages, asks, images):
    server.stop()
    engine = open_engine(packages / "encoder", replace(asks, fallback=True))
    before = engine.run(images)["logits"]
    assert "UNAVAILABLE" in engine.fallback
    server.start()
    assert np.array_equal(until_back(engine, images), before)


def test_nobody_waits_for_a_silent_server_more_than_once(server, packages, asks, images):
    engine = open_engine(packages / "encoder", hasty(replace(asks, fallback=True), timeout_s=0.4, connect_s=3.0))
    server.free.clear()
    took = []
    for _ in range(20):
        began = time.monotonic()
        engine.run(images)
        took.append(time.monotonic() - began)
        time.sleep(0.02)  # pauses end meanwhile, and the server is looked for
    assert took[0] >= 0.4
    assert max(took[1:]) < 0.4
    assert "DEADLINE_EXCEEDED" in engine.fallback


def test_a_server_that_answers_nan_is_replaced_by_the_cpu(server, packages, asks, images):
    engine = open_engine(packages / "encoder", replace(asks, fallback=True))
    server.spoil = lambda name, array: array * np.float32(np.nan)
    assert np.isfinite(engine.run(images)["logits"]).all()
    assert "NaN" in engine.fallback


def test_a_server_is_named_by_its_address(packages, engines):
    with pytest.raises(EngineError, match=r"engines\.device is cpu: give triton://host:port"):
        open_with("triton", packages / "encoder", replace(engines, device="cpu"))


def test_an_answer_for_exactly_this_server_is_never_the_cpus(server, packages, asks):
    server.stop()
    with pytest.raises(EngineLost, match="UNAVAILABLE"):
        open_with("triton", packages / "encoder", replace(asks, fallback=True))


@pytest.fixture
def serving(two_inputs, engines, tmp_path):
    """A server of the packages with two inputs, and the [engines] section that asks it."""
    from train.packaging.triton import write

    write(two_inputs.folder, tmp_path / "models", ())
    made = Server(tmp_path / "models", two_inputs.folder, replace(engines, device="cpu"))
    yield made, replace(engines, device=f"triton://127.0.0.1:{made.port}", fallback=False)
    made.stop()


def test_a_server_is_sent_both_of_two_inputs(two_inputs, serving, engines):
    server, asks = serving
    config, folder = server.configs["glance"], two_inputs.folder / "glance"
    assert [(port.name, list(port.dims)) for port in config.input] == [("picture", [3, 32, 32]), ("movement", [8])]
    assert set(config.model_warmup[0].inputs) == {"picture", "movement"}
    assert check(folder, asks).ok
    with np.load(folder / GOLDEN) as arrays:
        given = {name: arrays[f"in_{name}"].astype(np.float32) for name in ("movement", "picture")}
    server.configs["glance"].max_batch_size = 3
    server.asked.clear()
    found = open_engine(folder, asks).run(given)["logits"]
    assert np.array_equal(found, OpenVino(folder, load(folder), engines).run(given)["logits"])
    assert [{port.name: port.shape[0] for port in request.inputs} for request in server.asked] == [
        {"movement": rows, "picture": rows} for rows in (3, 1)
    ]


def test_a_server_that_lacks_one_of_two_inputs_is_refused(two_inputs, serving):
    server, asks = serving
    del server.configs["glance"].input[1]
    with pytest.raises(EngineError, match=r"inputs are \['picture'\], the manifest has \['movement', 'picture'\]"):
        open_engine(two_inputs.folder / "glance", asks)
