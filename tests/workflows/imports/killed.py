"""Works at an import and is killed at a chosen statement; see test_kills.

Reads a list of orders, forks a process for each, and prints how each of them ended: the
signal, or 0 for one that came to its end. Killed *after* a statement means once its
answer is here; killed *at* it, once it is sent and before an answer.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import datetime

import asyncpg

from holdfast.platform.db import Database
from holdfast.workflows import imports

COUNTED = ("execute", "fetch", "fetchrow", "fetchval")


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def count_statements(last, *, answered):
    """Let the process end at its last statement."""
    taken = 0

    async def take(doing):
        nonlocal taken
        taken += 1
        if taken < last:
            return await doing
        if not answered:
            asyncio.ensure_future(doing)  # noqa: RUF006 - nobody will be there for it
            await asyncio.sleep(0)
            die()
        result = await doing
        die()
        return result

    def counted(method):
        async def call(connection, *arguments, **options):
            return await take(method(connection, *arguments, **options))

        return call

    for name in COUNTED:
        setattr(asyncpg.Connection, name, counted(getattr(asyncpg.Connection, name)))


async def run(order):
    now = datetime.fromisoformat(order["now"])
    imports.BATCH_PRODUCTS = order["batch"]
    db = await Database.connect(order["url"], size=3)
    await db.fetchval("SELECT 1")
    count_statements(order["step"], answered=order["answered"])
    await imports.carry_on(db, clock=lambda: now, seconds=60)
    os._exit(0)


def main():
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            # What it logs is none of the answer.
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            asyncio.run(run(json.loads(line)))
        _, status = os.waitpid(child, 0)
        ended = os.WTERMSIG(status) or os.WEXITSTATUS(status)
        sys.stdout.write(f"{ended}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
