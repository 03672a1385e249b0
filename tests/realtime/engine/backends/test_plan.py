"""The cache of plans, with a builder that writes down what it is asked; the real one is in test_builder.py."""

import errno
import hashlib
import json
import logging
import os
import subprocess
import sys
from types import SimpleNamespace

import msgspec
import pytest

from realtime.config import ROOT
from realtime.engine.backends import plan
from realtime.engine.backends.cuda import Gpu
from realtime.engine.backends.plan import differences, obtain, target
from realtime.engine.package.manifest import MODEL, load
from realtime.errors import EngineError

replace = msgspec.structs.replace


@pytest.fixture
def box(monkeypatch):
    """A machine with a GPU, TensorRT, and a builder whose every plan is another one."""
    box = SimpleNamespace(gpu=Gpu("H200", "9.0"), version="11.0.0", orders=[], timings=[], fails=None)

    def serialize(order, timing):
        box.orders.append(order)
        box.timings.append(timing)
        if box.fails:
            raise box.fails
        return b"plan %d" % len(box.orders), b"times %d" % len(box.orders)

    monkeypatch.setattr(plan, "gpu", lambda: box.gpu)
    monkeypatch.setattr(plan, "library", lambda backend: SimpleNamespace(__version__=box.version))
    monkeypatch.setattr(plan, "serialize", serialize)
    return box


@pytest.fixture
def settings(engines, tmp_path):
    return replace(engines, cache=str(tmp_path / "cache"), batch=4)


@pytest.fixture
def ask(packages, settings):
    """Obtain the encoder's plan, some things being otherwise."""

    def asked(backend="tensorrt", capability=None, batch=4, **changes):
        folder = packages / "encoder"
        manifest = replace(load(folder), **changes)
        return obtain(folder, manifest, replace(settings, batch=batch), backend, capability)

    return asked


def reasons_of(ask, **changes):
    with pytest.raises(EngineError) as caught:
        ask(**changes)
    return caught.value.reasons


def kept(found):
    """The files of the cache by their suffix."""
    return {path.suffix: path for path in found.path.parent.iterdir() if path.stem == found.path.stem}


def test_a_plan_is_built_once(box, ask, packages):
    first, second = ask(), ask()
    assert (first.data, first.new) == (b"plan 1", True)
    assert (second.data, second.new, second.record) == (b"plan 1", False, first.record)
    [order] = box.orders
    assert (order.model, order.rows, order.backend) == (packages / "encoder" / MODEL, 4, "tensorrt")


@pytest.mark.promise(
    "a cached plan that others may write to", "not deserialised, built anew", "4 of 4 used before; now none"
)
@pytest.mark.parametrize("suffix", [".plan", ".json"])
@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_plan_that_others_may_write_to_is_not_used_but_built_anew(box, ask, caplog, suffix, mode):
    kept(ask())[suffix].chmod(mode)
    again = ask()
    assert (again.data, again.new) == (b"plan 2", True)
    assert "others may write to it" in caplog.text
    assert [path.stat().st_mode & 0o022 for path in kept(again).values() if path.suffix != ".lock"] == [0, 0]
    assert not ask().new


@pytest.mark.promise("a cached plan of another user", "not deserialised, built anew", "2 of 2 used before; now none")
@pytest.mark.parametrize("suffix", [".plan", ".json"])
def test_a_plan_of_another_user_is_not_used_but_built_anew(box, ask, caplog, monkeypatch, suffix):
    path = kept(ask())[suffix]
    if os.geteuid() == 0:
        os.chown(path, 54321, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert ask().new
    assert "belongs to another user" in caplog.text


def test_the_record_beside_a_plan_says_what_it_depends_on(box, ask):
    found = ask()
    record = json.loads(kept(found)[".json"].read_text())
    assert record["sha256"] == hashlib.sha256(b"plan 1").hexdigest()
    assert record["identity"] | {"model": ""} == {
        "package": "encoder",
        "model": "",
        "precision": "fp32",
        "opset": 20,
        "rows": 4,
        "library": "tensorrt 11.0.0",
        "target": "H200 (9.0)",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"gpu": Gpu("L4", "8.9")}, "it has target H200 (9.0), wanted L4 (8.9)"),
        ({"gpu": Gpu("H200", "9.1")}, "it has target H200 (9.0), wanted H200 (9.1)"),
        ({"version": "11.0.1"}, "it has library tensorrt 11.0.0, wanted tensorrt 11.0.1"),
        ({"precision": "fp16"}, "it has precision fp32, wanted fp16"),
        ({"opset": 21}, "it has opset 20, wanted 21"),
        ({"batch": 8}, "it has rows 4, wanted 8"),
        ({"files": {MODEL: "0" * 64}}, "it has model "),
    ],
)
def test_whatever_changes_another_plan_is_built_and_the_old_one_stays(box, ask, caplog, change, told):
    old = ask()
    on_box = {name: value for name, value in change.items() if hasattr(box, name)}
    vars(box).update(on_box)
    with caplog.at_level(logging.INFO):
        new = ask(**{name: value for name, value in change.items() if name not in on_box})
    assert (new.data, new.new) == (b"plan 2", True)
    assert old.path.read_bytes() == b"plan 1"
    assert told in caplog.text


