"""``holdfast reconcile``: the provider's books against ours, now.

Exits 1 when a difference is left for a person to look at, 2 when the provider did not
answer and nothing can be said.
"""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.opened import opened
from holdfast.cli.running import settings_of_running_shop
from holdfast.domain import payments
from holdfast.domain.payments import Discrepancy
from holdfast.kernel.clock import Clock, rfc3339, system_clock
from holdfast.platform import http
from holdfast.platform.settings import BadSettings, Settings
from holdfast.workflows.providers import providers
from holdfast.workflows.reconciliation import Reconciliation, Report

_SPAN = re.compile(r"([1-9][0-9]{0,4})([hd])")
_MOST_SHOWN = 1_000


def run(since: str, *, as_json: bool) -> None:
    """Compare, repair and list; raises ``SystemExit``."""
    settings = settings_of_running_shop()
    if settings.payment_url is None:
        raise BadSettings("HOLDFAST_PAYMENT_URL must be set")
    start = beginning(since, system_clock())
    try:
        report, left = asyncio.run(_run(settings, start, clock=system_clock))
    except (payments.PaymentOutcomeUnknown, payments.PaymentUnavailable):
        print("holdfast: the payment provider did not answer", file=sys.stderr)
        raise SystemExit(2) from None
    if as_json:
        print(json.dumps(_as_json(report, left)))
    else:
        _show(report, left)
    if report.open:
        raise SystemExit(1)


def beginning(since: str, now: datetime) -> datetime:
    """From when on to compare; ``BadSettings`` if that is not said."""
    if span := _SPAN.fullmatch(since):
        unit = timedelta(days=1) if span[2] == "d" else timedelta(hours=1)
        return now - int(span[1]) * unit
    try:
        at = datetime.fromisoformat(since)
    except ValueError:
        raise BadSettings(
            "--since is a span such as 2d or 12h, or a date such as 2026-11-01"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


async def _run(
    settings: Settings, since: datetime, *, clock: Clock
) -> tuple[Report, list[Discrepancy]]:
    async with opened() as (db, vault), http.session() as session:
        provider = providers(settings, session).payments
        report = await Reconciliation(db, vault, provider, clock).run(since)
        left: list[Discrepancy] = []
        after = None
        while len(left) < _MOST_SHOWN:
            page = await payments.discrepancies(
                db, after=after, limit=100, open_only=True
            )
            left += page.items
            after = page.next
            if after is None:
                break
    return report, left


def _show(report: Report, left: list[Discrepancy]) -> None:
    console = Console(highlight=False)
    console.print(
        f"{report.charges} charges, {report.refunds} refunds and {report.orders} "
        "paid orders compared"
    )
    for what, count in sorted(report.repaired.items()):
        console.print(f"  {count} {what.replace('_', ' ')}")
    if not left:
        console.print("The books agree.")
        return
    table = Table("what", "key", "order", "since", "they say", box=None)
    for one in left:
        said = ", ".join(f"{name} {value}" for name, value in one.detail.items())
        table.add_row(
            one.kind,
            Text(one.subject),
            str(one.order_id or ""),
            f"{one.found_at:%Y-%m-%d %H:%M}",
            Text(said),
        )
    console.print(table)
    console.print(f"{report.open} left to look at")


def _as_json(report: Report, left: list[Discrepancy]) -> dict[str, Any]:
    return {
        "charges": report.charges,
        "refunds": report.refunds,
        "orders": report.orders,
        "repaired": dict(report.repaired),
        "open": report.open,
        "items": [
            {
                "kind": one.kind,
                "subject": one.subject,
                "order_id": None if one.order_id is None else str(one.order_id),
                "detail": one.detail,
                "found_at": rfc3339(one.found_at),
                "seen_at": rfc3339(one.seen_at),
            }
            for one in left
        ],
    }
