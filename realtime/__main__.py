"""The command line: python -m realtime COMMAND; the commands stand in `commands`."""

from __future__ import annotations

import os
import signal

if __name__ == "__main__":
    # First of all, because a KeyboardInterrupt inside an import ends in any other error; and until a pipeline
    # runs, nothing is open that needs an orderly end.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))

# The matrices here are tiny; OpenBLAS would keep a second thread spinning for them. Read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from realtime.commands import COMMANDS
from realtime.console.console import application

app = application(
    "python -m realtime",
    "Glimpse watches faces, finds micro- and macro-expressions as they happen, and publishes them over ZeroMQ.",
)
for command in COMMANDS:
    app.command()(command)

if __name__ == "__main__":
    app()
