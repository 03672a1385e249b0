"""The table of promises, made from the tests' own markers: `python tests/faults/promises.py` writes README.md here.

A test says which fault or attack it is of, what is promised, and what was found when it was tried, before and now:

    @pytest.mark.promise("a subscriber hangs up", "nobody ends", "aborted 3 times of 3; now never")
"""

import ast
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
TABLE = HERE / "README.md"
HEAD = """# Faults and attacks: what is promised

Every row is made from a test's own marker, by `python tests/faults/promises.py`, so that none can lack a test;
`pytest tests/faults` runs those of this folder. All was tried on one machine, over its own loopback.

{rows}

## What remains

- Whoever may connect to replay_port or frames_port, by a key or because it is on this machine and there are none, can
  still end the process on purpose: libzmq 4.3.5 aborts where a peer is held up, hangs up, and left a PING of ZeroMQ's
  wire format unread. These two ports have to hold up who sends too much, or memory would be the price. Programs that
  use ZeroMQ as it comes, without its heartbeats, do not do that. `view` starts the recogniser again; `run` ends.
- Where the system has no ipc sockets (Windows), any program of the machine can ask for pictures at replay_port, unless
  there are keys. States and events, without pictures, can be heard by every account of the machine.
- Bytes are counted by connection on Linux alone; elsewhere a message that never ends is limited by nothing.
- For half a second a message of frames of one byte takes twenty times its size, up to 340 MB at frames_port.
- As many connections as publish.limits.peers allows keep others out while they last; half-open ones for handshake_s.
- Who shares an address with somebody who guesses passwords, behind one router or a proxy that is not named, is refused
  with them while they guess, unless logged in already.
- A camera name with pictures that can be decoded is a camera: streams.visitors of them fill all places.
- A spreadsheet that is told to part the cells of a CSV at semicolons parts text within a cell too, and what then stands
  first may be a formula: read it with commas, or export Parquet.
- The soak's page does not keep its memory within 2 % from life to life (see the row above).
- Speech is told as expressions: 3.4 false micro-expressions a minute of strangers, most of them of people who talk. In
  six clips of strangers with a hand at mouth, cheek or brow none is told.
- A video in HLG or PQ is read in its own colours, and not mapped to a screen's: it is flat.
"""


def promises():
    """Fault, promise, figure and test of every marker, in the order of the files."""
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "mark.promise" in text else ():
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.promise":
                    fault, promised, figure = (ast.literal_eval(argument) for argument in mark.args)
                    yield fault, promised, figure, f"{path.relative_to(TESTS).as_posix()}::{node.name}"


def table():
    """The text of README.md."""
    lines = ["| fault or attack | promised | tried | test |", "|---|---|---|---|"]
    for fault, promised, figure, test in promises():
        lines.append(f"| {fault} | {promised} | {figure} | `{re.sub(r'^faults/', '', test)}` |")
    return HEAD.format(rows="\n".join(lines))


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
