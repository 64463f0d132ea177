"""Hold the books of the stock against each other, and make them agree again.

Four things must be true of each level: it is the sum of its ledger, what is reserved is
the sum of its reservations, orders hold what they still have to get, and the database
itself would refuse anything else. What orders still have to get rests on their lines,
which must say what shipments and returns do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from uuid import UUID

from holdfast.domain import inventory, ordering
from holdfast.domain.inventory import OrderDrift, OutOfStock
from holdfast.domain.ordering import LineDrift
from holdfast.kernel.clock import Clock
from holdfast.platform.db import ConstraintViolated, Database

ACTOR = "command_line"

Kind: TypeAlias = Literal["guard", "line", "order", "ledger", "reserved", "location"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Finding:
    """Two books that do not agree."""

    kind: Kind
    what: str
    """Which SKU and location, order, constraint or trigger."""
    expected: int | None
    """What one book says: the ledger, the reservations, the order, its shipments."""
    found: int | None
    """What the other says."""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class StockCheck:
    """Looks through the books, and what that takes."""

    db: Database
    clock: Clock

    async def find(self) -> list[Finding]:
        """Everything that does not agree; reads all of the stock."""
        found: list[Finding] = [
            Finding("guard", name, None, None)
            for name in await inventory.missing_guards(self.db)
        ]
        for line in await ordering.line_drift(self.db):
            found += _of_line(line)
        found += [_of_order(drift) for drift in await inventory.order_drift(self.db)]
        for row in await inventory.drift(self.db):
            what = f"{row['sku'] or row['variant_id']} at {row['location']}"
            if row["on_hand"] != row["ledger"]:
                found.append(Finding("ledger", what, row["ledger"], row["on_hand"]))
            if row["reserved"] != row["held"]:
                found.append(Finding("reserved", what, row["held"], row["reserved"]))
        found += [
            Finding("location", f"{row['sku']} at {row['location']}", None, None)
            for row in await inventory.misled_levels(self.db)
        ]
        return found

    async def fix(self) -> list[Finding]:
        """Repair what can be repaired; returns what was found, and what was fixed.

        Lines of orders first, where shipments, returns and the order's record agree
        and they alone do not. Then orders: what they hold too much or too little is
        released or reserved. Then the levels, one a transaction. What cannot be
        repaired (units that are promised and not there, rules the database has lost,
        books of which nobody can say which is right) is left as it is.
        """
        before = await self.find()
        lines = await ordering.line_drift(self.db)
        for order_id in dict.fromkeys(line.order_id for line in lines):
            async with self.db.transaction() as tx:
                await ordering.recount_lines(tx, order_id, actor=ACTOR, at=self.clock())
        drifting = await inventory.order_drift(self.db)
        for order_id in dict.fromkeys(drift.order_id for drift in drifting):
            await self._fix_order(order_id)
        for row in await inventory.drift(self.db):
            await self._fix_level(row["variant_id"], row["location_id"])
        misled = await inventory.misled_levels(self.db)
        if misled:
            async with self.db.transaction() as tx:
                places = [(row["variant_id"], row["location_id"]) for row in misled]
                await inventory.tell_levels(tx, places, at=self.clock())
        return _compared(before, await self.find())

    async def _fix_order(self, order_id: UUID) -> None:
        now = self.clock()
        try:
            async with self.db.transaction() as tx:
                due = await inventory.due_of_order(tx, order_id)
                await inventory.reserve(
                    tx, order_id, due, at=now, instead_of=[order_id]
                )
        except (OutOfStock, ConstraintViolated):
            # More was sold than there is, or the level drifts too: it is told.
            return

    async def _fix_level(self, variant_id: UUID, location_id: UUID) -> None:
        try:
            async with self.db.transaction() as tx:
                await inventory.repair_level(
                    tx, variant_id, location_id, actor=ACTOR, at=self.clock()
                )
        except ConstraintViolated:
            return


def _of_line(drift: LineDrift) -> list[Finding]:
    what = f"{drift.sku}, line {drift.position} of HF-{drift.number}"
    found = (
        Finding("line", f"shipped of {what}", drift.shipped, drift.fulfilled),
        Finding("line", f"returned of {what}", drift.came_back, drift.returned),
    )
    return [finding for finding in found if finding.expected != finding.found]


def _of_order(drift: OrderDrift) -> Finding:
    order = "no order" if drift.number is None else f"HF-{drift.number}"
    what = f"{drift.sku or drift.variant_id} for {order} ({drift.order_id})"
    return Finding("order", what, drift.due, drift.held)


def _compared(before: Sequence[Finding], after: Sequence[Finding]) -> list[Finding]:
    left = {(finding.kind, finding.what) for finding in after}
    earlier = {(finding.kind, finding.what) for finding in before}
    return [
        Finding(n.kind, n.what, n.expected, n.found, (n.kind, n.what) not in left)
        for n in before
    ] + [n for n in after if (n.kind, n.what) not in earlier]
