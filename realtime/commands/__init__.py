"""The command line, a file a command; what each does stands in the module that it calls."""

from realtime.commands.bench import bench
from realtime.commands.build import build
from realtime.commands.check import check
from realtime.commands.demo import demo
from realtime.commands.listen import listen
from realtime.commands.run import run

#: In the order that --help lists them.
COMMANDS = (run, listen, bench, build, check, demo)

__all__ = ["COMMANDS"]
