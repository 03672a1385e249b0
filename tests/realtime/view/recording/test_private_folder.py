import subprocess
import sys

import pytest

from realtime.view.recording.private_folder import PREFIX, make_folder, sweep


@pytest.mark.promise(
    "the page is killed with -9 while somebody records",
    "the next one removes what it left, and nothing else",
    "1 of 1",
)
def test_what_a_killed_page_left_is_swept_and_nothing_else(disk):
    code = (
        f"import tempfile, time; tempfile.tempdir = {str(disk)!r}\n"
        "from realtime import config\nfrom realtime.view.recording.store import RecordingStore\n"
        "RecordingStore(config.load()).begin('browser', [], video=True)\nprint('on', flush=True)\ntime.sleep(60)"
    )
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert killed.stdout.readline() == b"on\n"
    (left,) = disk.glob(f"{PREFIX}*")
    own = make_folder()
    other = disk / f"{PREFIX}of-somebody"
    other.mkdir()
    sweep()
    assert left.exists(), "it still runs"
    killed.kill()
    killed.wait()
    sweep()
    assert not left.exists()
    assert own.exists()
    assert other.exists()
