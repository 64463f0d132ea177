"""Reads what the shop and the provider have written down, once all has come to rest."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from holdfast.cli.prove.facts import Charge, Facts, Level, Order
from holdfast.cli.prove.levels import Change
from holdfast.cli.prove.verdict import Verdict
from holdfast.kernel.clock import monotonic, system_clock
from holdfast.platform import http, jobs
from holdfast.platform.circuits import CONTROL
from holdfast.platform.data_keys import open_vault
from holdfast.platform.db import Database
from holdfast.platform.dependencies import PAYMENT
from holdfast.platform.embedded.part import Tick
from holdfast.platform.settings import Secret, Settings
from holdfast.resilience.circuit import State
from holdfast.workflows.controls import ControlChanges
from holdfast.workflows.providers import providers
from holdfast.workflows.reconciliation import Reconciliation
from holdfast.workflows.stock_check import Finding, StockCheck

_LOOK_SECONDS = 0.2
_MANY = 100
_SINCE = timedelta(hours=1)
_UNREST = """
SELECT (SELECT count(*) FROM orders WHERE status = 'pending') AS pending_orders,
       (SELECT count(*) FROM outbox WHERE relayed_at IS NULL) AS events_not_relayed,
       (SELECT count(*) FROM reservations WHERE expires_at IS NOT NULL) AS holds,
       (SELECT count(*) FROM idempotency_keys WHERE status IS NULL
        AND lease_until > now()) AS keys_in_progress
"""
_ORDERS = """
SELECT o.id::text, 'HF-' || o.number AS number, o.cart_id::text AS cart, o.status,
       o.total_amount AS total, o.currency, o.captured_amount AS captured,
       o.refunded_amount AS refunded,
       array_agg(ARRAY[l.sku, (l.quantity - l.canceled_quantity)::text]
                 ORDER BY l.position) AS lines
FROM orders o JOIN order_lines l ON l.order_id = o.id
GROUP BY o.id
"""
_LEVELS = """
SELECT v.sku, s.on_hand, s.reserved, s.available,
       coalesce(sum(r.quantity) FILTER (WHERE r.expires_at IS NOT NULL), 0)::bigint
           AS held,
       coalesce(sum(r.quantity) FILTER (WHERE r.expires_at IS NULL), 0)::bigint
           AS promised
FROM stock s
JOIN variants v ON v.id = s.variant_id
LEFT JOIN reservations r USING (variant_id, location_id)
WHERE v.sku = ANY($1)
GROUP BY v.sku, s.variant_id, s.location_id
"""
_CHANGES = """
SELECT c.tx, v.sku, c.location_id::text, c.promised, coalesce(c.before, 0),
       coalesce(c.reserved, 0), coalesce(c.on_hand, 0),
       extract(epoch FROM c.at)::float8
FROM prove.changes c JOIN variants v ON v.id = c.variant_id
ORDER BY c.seq
"""
_COUNTED = """
SELECT (SELECT count(*) FROM stock) AS levels, (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM pg_constraint WHERE conrelid = 'stock'::regclass)
       + (SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal) AS guards
"""
_CHECKED = (
    ("ledger, levels and reservations agree", {"ledger", "reserved"}, "levels"),
    ("every order holds what it is owed, and no more", {"order", "line"}, "orders"),
    ("the database's own rules are in force", {"guard"}, "guards"),
    ("levels know where they are", {"location"}, "levels"),
)
"""Promises, what the shop's own check calls their violations, and of how many."""


