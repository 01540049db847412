"""What a process of the drill does: the `madoguchi` command. Imported once by a fork server, so that fifty starts do not import fifty times."""

import os
import sys
from pathlib import Path

import bot.channels.line
import bot.channels.telegram
import bot.start  # noqa: F401
from bot.cli import main


def run(verb: str, environment: dict[str, str], log: Path) -> None:
    """`madoguchi VERB` with these settings, its output in `log`."""
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.environ.update(environment)
    sys.argv = ["madoguchi", verb]
    main()
