"""``holdfast export FILE``: the whole catalogue of the running shop as a file.

The file is there when it is whole: it is written beside its name and then moved, so
that a full disk leaves no half of a catalogue to be taken for all of it. Exit code 0:
it is there; 2: it could not be written, or is there already.
"""

import asyncio
import sys
from pathlib import Path
from typing import BinaryIO

from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import catalog, inventory
from holdfast.domain.catalog import FileFormat
from holdfast.kernel.clock import system_clock
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret

_STANDARD_OUTPUT = Path("-")
_NOT_WRITTEN = 2


def run(to: Path, file_format: FileFormat) -> int:
    """Export the running shop and return the exit code."""
    url = settings_of_running_shop().database_url or Secret("")
    if to == _STANDARD_OUTPUT:
        asyncio.run(_write(url, sys.stdout.buffer, file_format))
        return 0
    if to.exists():
        sys.stderr.write(f"{to}: is there already\n")
        return _NOT_WRITTEN
    beside = to.with_name(f"{to.name}.part")
    try:
        with beside.open("wb") as file:
            asyncio.run(_write(url, file, file_format))
        beside.rename(to)
    except OSError as error:
        sys.stderr.write(f"{to}: {error.strerror}\n")
        beside.unlink(missing_ok=True)
        return _NOT_WRITTEN
    print(f"{to}: {to.stat().st_size:,} bytes")
    return 0


async def _write(url: str, file: BinaryIO, file_format: FileFormat) -> None:
    db = await Database.connect(url, size=1)
    try:
        async for part in catalog.export(
            db, file_format, location_id=inventory.MAIN, at=system_clock()
        ):
            file.write(part)
    finally:
        await db.close()