@pytest.mark.promise(
    "a corrupt plan",
    "built anew",
    "1 of 1",
)
def test_a_plan_that_was_damaged_is_built_anew(box, ask, caplog):
    ask().path.write_bytes(b"plam 1")
    with caplog.at_level(logging.INFO):
        assert ask().data == b"plan 2"
    assert "is damaged: it is not what was built" in caplog.text
    assert not ask().new


@pytest.mark.parametrize("record", [b"", b"{}", b"[1]", b"\xff"])
def test_a_plan_whose_record_cannot_be_read_is_built_anew(box, ask, record):
    kept(ask())[".json"].write_bytes(record)
    assert ask().data == b"plan 2"
    assert not ask().new


def test_every_reason_why_there_is_no_plan_is_told_at_once(box, ask):
    """A plan of another box was put in the place of ours and is damaged, and TensorRT cannot build one."""
    found = ask()
    record = json.loads(kept(found)[".json"].read_text())
    record["identity"] |= {"target": "A10 (8.6)", "library": "tensorrt 10.9.0", "precision": "int8"}
    kept(found)[".json"].write_text(json.dumps(record))
    found.path.write_bytes(b"other")
    box.fails = EngineError(
        "tensorrt cannot read it:", ["node conv1 (Conv): no such operator", "node fc (Gemm): too wide"]
    )
    assert reasons_of(ask) == (
        "node conv1 (Conv): no such operator",
        "node fc (Gemm): too wide",
        f"{found.path.name}: it has precision int8, wanted fp32",
        f"{found.path.name}: it has library tensorrt 10.9.0, wanted tensorrt 11.0.0",
        f"{found.path.name}: it has target A10 (8.6), wanted H200 (9.0)",
        f"{found.path.name} is damaged: it is not what was built",
    )
    assert found.path.read_bytes() == b"other"


@pytest.mark.promise(
    "the disk is full while a plan is built",
    "the last good plan stays, and nothing half",
    "1 of 1",
)
def test_a_full_disk_leaves_the_last_good_plan_and_no_remains(box, ask, monkeypatch):
    good = ask()
    box.version = "11.0.1"

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(plan.os, "fsync", full)
        reasons = reasons_of(ask)
    assert reasons[0].startswith("No space left on device: make room in ")
    assert "or let engines.cache be another folder" in reasons[0]
    assert f"{good.path.name} does not fit: it has library tensorrt 11.0.0" in reasons[1]
    assert [path.read_bytes() for path in good.path.parent.glob("*.plan")] == [b"plan 1"]
    assert not list(good.path.parent.glob("*.part"))
    box.version = "11.0.0"
    assert not ask().new
    box.version = "11.0.1"
    assert ask().new


def test_a_cache_that_cannot_be_a_folder_is_an_engine_error(box, ask, settings, tmp_path):
    (tmp_path / "cache").write_text("")
    assert "File exists" in reasons_of(ask)[0]


def test_the_timing_cache_of_one_build_helps_the_next_on_the_same_gpu(box, ask):
    ask()
    ask(precision="fp16")
    box.gpu = Gpu("L4", "8.9")
    ask()
    assert box.timings == [b"", b"times 1", b""]


@pytest.mark.promise(
    "a package whose name leads out of the cache",
    "its plan lies in the cache",
    "1 of 1",
)
def test_a_package_cannot_place_its_plan_outside_the_cache(box, ask, tmp_path):
    found = ask(name="../../encoder *")
    assert found.path.parent == tmp_path / "cache"
    assert found.path.name.startswith(".._.._encoder__-")


TWO_AT_ONCE = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
import msgspec
from realtime import config
from realtime.engine.package import manifest
from realtime.engine.backends import plan

def serialize(order, timing):
    with open(sys.argv[1] + "/built", "a") as file:
        file.write("once ")
    time.sleep(0.5)
    return sys.argv[3].encode() * 100_000, b""

plan.serialize = serialize
plan.library = lambda backend: SimpleNamespace(__version__="1")
settings = msgspec.structs.replace(config.load().engines, cache=sys.argv[1] + "/cache")
folder = Path(sys.argv[2])
found = plan.obtain(folder, manifest.load(folder), settings, "tensorrt-rtx")
print(found.new, found.data[:1].decode())
"""


@pytest.mark.promise(
    "two instances build one plan",
    "the second waits, and uses the first's",
    "1 of 1",
)
def test_of_two_processes_that_build_at_once_the_second_uses_the_plan_of_the_first(packages, tmp_path):
    command = [sys.executable, "-c", TWO_AT_ONCE, str(tmp_path), str(packages / "encoder")]
    both = [subprocess.Popen([*command, who], stdout=subprocess.PIPE, text=True, cwd=ROOT) for who in "ab"]
    told = [process.communicate(timeout=60)[0].split() for process in both]
    assert (tmp_path / "built").read_text() == "once "
    assert sorted(new for new, _ in told) == ["False", "True"]
    assert told[0][1] == told[1][1]


def test_tensorrt_builds_for_the_gpu_at_hand_alone(box):
    assert target("tensorrt", None) == "H200 (9.0)"
    with pytest.raises(EngineError, match="--backend tensorrt-rtx"):
        target("tensorrt", "8.6")


def test_tensorrt_for_rtx_builds_for_all_gpus_or_for_one_kind(box):
    assert target("tensorrt-rtx", None) == plan.PORTABLE
    assert target("tensorrt-rtx", "8.6") == "compute capability 8.6"


def test_plans_of_the_same_identity_differ_in_nothing(box, ask):
    identity = ask().record.identity
    assert differences(identity, identity) == []
