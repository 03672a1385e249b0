"""Who may touch what: the import contracts, and the doors that no import shows."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = sorted(path for half in ("realtime", "train") for path in (ROOT / half).rglob("*.py"))
HEAVY = ("torch", "onnx", "openvino", "zmq", "gradio", "typer", "mediapipe", "train")
SHARED = (
    "config",
    "capture.device",
    "capture.source",
    "faces.track",
    "faces.align",
    "faces.face_mesh",
    "representation.movement.motion",
    "representation.movement.fields",
    "representation.representation",
    "representation.event",
    "engine.landmarker",
    "engine.package.manifest",
    "spotting.ticks",
    "recognition.window",
)


def uses(tree, module, name):
    """Whether `module.name` or `from module import name` stands anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name:
            return True
        if isinstance(node, ast.ImportFrom) and node.module == module and name in {one.name for one in node.names}:
            return True
    return False


@pytest.mark.parametrize(
    "code",
    ["import cv2\ncv2.VideoCapture(0)", "import cv2 as c\nc.VideoCapture", "from cv2 import VideoCapture as V"],
)
def test_a_capture_is_seen_however_it_is_reached(code):
    assert uses(ast.parse(code), "cv2", "VideoCapture")


def test_device_is_the_only_door_to_video_capture():
    doors = [
        path.relative_to(ROOT).as_posix()
        for path in CODE
        if uses(ast.parse(path.read_text("utf-8")), "cv2", "VideoCapture")
    ]
    assert doors == ["realtime/capture/device.py"]


@pytest.mark.parametrize("module", SHARED)
def test_importing_a_shared_stage_loads_nothing_heavy(module):
    program = f"import sys, realtime.{module}; print(*set(sys.modules) & set({HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_import_contracts_hold():
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("import-linter is not installed; it comes with the dev extra")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


METHODS = sorted(path.parent.name for path in (ROOT / "train/methods").glob("*/method.py"))


@pytest.mark.parametrize("method", METHODS)
def test_a_method_knows_no_other(method):
    others = tuple(f"train.methods.{name}" for name in METHODS if name != method)
    for path in (ROOT / "train/methods" / method).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not (node.module or "").startswith(others), f"{path.name} imports {node.module}"
