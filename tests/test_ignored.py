"""What runs leave behind, and what recipes read, is kept out of the repository; what it ships is not."""

import shutil
import subprocess

import pytest

from realtime.config import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs git and a checkout"
)


def ignored(path):
    found = subprocess.run(
        ["git", "check-ignore", "--quiet", "--no-index", path], cwd=ROOT, check=False, capture_output=True
    )
    assert found.returncode in (0, 1), found.stderr
    return found.returncode == 0


@pytest.mark.parametrize("path", ["data/ferplus.npz", "data/ict_facekit.npz", "data/CASME2/a.jpg", "runs/x", "build/x"])
def test_data_and_what_runs_leave_behind_are_ignored(path):
    assert ignored(path)


@pytest.mark.parametrize(
    "path", ["realtime/demo/data/sample.mp4", "realtime/demo/data/new.json", "configs/methods/cmn.toml"]
)
def test_what_is_shipped_is_not(path):
    assert not ignored(path)


def test_nothing_that_is_tracked_is_ignored():
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == ""
