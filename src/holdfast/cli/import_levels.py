"""``holdfast import levels FILE``: stock levels from a CSV file, all or none.

Exit code 0: the file is in; 1: some lines are at fault, and nothing was changed; 2: the
file cannot be read at all.
"""

import asyncio
import sys
from pathlib import Path

from holdfast.cli.running import settings_of_running_shop
from holdfast.domain.inventory import LevelsRefused
from holdfast.kernel.clock import system_clock
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret
from holdfast.workflows.stock_import import Imported, import_levels

_ACTOR = "command_line"
_REFUSED = 1
_UNREADABLE = 2
_LARGEST_BYTES = 16 << 20


def run(path: Path, *, reason: str) -> int:
    """Import *path* into the running shop and return the exit code."""
    url = settings_of_running_shop().database_url or Secret("")
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        sys.stderr.write(f"{path}: {error.strerror}\n")
        return _UNREADABLE
    if len(content) > _LARGEST_BYTES:
        sys.stderr.write(f"{path}: more than {_LARGEST_BYTES:,} bytes\n")
        return _UNREADABLE
    try:
        imported = asyncio.run(_take(url, content, reason))
    except LevelsRefused as refused:
        for fault in refused.faults:
            sys.stderr.write(f"{path}:{fault.line}: {fault.reason}\n")
        if refused.more:
            sys.stderr.write(f"{path}: {refused.more:,} more\n")
        sys.stderr.write("Nothing was changed.\n")
        return _REFUSED
    print(f"{imported.rows:,} levels read, {imported.changed:,} changed.")
    return 0


async def _take(url: str, content: bytes, reason: str) -> Imported:
    db = await Database.connect(url, size=1)
    try:
        return await import_levels(
            db, content, reason=reason, actor=_ACTOR, clock=system_clock
        )
    finally:
        await db.close()
