"""An order is changed before anything of it is sent.

Lines are reduced, removed and added, the stock of what is then wanted is reserved
anew, all or none, and what the order is worth less goes back, in one transaction. An
order never comes to cost more: more money takes another payment, and so another order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

from holdfast.domain import inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Wanted as Units
from holdfast.domain.ordering import Address, Order, OrderStatus
from holdfast.domain.payments import Provider
from holdfast.kernel.clock import Clock
from holdfast.platform import outbox
from holdfast.platform.db import Database, Transaction
from holdfast.platform.idempotency import Answer, Claim
from holdfast.platform.vault import Vault
from holdfast.workflows.actors import actor_of
from holdfast.workflows.cancellation import carry_out
from holdfast.workflows.cart_lines import LineWanted, price
from holdfast.workflows.giving_back import give_back
from holdfast.workflows.once import once

Render: TypeAlias = Callable[[Order], Answer]


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Where it goes and who is told; UNSET keeps."""

    email: str | UnsetType = UNSET
    shipping_address: Address | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of the lines."""

    quantities: Mapping[int, int] = field(default_factory=dict)
    """How many of a line are kept, by position; 0 removes it."""
    add: Sequence[LineWanted] = ()


@dataclass(frozen=True, slots=True)
class Edits:
    """An operator who changes orders, and what it takes."""

    db: Database
    vault: Vault
    payments: Provider
    clock: Clock
    caller: Caller

    async def change_person(self, order_id: UUID, wanted: PersonChange) -> Order:
        """Change where an order goes, or who is told of it.

        Raises ``OrderNotFound``, ``OrderNotOpen``, ``OrderShipped`` or
        ``BuyerErased``. The price of the shipping stays what it was.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            order = await ordering.lock(tx, self.vault, order_id)
            _check_open(order)
            if order.email is None or order.shipping_address is None:
                raise ordering.BuyerErased
            changed = replace(
                order,
                email=order.email if wanted.email is UNSET else wanted.email,
                shipping_address=(
                    order.shipping_address
                    if wanted.shipping_address is UNSET
                    else wanted.shipping_address
                ),
            )
            if changed == order:
                return order
            await ordering.change_person(
                *(tx, self.vault, changed),
                was=order,
                actor=actor_of(self.caller),
                at=now,
            )
            await _tell(tx, order_id, self.clock)
        return changed

    async def edit(
        self, order_id: UUID, wanted: Edit, *, claim: Claim, render: Render
    ) -> tuple[Answer, bool]:
        """Change the lines of an order; returns whether it is a replay.

        Raises ``OrderNotFound``, ``OrderNotOpen``, ``OrderShipped``, ``LinesNotOpen``,
        ``NothingLeft``, ``EditNeedsPayment``, ``OutOfStock``, and what is wrong with
        lines that are added. Nothing is changed then.
        """
        promised: list[UUID] = []

        async def work(tx: Transaction) -> Answer:
            promised.clear()
            return render(await self._edit(tx, order_id, wanted, promised))

        answer, replayed = await once(
            claim,
            work,
            subject=order_id,
            db=self.db,
            vault=self.vault,
            clock=self.clock,
        )
        if not replayed:
            await carry_out(promised, self.db, self.payments, self.clock)
        return answer, replayed

    async def _edit(
        self, tx: Transaction, order_id: UUID, wanted: Edit, promised: list[UUID]
    ) -> Order:
        now, actor = self.clock(), actor_of(self.caller)
        before = await ordering.lock(tx, self.vault, order_id)
        _check_open(before)
        fewer = _fewer(before, wanted.quantities)
        if not fewer and not wanted.add:
            return before
        if wanted.add:
            lines = await price(
                *(tx, wanted.add, before.currency),
                account_id=before.account_id,
                at=now,
            )
            ordering.check_line_count(len(before.lines) + len(lines))
            await ordering.add_lines(tx, order_id, lines, actor=actor, at=now)
        if fewer:
            await ordering.cancel_lines(
                tx, order_id, fewer, reason="edited", actor=actor, at=now
            )
        after = await ordering.find(tx, self.vault, order_id)
        _check_worth(before, after)
        await inventory.reserve(
            tx, order_id, _wanted(after), at=now, instead_of=[order_id]
        )
        promised += await give_back(
            *(tx, self.vault, before, after),
            reason="edited",
            actor=actor,
            clock=self.clock,
        )
        await _tell(tx, order_id, self.clock)
        return await ordering.find(tx, self.vault, order_id)


def _check_open(order: Order) -> None:
    if order.status is not OrderStatus.CONFIRMED:
        raise ordering.OrderNotOpen(order.status)
    if any(line.fulfilled for line in order.lines):
        raise ordering.OrderShipped


def _fewer(order: Order, quantities: Mapping[int, int]) -> dict[int, int]:
    """How many of each line are canceled, by what is to be kept of it."""
    kept = {line.position: line.unfulfilled for line in order.lines}
    wrong = [
        position
        for position, quantity in quantities.items()
        if not 0 <= quantity <= kept.get(position, -1)
    ]
    if wrong:
        raise ordering.LinesNotOpen(sorted(wrong))
    return {
        position: fewer
        for position, quantity in quantities.items()
        if (fewer := kept[position] - quantity)
    }


def _check_worth(before: Order, after: Order) -> None:
    if after.status is not OrderStatus.CONFIRMED:
        raise ordering.NothingLeft
    value, allowed = ordering.value_of(after), ordering.value_of(before)
    if value.amount > allowed.amount:
        raise ordering.EditNeedsPayment(value, allowed)


def _wanted(order: Order) -> list[Units]:
    return [
        Units(line.variant_id, line.sku, line.unfulfilled)
        for line in order.lines
        if line.unfulfilled
    ]


async def _tell(tx: Transaction, order_id: UUID, clock: Clock) -> None:
    event = outbox.event(ordering.EDITED, order_id=str(order_id))
    await outbox.publish(tx, [event], at=clock())
