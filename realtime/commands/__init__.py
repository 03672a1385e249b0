"""The command line, a file a command; what each does stands in the module that it calls."""

from realtime.commands.analyse import analyse
from realtime.commands.bench import bench
from realtime.commands.bridge_lsl import bridge_lsl
from realtime.commands.build import build
from realtime.commands.check import check
from realtime.commands.demo import demo
from realtime.commands.doctor import doctor
from realtime.commands.export import export
from realtime.commands.keys import keys
from realtime.commands.listen import listen
from realtime.commands.page import page
from realtime.commands.password import password
from realtime.commands.replay import replay
from realtime.commands.report import report
from realtime.commands.run import run
from realtime.commands.view import view

#: In the order that --help lists them.
COMMANDS = (
    view,
    run,
    analyse,
    page,
    password,
    listen,
    replay,
    report,
    export,
    keys,
    bridge_lsl,
    bench,
    build,
    check,
    doctor,
    demo,
)

__all__ = ["COMMANDS"]
