"""Files that are replaced, cut or removed while Glimpse reads them."""

import os
import shutil
from contextlib import suppress

import cv2
import msgspec
import numpy as np
import pytest

from realtime.capture.source import open_source
from realtime.config import ROOT, load
from realtime.engine.backends.openvino import OpenVino
from realtime.engine.package import manifest
from realtime.errors import SourceError

FRAMES = 60


@pytest.mark.promise(
    "an engine's files are replaced, cut or removed while it runs",
    "it goes on with what it read, and answers the same bit for bit",
    "3 of 3",
)
@pytest.mark.parametrize("how", ["cut", "written over", "removed"])
def test_an_engine_that_runs_needs_its_files_no_more(tmp_path, how):
    folder = shutil.copytree(ROOT / "engines" / "encoder", tmp_path / "encoder")
    found = manifest.load(folder)
    engine = OpenVino(folder, found, msgspec.structs.replace(load().engines, device="cpu", precision="f32"))
    chance = np.random.default_rng(1)
    rows = {spec.name: chance.random((1, *spec.shape[1:]), np.float32) for spec in found.inputs}
    before = engine.run(rows)
    path = folder / manifest.MODEL
    if how == "cut":
        os.truncate(path, 10)
    elif how == "written over":
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
    else:
        shutil.rmtree(folder)
    after = engine.run(rows)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "room.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (320, 240))
    for frame in np.random.default_rng(0).integers(0, 256, (FRAMES, 240, 320, 3), np.uint8):
        writer.write(frame)
    writer.release()
    return path


@pytest.mark.promise(
    "a video is replaced, cut or removed while it plays",
    "what can be read is given, or one error; nobody hangs",
    "3 of 3",
)
@pytest.mark.parametrize("how", ["cut", "replaced", "removed"])
def test_a_video_that_plays_ends_in_order_whatever_becomes_of_its_file(video, how):
    source = open_source(str(video), load().source, fast=True)
    frames = source.frames()
    seen = [next(frames).index for _ in range(3)]
    if how == "cut":
        os.truncate(video, video.stat().st_size // 3)
    elif how == "replaced":
        other = video.with_suffix(".new")
        other.write_bytes(b"no video")
        other.rename(video)
    else:
        video.unlink()
    with suppress(SourceError):
        seen.extend(frame.index for frame in frames)
    source.close()
    assert seen == sorted(set(seen))
    assert len(seen) == FRAMES if how != "cut" else 3 < len(seen) < FRAMES
