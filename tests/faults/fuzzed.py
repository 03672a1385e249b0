"""What is fuzzed: originals by name, and what is done with the changed bytes of one, as a stranger's would be."""

import io
import json
import logging
import zipfile
from dataclasses import dataclass
from typing import Any

import cv2
import messages
import numpy as np
import openpyxl

from realtime.capture.recorded.picture import read_picture
from realtime.capture.remote import decoded
from realtime.config import ROOT, load
from realtime.engine.package.manifest import GOLDEN, MANIFEST, MODEL, sha256
from realtime.engine.package.manifest import load as load_package
from realtime.schema import message as wire
from realtime.session import Recorder, layout, limits, read
from realtime.session.report import page
from realtime.session.survey import survey
from realtime.session.tables.export import export
from realtime.show import line
from train.datasets.annotation import table

CONFIG = load(overrides=[f"publish.camera={messages.ROOM}"])
#: A header may state as much: decoders make room for it, which takes longer than all else.
LARGEST_PX = 512
#: Of a session's cases, one in so many becomes a report and tables too, which takes 30 times as long.
WHOLE = 20


@dataclass(frozen=True)
class Kind:
    """`use` takes changed bytes, the name of their original, and chance."""

    name: str
    originals: list[tuple[str, bytes]]
    use: Any


def kinds(folder):
    """All kinds by name; what they write lies in `folder`."""
    logging.disable(logging.WARNING)  # a camera's refusals are told in the log
    made = (_messages(), _frames(folder), _manifests(folder), _sessions(folder), _tables(folder))
    return {kind.name: kind for kind in made}


def _messages():
    said = [
        messages.state(1, messages.face(1, 1.0)), messages.event(1, 2.0), messages.meta(1.0),
        wire.Picture(t=1.5, camera="visitor-1", number=7, jpeg=b"\xff\xd8\xff\xe0" + bytes(20)),
        wire.AskEvents(id=1, since=4, run="0123456789abcdef"), wire.AskClock(), wire.AskPicture(camera="0"),
        wire.AskWish(camera="0", head="cmn", landmarks=True), wire.AskMoment(camera="0", event=4),
        wire.Events(id=1, first=1, last=2, events=(messages.event(1, 2.0), messages.event(2, 3.0, "withdrawn"))),
        wire.Clock(monotonic_s=1.0, unix_s=2.0, cameras={"0": 3.0}), wire.Refused(why="no"),
    ]  # fmt: skip

    def use(data, name, chance):
        topic, message = wire.decode(data)
        again = wire.decode(wire.encode(topic, message))[1]
        assert again == message or "nan" in repr(message)
        if isinstance(message, wire.Published):
            line(message)
            limits.plausible(message)

    return Kind("message", [(wire.topic_of(each), wire.encode(wire.topic_of(each), each)) for each in said], use)


def _frames(folder):
    image = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8), (0, 0), 2.0)
    endings = {
        ".jpg": [], "progressive.jpg": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        "restarts.jpg": [cv2.IMWRITE_JPEG_RST_INTERVAL, 2], ".png": [], ".bmp": [], ".webp": [], ".tif": [], ".ppm": [],
    }  # fmt: skip
    originals = []
    for name, options in endings.items():
        originals.append((name, cv2.imencode(f".{name.rpartition('.')[2]}", image, options)[1].tobytes()))
    path = folder / "picture"

    def use(data, name, chance):
        if name.endswith(".jpg") and chance.random() < 0.5:
            decoded(data, CONFIG.streams)
        path.write_bytes(data)
        read_picture(path, LARGEST_PX)

    return Kind("frame", originals, use)


def _manifests(folder):
    """Small packages whose files are as listed, so that what is changed is all that is wrong with them."""
    originals, package = [], folder / "package"
    package.mkdir()
    model = b"\x08\x0a\x42\x04\x0a\x00\x10\x14"  # an ONNX file of one operator set, version 20
    (package / MODEL).write_bytes(model)
    (package / GOLDEN).write_bytes(b"not opened")
    for name in ("encoder", "cmn", "spotter"):
        tree = json.loads((ROOT / "engines" / name / MANIFEST).read_text("utf-8"))
        tree["files"] = {each: sha256(package / each) for each in (MODEL, GOLDEN)}
        originals.append((name, json.dumps(tree).encode()))
    whole = originals[0][1]
    originals.append((MODEL, model))

    def use(data, name, chance):
        (package / MANIFEST).write_bytes(whole if name == MODEL else data)
        (package / MODEL).write_bytes(data if name == MODEL else model)
        try:
            load_package(package)
        finally:
            (package / MODEL).write_bytes(model)

    return Kind("manifest", originals, use)


def _sessions(folder):
    session = folder / "session"
    with Recorder(session, CONFIG, [ROOT / "engines" / "cmn"], video=True) as recorder:
        for frame in range(8):
            recorder.write(messages.state(frame, messages.face(1, 1.0)))
            recorder.picture(frame / 50, frame, b"\xff\xd8 a face \xff\xd9")
        recorder.keep(messages.event(1, 0.1))
        recorder.write(messages.event(1, 0.1))
        recorder.write(messages.meta(1.0))
        recorder.moment(1, wire.MomentPictures(onset=b"\xff\xd8", apex=b"\xff\xd8", exaggerated=b"\xff\xd8", times=4.0))
    names = [layout.HEADER, layout.MESSAGES, layout.MESSAGES, layout.JOURNAL, layout.PICTURES_INDEX]
    names += [f"{layout.ENGINES}/cmn.json", f"{layout.MOMENTS}/1.json"]
    originals = [(name, (session / name).read_bytes()) for name in names]
    before = dict(originals)

    def use(data, name, chance):
        (session / name).write_bytes(data)
        try:
            found = read(session)
            found.moment(1)
            for still in found.stills():
                found.jpeg(still)
            for _ in found.journal():
                pass
            survey(found)
            if chance.random() < 1 / WHOLE:
                page.page(found)
                export(found, "csv", folder / "tables")
        finally:
            (session / name).write_bytes(before[name])

    return Kind("session", originals, use)


def _tables(folder):
    book = openpyxl.Workbook()
    for row in (["Subject", "Filename", "Onset", "Apex"], [1, "EP02_01f", 46.0, "59"], ["02", "=1+1", None, 1e300]):
        book.active.append(row)
    book.save(folder / "plain.xlsx")
    with zipfile.ZipFile(folder / "plain.xlsx") as bundle:
        parts = {name: bundle.read(name) for name in bundle.namelist()}
    originals = [(name, text) for name, text in parts.items() if name.endswith(".xml")]
    originals += [("table.xlsx", (folder / "plain.xlsx").read_bytes())] * 3
    originals += [("table.csv", b'Subject,Filename,Onset\n1,"EP02_01f",46\n02,"a,b",\xc3\xa4\n')] * 12

    def use(data, name, chance):
        path = folder / ("table.csv" if name.endswith(".csv") else "table.xlsx")
        path.write_bytes(data if name.startswith("table.") else _zipped({**parts, name: data}))
        table.read_sheets(path)
        table.read_table(path, {"subject": ["Subject"], "onset": ["Onset", "OnsetF"]})

    return Kind("table", originals, use)


def _zipped(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name, text in parts.items():
            bundle.writestr(name, text)
    return file.getvalue()
