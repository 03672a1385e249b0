"""Packages that a Triton Inference Server runs, so that many cameras share its GPUs. The only door to tritonclient.

The package at hand says what is fed and what the answers mean. The server only computes; its model repository is
written by `python -m train export --triton`. That it holds the same model.onnx is looked at when it is connected
and every few seconds. Rows of several cameras are computed together there, so the last bits of an answer may
depend on who else is in view.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

import numpy as np

from realtime.config import EnginesConfig, TritonConfig
from realtime.engine.package.fit import require_fit, unlike
from realtime.engine.package.manifest import MODEL, Manifest
from realtime.errors import EngineError, EngineLost
from realtime.records import Floats

log = logging.getLogger(__name__)

SCHEME = "triton://"  #: of `engines.device`
ADDRESS = "give triton://host:port, 8001 being the server's usual port for gRPC"
PRECISIONS = ("f32", "f16", "bf16", "int8")
RECHECK_S = 5.0  #: after which the model is looked at again: another may be put in its place under a running server
WRITE = "write its repository anew with python -m train export --triton"


class Triton:
    """A package on a server. What the server fails at is an `EngineLost`, and it is tried again after a growing pause.

    Without `engines.fallback`, a call waits for a lost server and raises after `give_up_s`. With it, a call waits
    for answers alone: a lost server is looked for in a thread, and one that cannot be found yet is no error here.
    """

    def __init__(
        self,
        manifest: Manifest,
        config: EnginesConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if not config.device.startswith(SCHEME):
            raise EngineLost("no Triton server is named:", [f"engines.device is {config.device}: {ADDRESS}"])
        self.manifest = manifest
        self.fallback: str | None = None
        self._settings, self._replaceable = config.triton, config.fallback
        self._clock, self._sleep = clock, sleep
        self._host = config.device.removeprefix(SCHEME)
        self.precision, self.backend = "f32", f"triton at {self._host}"  # until the server says more
        self._grpc = _library()
        # Two, because one may be used by one thread at a time; they share a connection.
        self._answerer, self._observer = (
            self._grpc.InferenceServerClient(self._host, channel_args=_channel(config.triton)) for _ in range(2)
        )
        self._looking = Thread()
        self._pause_s = config.triton.retry_first_s
        self._due = clock()  #: when the server is looked at again
        self._trouble: tuple[str, Sequence[str]] | None = None  #: what was wrong when it was last asked
        try:
            self._connect()
        except EngineLost:
            if not config.fallback:
                raise

    def run(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        rows = require_fit(inputs, self.manifest)
        until = self._clock() + self._settings.give_up_s
        while True:
            try:
                return self._answers(inputs, rows)
            except EngineLost as error:
                if self._replaceable or self._due > until:
                    raise
                log.warning("waiting: %s", error)
            self._sleep(max(0.0, self._due - self._clock()))

    def _answers(self, inputs: Mapping[str, Floats], rows: int) -> dict[str, Floats]:
        self._require_connected()
        starts = range(0, rows, self._most_rows)
        parts = [self._ask({name: array[i : i + self._most_rows] for name, array in inputs.items()}) for i in starts]
        return {spec.name: np.concatenate([part[spec.name] for part in parts]) for spec in self.manifest.outputs}

    def _ask(self, inputs: Mapping[str, Floats]) -> dict[str, Floats]:
        """One request, of no more rows than the server takes at once."""
        asked = [self._input(name, array) for name, array in inputs.items()]
        wait_s = self._settings.timeout_s
        try:
            result = self._answerer.infer(self.manifest.name, asked, timeout=int(wait_s * 1e6), client_timeout=wait_s)
        except self._grpc.InferenceServerException as error:
            raise self._lost("gives no answer", [_reason(error)]) from None
        found = {spec.name: _array(result, spec.name) for spec in self.manifest.outputs}
        reasons = list(self._unusable(found, len(next(iter(inputs.values())))))
        if reasons:
            raise self._lost("does not answer as it must", reasons)
        self._pause_s = self._settings.retry_first_s
        return found

    def _input(self, name: str, array: Floats) -> Any:
        made = self._grpc.InferInput(name, list(array.shape), "FP32")
        made.set_data_from_numpy(array)
        return made

    def _unusable(self, found: Mapping[str, Floats], rows: int) -> Iterator[str]:
        for spec in self.manifest.outputs:
            array, wanted = found[spec.name], (rows, *spec.shape[1:])
            if array.shape != wanted:
                yield f"{spec.name} is {list(array.shape)}, wanted {list(wanted)}: {WRITE}"
            elif not np.isfinite(array).all():
                yield f"{spec.name} holds NaN or infinity: try its package with python -m realtime check"

    def _require_connected(self) -> None:
        if self._clock() >= self._due and not self._replaceable:
            self._connect()
        elif self._clock() >= self._due and not self._looking.is_alive():
            self._looking = Thread(target=self._look, name=f"look at {self._host}", daemon=True)
            self._looking.start()
        if self._trouble:
            raise EngineLost(*self._trouble)

    def _look(self) -> None:
        with suppress(EngineLost):  # which the next call raises
            self._connect()

    def _connect(self) -> None:
        """Find that the server has the model that the manifest is of; EngineLost lists all reasons if not."""
        wait = {"client_timeout": self._settings.connect_s}
        name = self.manifest.name
        try:
            version = self._observer.get_server_metadata(**wait).version
            if not (self._observer.is_server_ready(**wait) and self._observer.is_model_ready(name, **wait)):
                raise self._lost("is not ready", [f"it has no model {name!r} that is ready: see its log, or {WRITE}"])
            served = self._observer.get_model_config(name, **wait).config
        except self._grpc.InferenceServerException as error:
            raise self._lost("cannot be reached", [f"{_reason(error)}: start it, or correct engines.device"]) from None
        reasons = list(_mismatches(served, self.manifest))
        if reasons:
            raise self._lost(f"serves another model; {WRITE}", reasons)
        self.precision = served.parameters["precision"].string_value
        self.backend = f"triton {version} {served.backend} at {self._host}"
        self._most_rows = served.max_batch_size
        self._due = self._clock() + RECHECK_S
        self._trouble = None

    def _lost(self, what: str, reasons: Sequence[str]) -> EngineLost:
        """The error; the next attempt waits, twice as long as the last one did."""
        self._due = self._clock() + self._pause_s
        self._pause_s = min(2.0 * self._pause_s, self._settings.retry_most_s)
        self._trouble = f"{self._host} {what}, asked for {self.manifest.name}:", reasons
        return EngineLost(*self._trouble)


def _channel(settings: TritonConfig) -> list[tuple[str, int]]:
    """Settings of gRPC: long enough to connect, and hardly a pause between attempts, since Glimpse has its own."""
    pauses = {"initial": 100, "max": 100, "min": int(settings.connect_s * 1e3)}  # "min" is how long an attempt lasts
    return [(f"grpc.{which}_reconnect_backoff_ms", length) for which, length in pauses.items()]


def _library() -> Any:
    try:
        import tritonclient.grpc
    except (ImportError, RuntimeError) as error:  # the latter where its gRPC half is missing
        reasons = [f"{error}: install it with pip install --constraint constraints.txt '.[triton]'"]
        raise EngineError("engines.device names a Triton server, for which tritonclient is missing:", reasons) from None
    return tritonclient.grpc


def _mismatches(served: Any, manifest: Manifest) -> Iterator[str]:
    """`served` is the server's ModelConfig."""
    said = {key: value.string_value for key, value in served.parameters.items()}
    if said.get("sha256") != manifest.files[MODEL]:
        yield f"it was made of a {MODEL} with SHA-256 {said.get('sha256')}, the package's has {manifest.files[MODEL]}"
    if said.get("precision") not in PRECISIONS:
        yield f"its parameter precision is {said.get('precision')}, wanted one of {list(PRECISIONS)}"
    if served.max_batch_size < 1:
        yield f"its max_batch_size is {served.max_batch_size}, wanted 1 or more"
    for kind, ports, specs in (("input", served.input, manifest.inputs), ("output", served.output, manifest.outputs)):
        yield from unlike(kind, {port.name: [-1, *port.dims] for port in ports}, specs)


def _array(result: Any, name: str) -> Floats:
    """An output, the caller's own; empty if the server left it out."""
    found = result.as_numpy(name)
    return np.empty(0, np.float32) if found is None else np.array(found, np.float32)


def _reason(error: Any) -> str:
    """Status and message, such as "UNAVAILABLE: failed to connect"."""
    return f"{str(error.status()).removeprefix('StatusCode.')}: {error.message()}"
