"""What is said of a machine, from fixed values: each fault has its level and says what to do."""

import msgspec
import pytest
from packaging.requirements import Requirement

from realtime.config import load
from realtime.doctor.camera import Look, judge_camera, judge_light
from realtime.doctor.clock import judge_clock, step_s
from realtime.doctor.disk import existing, judge_disk
from realtime.doctor.engines import judge_backend, judge_packages
from realtime.doctor.finding import Finding, Report
from realtime.doctor.processor import judge_memory, judge_processor
from realtime.doctor.sockets import judge_ports
from realtime.doctor.software import judge_libraries, judge_python, pinned
from realtime.doctor.speed import judge_speed, least_rate
from realtime.pipeline.summary import Summary

CPU = (
    "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t\t: fpu sse2 {}\nprocessor\t: 1\nflags\t\t: fpu amx_bf16\n"
)
ENGINES = load().engines


@pytest.mark.parametrize(
    ("flags", "said"),
    [("avx2 avx512f amx_bf16", "AMX"), ("avx512f avx2", "AVX-512: about 130"), ("avx avx2", "AVX2: about 130")],
)
def test_the_best_instruction_set_is_named_with_its_speed(flags, said):
    found = judge_processor(CPU.format(flags), 4, "x")
    assert (found.level, found.found.startswith("Some CPU @ 2 GHz, 4 cores, " + said)) == ("ok", True)


@pytest.mark.parametrize(
    ("cpuinfo", "cores", "level", "said"),
    [
        (CPU.format("avx"), 4, "look", "neither AVX2 nor NEON"),
        (CPU.format("avx2"), 1, "look", "1 core, AVX2"),
        ("Features\t: fp asimd\n", 4, "ok", "chip, 4 cores, NEON"),
        ("", 4, "ok", "chip, 4 cores, whose instructions"),
    ],
)
def test_other_processors_are_told_as_they_are(cpuinfo, cores, level, said):
    found = judge_processor(cpuinfo, cores, "chip")
    assert (found.level, said in found.found, bool(found.do)) == (level, True, level == "look")


def test_little_memory_is_told():
    assert [judge_memory(mb).level for mb in (699.0, 700.0)] == ["look", "ok"]


def test_a_python_that_glimpse_is_not_installed_on_stops_it():
    assert [judge_python(each).level for each in ((3, 9, 7), (3, 10, 0), (3, 12, 9), (3, 13, 1))] == [
        "stop", "ok", "ok", "stop",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "level", "said"),
    [
        ({"numpy": "1.26.4", "pyzmq": "27.3.0"}, "ok", "2 are those"),
        ({"numpy": "1.26.4", "pyzmq": "27.4.0"}, "look", "pyzmq 27.4.0 instead of 27.3.0"),
        ({"numpy": "1.26.4+local", "pyzmq": "27.3.0"}, "ok", "2 are those"),
        ({"numpy": "2.0.0", "pyzmq": "27.3.0"}, "stop", "numpy 2.0.0 instead of <2"),
        ({"pyzmq": "27.3.0"}, "stop", "no numpy"),
    ],
)
def test_libraries_are_compared_with_what_works_then_with_the_pins(found, level, said):
    pins = {"numpy": "1.26.4", "pyzmq": "27.3.0", "absent": "1"}
    finding = judge_libraries(found, [Requirement("numpy<2"), Requirement("pyzmq")], pins)
    assert (finding.level, said in finding.found) == (level, True)


def test_pins_are_those_of_this_python_alone(tmp_path):
    (tmp_path / "constraints.txt").write_text(
        '# all\nPy_Zmq==27.3.0  # why\n\nold==1; python_version < "3"\nnew==2; python_version >= "3"\n'
    )
    assert pinned(tmp_path / "constraints.txt") == {"py-zmq": "27.3.0", "new": "2"}
    assert pinned(tmp_path / "nowhere.txt") == {}
    assert judge_libraries({}, [], {}).level == "look"


def test_a_gpu_that_cannot_be_used_stops_only_who_wants_nothing_else():
    strict = msgspec.structs.replace(ENGINES, device="cuda", fallback=False)
    assert judge_backend("openvino, since there is no GPU", [], ENGINES, {"openvino": "1"}).level == "ok"
    assert judge_backend("", ["no driver"], msgspec.structs.replace(strict, fallback=True), {}).level == "look"
    found = judge_backend("", ["no driver", "no tensorrt"], strict, {})
    assert (found.level, found.found) == ("stop", "no driver; no tensorrt")


def test_an_engine_that_is_not_whole_stops_it_and_is_named(tmp_path):
    found = judge_packages(tmp_path, ["gone"])
    assert found.level == "stop"
    assert str(tmp_path / "gone") in found.found
    assert "\n" not in found.found


