"""``holdfast doctor``: hold the books of the stock against each other, and mend them.

Exit code 0: everything agrees, or was made to. 1: something does not.
"""

import asyncio
from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from holdfast.cli.running import settings_of_running_shop
from holdfast.kernel.clock import system_clock
from holdfast.platform.db import Database
from holdfast.platform.settings import Secret
from holdfast.workflows.stock_check import Finding, StockCheck

_MEANING = {
    "guard": "a rule of the database is not in force; run the migrations",
    "ledger": "the level is not the sum of its movements",
    "reserved": "what is reserved is not the sum of its reservations",
    "line": "a line does not say what its shipments and returns do",
    "order": "an order does not hold what it has still to get",
    "location": "a level does not know whether its location is in use",
}


def run(*, fix: bool, as_json: bool) -> int:
    """Print what does not agree; with *fix*, repair it first. Returns the exit code."""
    url = settings_of_running_shop().database_url or Secret("")
    findings = asyncio.run(_look(url, fix=fix))
    left = sum(not finding.fixed for finding in findings)
    if as_json:
        said = {"findings": findings, "found": len(findings), "left": left}
        print(msgspec.json.encode(said).decode())
    else:
        _show(findings, left)
    return 1 if left else 0


async def _look(url: str, *, fix: bool) -> list[Finding]:
    db = await Database.connect(url, size=1)
    try:
        check = StockCheck(db, system_clock)
        return await (check.fix() if fix else check.find())
    finally:
        await db.close()


def _show(findings: Sequence[Finding], left: int) -> None:
    console = Console(highlight=False)
    if not findings:
        console.print("The books agree.")
        return
    table = Table("what", "should be", "is", "meaning", "")
    for finding in findings:
        table.add_row(
            finding.what,
            "" if finding.expected is None else f"{finding.expected:,}",
            "" if finding.found is None else f"{finding.found:,}",
            _MEANING[finding.kind],
            "mended" if finding.fixed else "",
        )
    console.print(table)
    console.print(f"{len(findings):,} found, {left:,} left.")
