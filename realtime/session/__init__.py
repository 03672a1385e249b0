"""A recorded session: a folder that says what Glimpse published, when, and with what. Format 1:

    session.json        `format` 1; `began_unix_s` and `began_monotonic_s`, the same instant on two clocks; `camera`;
                        `file`, where one was played, by its name; `glimpse`, the version that wrote it; `config`,
                        every key as it was resolved
    engines/<name>.json the manifest of each engine package at work
    messages.bin        records one after the other: uint32 length of the message, float64 seconds from `began` to its
                        publishing on the monotonic clock, both little-endian, then the message as it was sent
                        (`topic NUL msgpack`, see `realtime.schema.message`)
    events.bin          the same records of the events of `camera` alone, each written before it was sent: what a
                        run that goes on after this one answers replay from (`run --resume`)
    pictures.mjpeg      with video alone: JPEG pictures one after the other, which ffmpeg and VLC play
    pictures.csv        a line for each of them: frame, its time `t_s` on the camera's clock, `offset` and `bytes` in
                        pictures.mjpeg
    moments/            <event>-onset.jpg, <event>-apex.jpg, <event>-exaggerated.jpg, and <event>.json with `times`, how
                        many times over the movement is exaggerated; of events of `camera` alone, where it was allowed.
                        Of those that were found where they are recorded also <event>-offset.jpg and <event>-strip.webp,
                        their frames at `frames_s`, squares of `side_px`, in rows of eight, and below as many rows of
                        the same, their movement `enlarged` so many times; `units` says how strongly each action
                        unit had moved by then

Every record goes to the system at once, so a killed process loses none; what a cut-off write left behind at the end of
a file is read past. Only its owner may open the folder. Within a format fields are only added.
"""

from realtime.session.archive import archive
from realtime.session.film import FilmedSource
from realtime.session.kept import going_on, kept_events
from realtime.session.read import Record, Session, Still, read
from realtime.session.write import Recorder, RecordingOutlet

__all__ = [
    "FilmedSource", "Record", "Recorder", "RecordingOutlet", "Session", "Still", "archive", "going_on", "kept_events",
    "read",
]  # fmt: skip
