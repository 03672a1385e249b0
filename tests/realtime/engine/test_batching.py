import threading
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.engine.batching import Together
from realtime.errors import EngineError, EngineLost
from realtime.representation.contract.tensor_spec import TensorSpec

SPEC = TensorSpec(name="images", shape=(-1, 2), dtype="float32", layout="NC")


class Gated:
    """An engine that doubles its input, once it is let; it records how many rows come at once."""

    precision, backend, fallback = "f32", "scripted", None

    def __init__(self, fails=()):
        self.manifest = SimpleNamespace(name="scripted", inputs=(SPEC,))
        self.batches, self.let, self.entered = [], threading.Semaphore(0), threading.Semaphore(0)
        self._fails = fails

    def run(self, inputs):
        self.batches.append(len(inputs["images"]))
        self.entered.release()
        assert self.let.acquire(timeout=10.0)
        if len(self.batches) in self._fails:
            raise EngineLost("gone")
        return {"logits": 2.0 * inputs["images"]}


def rows(value, count=1):
    return {"images": np.full((count, 2), value, np.float32)}


class Asked(threading.Thread):
    """One caller, and what it was told."""

    def __init__(self, engine, inputs):
        super().__init__(daemon=True)
        self.engine, self.inputs, self.answer, self.error = engine, inputs, None, None
        self.start()

    def run(self):
        try:
            self.answer = self.engine.run(self.inputs)["logits"]
        except EngineError as error:
            self.error = error


def crowd(engine, together, counts):
    """A first caller holds the engine while the others come, then all are let through; the callers."""
    first = Asked(together, rows(0.0))
    assert engine.entered.acquire(timeout=10.0)
    others = [Asked(together, rows(float(number), count)) for number, count in enumerate(counts, 1)]
    while len(together._waiting) < len(others):
        threading.Event().wait(0.001)
    for _ in range(len(others) + 1):
        engine.let.release()
    for caller in (first, *others):
        caller.join(10.0)
    return [first, *others]


def test_what_waits_goes_through_as_one_batch_and_everybody_gets_their_own():
    engine = Gated()
    callers = crowd(engine, Together(engine), (1, 3, 2))
    assert engine.batches == [1, 6]
    for number, (caller, count) in enumerate(zip(callers, (1, 1, 3, 2), strict=True)):
        assert caller.answer.tolist() == [[2.0 * number] * 2] * count


def test_one_caller_alone_is_passed_on_as_it_is():
    engine = Gated()
    engine.let.release()
    given = rows(3.0, 2)
    assert Together(engine).run(given)["logits"].tolist() == [[6.0, 6.0]] * 2
    assert engine.batches == [2]


def test_an_engine_that_fails_fails_those_of_that_turn_alone():
    engine = Gated(fails=(2,))
    first, *others = crowd(engine, Together(engine), (1, 1))
    assert first.error is None
    assert [str(caller.error) for caller in others] == ["gone", "gone"]
    engine.let.release()
    assert Together(engine).run(rows(1.0))["logits"].tolist() == [[2.0, 2.0]]


def test_wrong_inputs_are_refused_before_they_meet_those_of_others():
    engine = Gated()
    with pytest.raises(EngineError, match="cannot take these inputs"):
        Together(engine).run({"images": np.zeros((1, 3), np.float32)})
    assert engine.batches == []
