"""The process that plays all clients: told what to do on standard input.

It appends what clients were told to the history, says how far it is on standard output
a few times a second, and ends with the line ``done``.
"""

import asyncio
import random
import sys
from pathlib import Path

import msgspec
import uvloop

from holdfast.cli.prove.buyers import Desk
from holdfast.cli.prove.duplicates import Clickers, Duplicates
from holdfast.cli.prove.history import Log
from holdfast.cli.prove.sale import Sale, Shoppers

_SAY_EVERY_SECONDS = 0.1

END = "done"


class Task(msgspec.Struct):
    """Who plays what, and where it is written down."""

    history: str
    play: Sale | Duplicates


async def work(task: Task) -> None:
    """Play to the end."""
    log = Log(Path(task.history))
    play = task.play
    chance = random.Random(play.seed)  # noqa: S311 - the same load each time
    desk = Desk(log, play.ports, chance)
    crowd: Shoppers | Clickers
    crowd = Shoppers(play, desk) if isinstance(play, Sale) else Clickers(play, desk)
    saying = asyncio.create_task(_tell(crowd))
    try:
        await crowd.run()
    finally:
        saying.cancel()
        log.close()
    _say(END)


async def _tell(crowd: Shoppers | Clickers) -> None:
    while True:
        _say(f"{crowd.progress:.4f}")
        await asyncio.sleep(_SAY_EVERY_SECONDS)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Do what standard input says."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work(task))
