"""What one browser is shown of the camera that it watches."""

from __future__ import annotations

from realtime.schema.message import Event, Published, Shown, State
from realtime.view.visit.problems import Problems
from realtime.view.visit.protocol import Hello, encode_picture
from realtime.view.visit.record_button import RecordButton
from realtime.view.visit.send_queue import SendQueue
from realtime.view.visit.upload import Upload


class Viewer:
    """All goes into `queue`, and into the recording of `button` where there is one."""

    def __init__(self, queue: SendQueue, problems: Problems, upload: Upload, button: RecordButton) -> None:
        self.hello = Hello()  #: how it wants to watch
        self._queue, self._upload, self._button = queue, upload, button
        self.refuse = problems.refuse  #: says why something that it wished for cannot be

    @property
    def ready(self) -> bool:
        """Whether a picture would go out at once."""
        return not self._queue.has("picture")

    def hear(self, message: Published, text: str) -> None:
        """A message, and the same as a browser reads it."""
        if isinstance(message, Event):
            self._queue.put(text)
        else:
            self._queue.newest(type(message).__name__, text)
        if isinstance(message, State) and message.camera == self._upload.name:
            self._upload.answered()
        self._button.write(message, moments=self.hello.pictures)

    def show(self, shown: Shown) -> None:
        """A picture of the server's camera."""
        self._queue.newest("picture", encode_picture(shown.frame, shown.t, shown.jpeg))
        self._button.shown(shown)
