"""Hold the provider's books against ours: repair what is certain, list what is not.

Reads every charge and refund of the provider since a time, page by page, every paid
order and succeeded refund of ours, and the orders, however old, of which a refund
failed since. What seems to differ is looked at a second
time, both sides fresh, because either may have moved while the other was read. What
still differs is one open row each, closed when it is gone.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from holdfast.domain import payments
from holdfast.domain.payments import (
    Charge,
    ChargeRefund,
    Difference,
    Owed,
    Progress,
    Provider,
    Refund,
    Repair,
    Verdict,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.page import Page
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import refunds
from holdfast.workflows.payment_webhooks import (
    act_on_charge,
    act_on_refund,
    id_of,
    note_difference,
)

T = TypeVar("T")

# Their clock and ours may differ, and an order is older than its charge.
_MARGIN = timedelta(hours=1)
_BATCH = 500
_MANY = 100
# An order that moves each time it is looked at is looked at the next time.
_LOOKS = 3

_OF_REFUNDS = frozenset(
    {
        Difference.UNKNOWN_REFUND,
        Difference.REFUND_DIFFERS,
        Difference.REFUND_UNKNOWN_AT_PROVIDER,
    }
)


@dataclass
class Report:
    """What a reconciliation looked at, mended and found."""

    charges: int = 0
    refunds: int = 0
    orders: int = 0
    repaired: Counter[str] = field(default_factory=Counter)
    new: int = 0
    """Differences that nobody has seen before."""
    open: int = 0
    """Differences that are left, older ones among them."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Two sets of books, and what it takes to compare them."""

    db: Database
    vault: Vault
    provider: Provider
    clock: Clock

    async def run(self, since: datetime) -> Report:
        """Compare what happened since; ``PaymentOutcomeUnknown`` if they do not answer.

        What was repaired until then stays so; the rest is found the next time.
        """
        report = Report()
        books = _Seen()
        start = since - _MARGIN
        async for charges in _pages(self.provider.charges, start):
            report.charges += len(charges)
            await self._charges(charges, books, report)
        async for listed in _pages(self.provider.refunds, start):
            report.refunds += len(listed)
            await self._refunds(listed, books, report)
        await self._paid_orders(since, books, report)
        await self._succeeded_refunds(since, books, report)
        await self._failed_refunds(since, books, report)
        await self._open(books, report)
        report.open = await payments.count_discrepancies(self.db)
        return report

    async def _charges(
        self, theirs: list[Charge], books: "_Seen", report: Report
    ) -> None:
        ids = {charge.key: id_of(charge.key) for charge in theirs}
        ours = await payments.owed(self.db, [i for i in ids.values() if i is not None])
        for charge in theirs:
            order_id = ids[charge.key]
            order = None if order_id is None else ours.get(order_id)
            if payments.compare_charge(charge, order) is None:
                books.same.add(charge.key)
            else:
                await self._charge_again(charge.key, books, report)

    async def _refunds(
        self, theirs: list[ChargeRefund], books: "_Seen", report: Report
    ) -> None:
        ids = {refund.key: id_of(refund.key) for refund in theirs}
        ours = await payments.refunds_by_key(
            self.db, [i for i in ids.values() if i is not None]
        )
        for refund in theirs:
            refund_id = ids[refund.key]
            known = None if refund_id is None else ours.get(refund_id)
            if payments.compare_refund(refund, known) is None:
                books.same.add(refund.key)
            else:
                await self._refund_again(refund.key, books, report)

    async def _paid_orders(
        self, since: datetime, books: "_Seen", report: Report
    ) -> None:
        """Orders that were paid here, and that no charge of theirs was for."""
        last: UUID | None = None
        while ids := await payments.paid_since(
            self.db, since, after=last, limit=_BATCH
        ):
            report.orders += len(ids)
            for order_id in ids:
                if str(order_id) not in books:
                    await self._charge_again(str(order_id), books, report)
            last = ids[-1]

    async def _succeeded_refunds(
        self, since: datetime, books: "_Seen", report: Report
    ) -> None:
        last: UUID | None = None
        while found := await payments.succeeded_since(
            self.db, since, after=last, limit=_BATCH
        ):
            for refund in found:
                if str(refund.id) not in books:
                    await self._refund_again(str(refund.id), books, report)
            last = found[-1].id

    async def _failed_refunds(
        self, since: datetime, books: "_Seen", report: Report
    ) -> None:
        """Whoever was to get that money may have paid long before."""
        last: UUID | None = None
        while ids := await payments.failed_since(
            self.db, since, after=last, limit=_BATCH
        ):
            for order_id in ids:
                if str(order_id) not in books:
                    await self._charge_again(str(order_id), books, report)
            last = ids[-1]

    async def _open(self, books: "_Seen", report: Report) -> None:
        """Look again at differences from before: they may be gone."""
        after: str | None = None
        while True:
            page = await payments.discrepancies(
                self.db, after=after, limit=_MANY, open_only=True
            )
            for one in page.items:
                if one.subject in books.looked:
                    continue
                if one.kind in _OF_REFUNDS:
                    await self._refund_again(one.subject, books, report)
                else:
                    await self._charge_again(one.subject, books, report)
            if page.next is None:
                return
            after = page.next

    async def _charge_again(self, key: str, books: "_Seen", report: Report) -> None:
        """Look at both sides afresh, then repair or write down what differs."""
        books.looked.add(key)
        order_id = id_of(key)
        verdict: Verdict = None
        for _ in range(_LOOKS):
            before = await self._owed(order_id)
            theirs = await self.provider.find_charge(key)
            async with self.db.transaction() as tx:
                ours = await self._held(tx, order_id)
                if ours != before:
                    # It moved while they were asked: what they said may be older.
                    continue
                if theirs is not None:
                    verdict = payments.compare_charge(theirs, ours)
                elif ours is not None:
                    verdict = payments.compare_absent_charge(ours)
                if isinstance(verdict, Repair) and theirs and ours:
                    new = await act_on_charge(
                        tx, self.vault, verdict, theirs, ours, clock=self.clock
                    )
                    verdict = await self._done(tx, verdict, ours, report, new=new)
                await self._write(
                    *(tx, verdict, theirs), key=key, order_id=order_id, report=report
                )
            if verdict is Repair.RELEASE and theirs and ours:
                await self._release(theirs, ours, report)
            return

    async def _done(
        self, tx: Transaction, verdict: Repair, ours: Owed, report: Report, *, new: bool
    ) -> Verdict:
        """Count a repair; money that could not be given back is for a person."""
        if verdict is Repair.RELEASE:
            return verdict
        if new:
            report.repaired[verdict] += 1
            return None
        if ours.captured:
            # What is on its way does not count as kept: it failed.
            return Difference.CHARGED_FOR_NOTHING
        refund = await payments.find_refund(tx, refunds.stray_id(ours.id))
        if refund.status is Progress.FAILED:
            return Difference.CHARGED_FOR_NOTHING
        # On its way since before.
        return None

    async def _release(self, theirs: Charge, ours: Owed, report: Report) -> None:
        """Nobody is waiting for this money any more."""
        if theirs.status == "authorized":
            await self.provider.void(key=theirs.key)
        else:
            await self.provider.settle(
                key=theirs.key, amount=ours.total_money, give_up=True
            )
        report.repaired[Repair.RELEASE] += 1

    async def _refund_again(self, key: str, books: "_Seen", report: Report) -> None:
        books.looked.add(key)
        refund_id = id_of(key)
        verdict: Verdict = None
        for _ in range(_LOOKS):
            before = await self._refund(self.db, refund_id)
            theirs = await self.provider.find_refund(key)
            async with self.db.transaction() as tx:
                ours = await self._refund(tx, refund_id)
                if ours != before:
                    continue
                if theirs is not None:
                    verdict = payments.compare_refund(theirs, ours)
                elif ours is not None:
                    verdict = payments.compare_absent_refund(ours)
                if isinstance(verdict, Repair) and theirs and ours:
                    await act_on_refund(tx, theirs, ours, clock=self.clock)
                    report.repaired[verdict] += 1
                    verdict = None
                order_id = None if ours is None else ours.order_id
                await self._write(
                    *(tx, verdict, theirs), key=key, order_id=order_id, report=report
                )
            return

    async def _owed(self, order_id: UUID | None) -> Owed | None:
        if order_id is None:
            return None
        return (await payments.owed(self.db, [order_id])).get(order_id)

    async def _held(self, tx: Transaction, order_id: UUID | None) -> Owed | None:
        return None if order_id is None else await payments.lock_money(tx, order_id)

    async def _refund(
        self, connection: Connection, refund_id: UUID | None
    ) -> Refund | None:
        if refund_id is None:
            return None
        return (await payments.refunds_by_key(connection, [refund_id])).get(refund_id)

    async def _write(
        self,
        tx: Transaction,
        verdict: Verdict,
        theirs: Charge | ChargeRefund | None,
        *,
        key: str,
        order_id: UUID | None,
        report: Report,
    ) -> None:
        left = [verdict] if isinstance(verdict, Difference) else []
        await payments.resolve_discrepancies(tx, key, except_=[*left], at=self.clock())
        for kind in left:
            report.new += await note_difference(
                tx, kind, key, theirs=theirs, order_id=order_id, clock=self.clock
            )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Keys that were in the lists, and those that were looked at one by one."""

    same: set[str] = field(default_factory=set)
    looked: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        return key in self.same or key in self.looked


async def _pages(
    read: Callable[..., Awaitable[Page[T]]], created_from: datetime
) -> AsyncIterator[list[T]]:
    """Every page of a list of the provider's."""
    after: str | None = None
    while True:
        page = await read(created_from=created_from, after=after)
        yield page.items
        if page.next is None:
            return
        after = page.next
