"""Transfers: units leave one location, are on no shelf for a while, and arrive.

Leaving and arriving are lines of the ledger. What is canceled on its way goes back to
where it came from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from holdfast.domain import inventory
from holdfast.domain.inventory import (
    Move,
    NotEnoughOnHand,
    StockLineRepeated,
    Transfer,
    TransferInvalid,
    TransferState,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform.db import Database, Transaction

_UNDER_WAY = ("in_transit", "partly_received")


@dataclass(frozen=True, slots=True)
class Units:
    """So many of a SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Transfers:
    """What can be done with transfers, and what it takes."""

    db: Database
    clock: Clock

    async def create(
        self,
        source: str,
        destination: str,
        lines: Iterable[Units],
        *,
        reference: str,
        actor: str,
    ) -> Transfer:
        """Plan a transfer; nothing moves until it is dispatched.

        Raises ``LocationNotFound``, ``UnknownStock``, ``StockLineRepeated`` or
        ``TransferInvalid``.
        """
        if source == destination:
            raise TransferInvalid("a transfer goes from one location to another")
        quantities = _by_sku(lines, source)
        transfer_id = new_id()
        async with self.db.transaction() as tx:
            variants = await inventory.variants_of(tx, list(quantities))
            await inventory.add_transfer(
                tx,
                transfer_id,
                source=(await inventory.find_location(tx, source)).id,
                destination=(await inventory.find_location(tx, destination)).id,
                quantities={variants[sku]: n for sku, n in quantities.items()},
                reference=reference,
                actor=actor,
                at=self.clock(),
            )
            return await inventory.find_transfer(tx, transfer_id)

    async def dispatch(self, transfer_id: UUID, *, actor: str) -> Transfer:
        """The units leave; ``NotEnoughOnHand`` if they are not there or promised."""
        now = self.clock()
        async with self.db.transaction() as tx:
            transfer = await self._locked(tx, transfer_id, "pending")
            units = {line.variant_id: line.quantity for line in transfer.lines}
            await _check_there(tx, transfer, units, now)
            leaving = {variant: -number for variant, number in units.items()}
            await _write(
                tx,
                transfer,
                leaving,
                location_id=transfer.from_location_id,
                actor=actor,
                at=now,
            )
            await inventory.step_transfer(tx, transfer, "in_transit", dispatched_at=now)
            return await inventory.find_transfer(tx, transfer_id)

    async def receive(
        self, transfer_id: UUID, lines: Iterable[Units] | None, *, actor: str
    ) -> Transfer:
        """Units arrive: those of *lines*, or all that are missing.

        Raises ``TransferState`` unless it is under way, ``TransferInvalid`` for more
        than is missing.
        """
        now = self.clock()
        async with self.db.transaction() as tx:
            transfer = await self._locked(tx, transfer_id, *_UNDER_WAY)
            missing = {n.sku: n.missing for n in transfer.lines if n.missing}
            arrived = missing
            if lines is not None:
                arrived = _by_sku(lines, transfer.destination)
            for sku, number in arrived.items():
                if number > missing.get(sku, 0):
                    raise TransferInvalid(
                        f"of {sku} {missing.get(sku, 0)} are under way, not {number}"
                    )
            variants = {line.sku: line.variant_id for line in transfer.lines}
            units = {variants[sku]: number for sku, number in arrived.items()}
            await _write(
                tx,
                transfer,
                units,
                location_id=transfer.to_location_id,
                actor=actor,
                at=now,
            )
            whole = sum(arrived.values()) == sum(missing.values())
            await inventory.step_transfer(
                tx,
                transfer,
                "received" if whole else "partly_received",
                received=units,
                closed_at=now if whole else None,
            )
            return await inventory.find_transfer(tx, transfer_id)

    async def cancel(self, transfer_id: UUID, *, actor: str) -> Transfer:
        """Nothing more arrives: what is under way is back where it came from."""
        now = self.clock()
        async with self.db.transaction() as tx:
            transfer = await self._locked(tx, transfer_id, "pending", *_UNDER_WAY)
            if transfer.status != "pending":
                back = {n.variant_id: n.missing for n in transfer.lines if n.missing}
                await _write(
                    tx,
                    transfer,
                    back,
                    location_id=transfer.from_location_id,
                    actor=actor,
                    at=now,
                )
            await inventory.step_transfer(tx, transfer, "canceled", closed_at=now)
            return await inventory.find_transfer(tx, transfer_id)

    @staticmethod
    async def _locked(tx: Transaction, transfer_id: UUID, *allowed: str) -> Transfer:
        transfer = await inventory.lock_transfer(tx, transfer_id)
        if transfer.status not in allowed:
            raise TransferState(transfer_id, transfer.status)
        return transfer


def _by_sku(lines: Iterable[Units], location: str) -> dict[str, int]:
    quantities: dict[str, int] = {}
    for line in lines:
        if line.sku in quantities:
            raise StockLineRepeated(line.sku, location)
        quantities[line.sku] = line.quantity
    return quantities


async def _check_there(
    tx: Transaction, transfer: Transfer, units: Mapping[UUID, int], at: datetime
) -> None:
    places = [(variant, transfer.from_location_id) for variant in units]
    levels = await inventory.lock_shelves(tx, places, at=at)
    for (variant, _), level in levels.items():
        free = min(
            level.on_hand, level.on_hand + level.backorder_limit - level.reserved
        )
        if units[variant] > free:
            raise NotEnoughOnHand(str(variant), units[variant], max(free, 0))


async def _write(
    tx: Transaction,
    transfer: Transfer,
    units: Mapping[UUID, int],
    *,
    location_id: UUID,
    actor: str,
    at: datetime,
) -> None:
    moves = [
        Move(variant, location_id, number, "transfer", transfer.reference)
        for variant, number in units.items()
    ]
    reference = f"transfer {transfer.id}"
    await inventory.move(tx, moves, actor=actor, reference=reference, at=at)