@dataclass(frozen=True, slots=True)
class Books:
    """An open look at one shop."""

    settings: Settings
    db: Database
    session: aiohttp.ClientSession

    async def rest(self, seconds: float, *, tick: Tick) -> Mapping[str, int]:
        """Wait until nothing moves; what still does when that takes too long."""
        give_up = monotonic() + seconds
        while True:
            tick()
            moving = await self._moving()
            if not moving or monotonic() > give_up:
                return moving
            await asyncio.sleep(_LOOK_SECONDS)

    async def ask_whoever_fails(self) -> None:
        """Let the circuit before the payment provider watch only, in all processes.

        It does what it is for when the provider fails on purpose: most checkouts would
        be refused before they ask, for up to a minute, and prove nothing.
        """
        vault = await open_vault(self.db, self.settings.data_key, clock=system_clock)
        watching = {"mode": State.METRICS_ONLY.value}
        changes = ControlChanges(self.db, vault, system_clock)
        await changes.set(CONTROL + PAYMENT, watching, actor="prove")

    async def facts(self, units: Mapping[str, int]) -> Facts:
        """Orders, charges and levels as they are."""
        levels = await self.db.fetch(_LEVELS, list(units))
        orders = await self.db.fetch(_ORDERS)
        return Facts(
            [_order(row) for row in orders],
            [charge async for charge in self._charges()],
            [Level(units=units[row["sku"]], **dict(row)) for row in levels],
        )

    async def changes(self) -> list[Change]:
        """Every change of the stock, in the order of the commits of each level."""
        return [Change(*row) for row in await self.db.fetch(_CHANGES)]

    async def verdicts(self) -> list[Verdict]:
        """What the shop's own checks say of its books."""
        found = await StockCheck(self.db, system_clock).find()
        counted = dict(await self.db.fetchrow(_COUNTED) or {})
        own = []
        for promise, kinds, of in _CHECKED:
            broken = [_finding(n) for n in found if n.kind in kinds]
            own.append(Verdict(promise, counted[of], broken))
        return [*own, await self._reconciled(), await self._at_rest()]

    async def _reconciled(self) -> Verdict:
        vault = await open_vault(self.db, self.settings.data_key, clock=system_clock)
        provider = providers(self.settings, self.session).payments
        since = system_clock() - _SINCE
        report = await Reconciliation(self.db, vault, provider, system_clock).run(since)
        broken = [f"{n} x {what}" for what, n in sorted(report.repaired.items())]
        if report.open:
            broken.append(f"{report.open} differences are left")
        return Verdict(
            "the provider's books and ours agree",
            report.charges + report.orders,
            broken,
        )

    async def _at_rest(self) -> Verdict:
        backlog = await jobs.backlog(self.db)
        moving = dict(await self._moving())
        moving["jobs given up"] = backlog.failed
        relayed = await self.db.fetchval("SELECT count(*) FROM outbox")
        broken = [f"{n} {what.replace('_', ' ')}" for what, n in moving.items() if n]
        return Verdict("every event is relayed and every job ends", relayed, broken)

    async def _moving(self) -> dict[str, int]:
        row = await self.db.fetchrow(_UNREST)
        backlog = await jobs.backlog(self.db)
        found = {**dict(row or {}), "jobs": backlog.queued + backlog.running}
        return {what: n for what, n in found.items() if n}

    async def _charges(self) -> AsyncIterator[Charge]:
        after = ""
        while True:
            page = await self._page(after)
            for item in page["items"]:
                yield msgspec.convert(item, Charge, strict=False)
            after = page.get("next") or ""
            if not after:
                return

    async def _page(self, after: str) -> Any:
        url = f"{self.settings.payment_url}/v1/charges?limit={_MANY}"
        async with self.session.get(f"{url}&after={after}" if after else url) as answer:
            return await answer.json()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Books]:
    """Look at the shop of *settings*."""
    db = await Database.connect(settings.database_url or Secret(""), size=2)
    try:
        async with http.session() as session:
            yield Books(settings, db, session)
    finally:
        await db.close()


def _finding(found: Finding) -> str:
    if found.expected is None and found.found is None:
        return found.what
    return f"{found.what}: {found.found}, and not {found.expected}"


def _order(row: Any) -> Order:
    lines = tuple((sku, int(quantity)) for sku, quantity in row["lines"])
    return Order(**{**dict(row), "lines": lines})
