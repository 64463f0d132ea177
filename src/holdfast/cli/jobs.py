"""``holdfast jobs``: the jobs that were given up, and doing them again."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.clock import rfc3339
from holdfast.platform import jobs
from holdfast.platform.db import Database
from holdfast.platform.jobs import Backlog, HeldJob
from holdfast.platform.settings import Secret

T = TypeVar("T")


def show(*, limit: int, as_json: bool) -> None:
    """List the held jobs, and count the others."""

    async def read(db: Database) -> tuple[Backlog, list[HeldJob]]:
        return await jobs.backlog(db), await jobs.held(db, limit=limit)

    backlog, held = _with_database(read)
    if as_json:
        counts = {"queued": backlog.queued, "running": backlog.running}
        listed = [_as_json(job) for job in held]
        print(json.dumps({**counts, "failed": backlog.failed, "items": listed}))
        return
    console = Console(highlight=False)
    console.print(
        f"{backlog.queued} queued, {backlog.running} running, {backlog.failed} failed"
    )
    if held:
        console.print(_table(held))


def retry(ids: Sequence[int], *, everything: bool) -> None:
    """Queue held jobs again; raises ``SystemExit`` when one of *ids* is not held."""

    async def queue(db: Database) -> list[int]:
        async with db.transaction() as tx:
            return await jobs.replay(tx, None if everything else ids)

    queued = _with_database(queue)
    print(f"{len(queued)} queued again")
    if missing := sorted(set(ids) - set(queued)):
        listed = ", ".join(map(str, missing))
        print(f"holdfast jobs: not among the given up: {listed}", file=sys.stderr)
        raise SystemExit(1)


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    settings = settings_of_running_shop()

    async def run() -> T:
        db = await Database.connect(settings.database_url or Secret(""), size=1)
        try:
            return await work(db)
        finally:
            await db.close()

    return asyncio.run(run())


def _table(held: Sequence[HeldJob]) -> Table:
    table = Table("id", "task", "event", "attempts", "given up", "why", box=None)
    for job in held:
        table.add_row(
            str(job.id),
            Text(job.job.task if job.job else "?"),
            Text(str(job.job.event_id) if job.job else "?"),
            str(job.attempts + 1),
            f"{job.held_at:%Y-%m-%d %H:%M:%S}",
            Text(job.reason),
        )
    return table


def _as_json(job: HeldJob) -> dict[str, Any]:
    about = job.job
    return {
        "id": job.id,
        "task": about and about.task,
        "event_id": about and str(about.event_id),
        "event_type": about and about.event_type,
        "payload": about and about.payload,
        "attempts": job.attempts + 1,
        "created_at": rfc3339(job.created_at),
        "held_at": rfc3339(job.held_at),
        "reason": job.reason,
    }
