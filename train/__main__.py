"""The command line of training: python -m train COMMAND; the commands stand in `commands`."""

from __future__ import annotations

from realtime.console.console import application
from train.commands import COMMANDS, pack

app = application("python -m train", "Makes the engines that `python -m realtime` runs, from data that you hold.")
for command in COMMANDS:
    app.command()(command)
app.add_typer(pack.app)

if __name__ == "__main__":
    app()