LIT = Look(size=(640, 480), frames=61, seconds=1.0, grey=120.0)


@pytest.mark.parametrize(
    ("look", "level", "said"),
    [
        (LIT, "ok", "640x480 at 60.0 frames/s"),
        (Look(size=(640, 480), frames=31, seconds=1.0), "look", "at 30.0 frames/s"),
        (Look(size=(160, 120), frames=61, seconds=1.0), "look", "160x120"),
        (Look(size=(640, 480), frames=61, lost=3, seconds=1.0), "ok", "3 lost among them"),
        (Look(error="does not open"), "stop", "does not open"),
        (Look(size=(640, 480), frames=1), "ok", "0.0 frames/s"),
    ],
)
def test_a_camera_is_told_by_what_it_gives(look, level, said):
    found = judge_camera("0", '0 "Webcam"', look, 60.0, watched=False)
    assert (found.level, said in found.found) == (level, True)


def test_a_slow_camera_is_told_what_it_cannot_see():
    found = judge_camera("0", "none", Look(size=(640, 480), frames=31, seconds=1.0), 60.0, watched=False)
    assert "shorter than 133 ms" in found.do


def test_a_camera_that_a_running_glimpse_watches_is_no_fault():
    assert judge_camera("0", "none", Look(error="does not open"), 60.0, watched=True).level == "ok"


@pytest.mark.parametrize(("grey", "level"), [(2.0, "look"), (40.0, "look"), (120.0, "ok"), (230.0, "look")])
def test_light_is_judged_as_a_faces_is(grey, level):
    assert judge_light(grey).level == level


def run_of(fps, frames=200, faces=1):
    seen = [{"id": 1.0, "first_s": 0.0, "last_s": 1.0}] * faces
    numbers = {"latency_ms": {}, "stages_ms": {}, "events": [], "rss_mb": 300.0, "gaps": 0}
    return Summary(frames=frames, fps=fps, faces=seen, **numbers)


@pytest.mark.parametrize(
    ("summary", "level"),
    [
        (run_of(110.0), "ok"),
        (run_of(62.0), "look"),
        (run_of(31.0), "look"),
        (run_of(110.0, faces=0), "stop"),
        (run_of(110.0, frames=5), "look"),
        (None, "look"),
    ],
)
def test_speed_is_judged_by_the_cameras_rate(summary, level):
    assert judge_speed(summary, 60.0).level == level


def test_a_rate_is_named_that_this_machine_can_follow():
    assert [least_rate(fps) for fps in (100.0, 70.0, 40.0, 33.0, 5.0)] == [60.0, 50.0, 30.0, 25.0, 15.0]


def test_a_held_port_stops_it_unless_glimpse_itself_holds_it():
    held = [("publish.state_port", 5556, "python, process 7")]
    assert judge_ports([5556, 5557], [], runs=False).level == "ok"
    assert judge_ports([5556, 5557], held, runs=True).level == "ok"
    found = judge_ports([5556, 5557], held, runs=False)
    assert found.level == "stop"
    assert found.found == "5556 (publish.state_port) is held by python, process 7"
    assert "--set publish.state_port=0" in found.do


@pytest.mark.parametrize(
    ("free", "level"),
    [({"here": 5000.0}, "ok"), ({"here": 5000.0, "cache": 900.0}, "look"), ({"here": None}, "look")],
)
def test_the_disk_never_stops_it(free, level):
    assert judge_disk(free).level == level


def test_a_folder_that_is_not_there_yet_is_looked_for_above(tmp_path):
    assert existing(tmp_path / "a" / "b") == tmp_path


@pytest.mark.parametrize(
    ("step", "unix_s", "kept", "level"),
    [
        (1e-7, 2e9, True, "ok"),
        (1e-7, 2e9, None, "ok"),
        (1e-7, 2e9, False, "look"),
        (1e-7, 1e9, True, "look"),
        (1e-2, 2e9, True, "look"),
        (-1.0, 2e9, True, "stop"),
    ],
)
def test_the_clocks_are_judged_apart(step, unix_s, kept, level):
    assert judge_clock(step, unix_s, kept).level == level


def test_this_machines_clock_goes_forward():
    assert 0.0 < step_s() < 0.01


def test_a_report_says_what_stops_it_and_how_much_is_to_look_at():
    found = [Finding("a", "ok", "1"), Finding("b", "look", "2", "try"), Finding("c", "stop", "3", "mend")]
    assert Report(tuple(found[:2])).ok
    report = Report(tuple(found))
    assert not report.ok
    assert report.lines() == [
        "ok   a          1",
        "LOOK b          2: try",
        "STOP c          3: mend",
        "stopped by: c; 1 to look at",
    ]
