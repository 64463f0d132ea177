"""The doors of drops, as one process keeps them.

Once a second or two each process reads the drops that have not ended. The first to see
that one is due opens it and draws the lots; while it is open, whoever is first in each
second lets in as many as can be served. Nothing of that is lost when a process dies,
since the door is a row and the next process goes on.

What is behind a door is held and ordered only with a ticket that says that it is its
holder's turn. Checking that takes no look into the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from holdfast.domain import drops, identity
from holdfast.domain.drops import Drop
from holdfast.domain.identity import Caller
from holdfast.domain.ordering import Order
from holdfast.kernel.clock import Clock
from holdfast.kernel.ids import new_id
from holdfast.platform import background, decisions
from holdfast.platform.db import (
    Database,
    DatabaseBusy,
    DatabaseUnavailable,
    Transaction,
)
from holdfast.platform.vault import Vault, VaultLocked
from holdfast.resilience.waiting_room import (
    Capacity,
    Pace,
    Ticket,
    TicketForged,
    read,
)

SCOPE = "orders:write"
"""Who may order for others needs no ticket."""
PRESUMED_PER_SECOND = 10.0
"""That one process can serve, until it has measured it."""

_FAR = timedelta(days=400)
_STEP_SECONDS = 1.0
_IDLE_SECONDS = 2.0
_SMOOTHING = 0.2
_PATIENCE_SECONDS = 3.0
_WORDS: Mapping[type[Exception], str] = {
    drops.DropNotOpen: "not-open",
    drops.AdmissionRequired: "waiting",
    drops.TicketNotValid: "forged",
    drops.DropLimitReached: "limit",
}
_log = structlog.get_logger()


@dataclass(slots=True)
class Door:
    """One drop, and what this process makes of it."""

    drop: Drop
    key: bytes
    seed: bytes
    pace: Pace = field(default_factory=Pace)
    per_second: float = 0.0
    """How fast the line moves, as seen lately."""
    _seen: tuple[datetime, int] | None = None

    def saw(self, drop: Drop, now: datetime) -> None:
        """Take over how far the line has come."""
        self.drop = drop
        if drop.drawn_at is None:
            return
        if self._seen is None:
            self._seen = now, drop.admitted
        seconds = (now - self._seen[0]).total_seconds()
        if seconds >= _STEP_SECONDS:
            moved = (drop.admitted - self._seen[1]) / seconds
            # A line that nobody stands in says nothing about how fast it is.
            if moved or drop.admitted < drop.issued:
                self.per_second += _SMOOTHING * (moved - self.per_second)
            self._seen = now, drop.admitted


@dataclass(frozen=True, slots=True)
class Admission:
    """What of a cart is sold behind a door, and the ticket it is bought with."""

    drop: Drop
    ticket_id: UUID
    units: int


class Doors:
    """All doors of one process."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        *,
        pressure: Callable[[], float] = lambda: 0.0,
        process_time: Callable[[], float] = time.process_time,
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._pressure = pressure
        self._process_time = process_time
        self._doors: dict[UUID, Door] = {}
        self._behind: dict[UUID, UUID] = {}
        self._are_known = False
        self._capacity = Capacity(presumed=PRESUMED_PER_SECOND)
        self._process_id = new_id()
        self._measured: tuple[datetime, float] | None = None

    def find(self, drop_id: UUID) -> Door | None:
        """A door that this process knows: of a drop that has not ended."""
        return self._doors.get(drop_id)

    def served(self) -> None:
        """A checkout was finished: that is what capacity is measured by."""
        if self._doors:
            self._capacity.finished()

    def admissions(
        self, units: Mapping[UUID, int], tickets: str | None, caller: Caller
    ) -> list[Admission]:
        """What of *units*, by variant, needs a ticket; and that it is there.

        *tickets* is what the request brought, with commas between. Raises
        ``DropNotOpen``, ``AdmissionRequired``, ``TicketNotValid``, or
        ``DropLimitReached`` when it is more than one ticket may buy at all.
        """
        if not self._are_known:
            # Rather nothing for a moment than a drop to whoever comes first.
            raise DatabaseUnavailable
        behind = self._behind
        if not behind or identity.may(caller, SCOPE):
            return []
        wanted: dict[UUID, int] = {}
        for variant_id, count in units.items():
            if (drop_id := behind.get(variant_id)) is not None:
                wanted[drop_id] = wanted.get(drop_id, 0) + count
        return [
            self._explained(self._doors[drop_id], count, tickets)
            for drop_id, count in wanted.items()
        ]

    async def follow(self) -> None:
        """Open doors and let people in for ever; what fails is tried again."""
        while True:
            soon = self._clock() + timedelta(seconds=_IDLE_SECONDS)
            busy = any(door.drop.opens_at <= soon for door in self._doors.values())
            # A step before the pause would be cut off by whoever closes at once.
            await asyncio.sleep(_STEP_SECONDS if busy else _IDLE_SECONDS)
            try:
                await self.step()
            except Exception as error:  # noqa: BLE001 - the next second it may work
                _log.warning("doors_not_moved", error=repr(error))

    async def step(self) -> None:
        """Read all doors, open those that are due, and let people in."""
        await self.reread()
        capacity: float | None = None
        for door in list(self._doors.values()):
            now, drop = self._clock(), door.drop
            if drop.closes_at is not None and drop.closes_at <= now:
                async with self._db.statement() as tx:
                    await drops.end(tx, drop.id, at=now)
            elif drop.drawn_at is None:
                if drop.opens_at <= now:
                    await self._draw(door, now)
            else:
                if drop.per_minute is None and capacity is None:
                    capacity = await self._measure(now)
                await self._let_in(door, capacity, now)

    async def reread(self) -> None:
        """Take over what was announced, changed or ended."""
        now = self._clock()
        found = {drop.id: drop for drop in await drops.on(self._db, now + _FAR)}
        for drop_id, drop in found.items():
            door = self._doors.get(drop_id)
            if door is None:
                door = self._doors[drop_id] = self._new(drop)
            door.saw(drop, now)
        self._doors = {n: door for n, door in self._doors.items() if n in found}
        self._behind = {
            variant_id: drop.id
            for drop in found.values()
            for variant_id in drop.variant_ids
        }
        self._are_known = True

    def key_of(self, drop_id: UUID) -> bytes:
        """What the tickets of a drop are signed with."""
        return self._vault.index(str(drop_id), purpose="drop-ticket")

    def seed_of(self, drop_id: UUID) -> bytes:
        """What its lots are drawn with: known to nobody before they are."""
        return self._vault.index(str(drop_id), purpose="drop-lots")

    def _new(self, drop: Drop) -> Door:
        per_second = (drop.per_minute or 0) / 60
        door = Door(drop, self.key_of(drop.id), self.seed_of(drop.id))
        door.per_second = per_second or door.pace.per_second(self._capacity.per_second)
        return door

    def _explained(self, door: Door, units: int, tickets: str | None) -> Admission:
        """``_admission``, and what was decided for whoever asks later."""
        try:
            admission = self._admission(door, units, tickets)
        except tuple(_WORDS) as refusal:
            decisions.note(f"drop:{door.drop.id}={_WORDS[type(refusal)]}")
            raise
        decisions.note(f"drop:{door.drop.id}=admitted")
        return admission

    def _admission(self, door: Door, units: int, tickets: str | None) -> Admission:
        drop = door.drop
        place = tickets_of(drop.id)
        if drop.drawn_at is None:
            raise drops.DropNotOpen(drop.id, drop.opens_at, place)
        ticket = _ticket_for(door, tickets)
        until = None if ticket is None else ticket.admitted_until
        if ticket is None or until is None or until <= self._clock().timestamp():
            raise drops.AdmissionRequired(drop.id, place)
        if units > drop.most_units:
            raise drops.DropLimitReached(drop.id, drop.most_units, 0, units)
        return Admission(drop, ticket.id, units)

    async def _draw(self, door: Door, now: datetime) -> None:
        async with self._db.transaction() as tx:
            if not await drops.begin_draw(tx, door.drop.id, at=now):
                return
            await drops.draw_lots(tx, door.drop.id, door.seed)
        _log.info("drop_opened", drop_id=str(door.drop.id), tickets=door.drop.issued)
        await self.reread()

    async def _let_in(self, door: Door, capacity: float | None, now: datetime) -> None:
        drop = door.drop
        if drop.paced_at is None or drop.admitted >= drop.issued:
            # Nobody waits; who comes next is let in by the next step.
            count = 0
        else:
            seconds = (now - drop.paced_at).total_seconds()
            if drop.per_minute is not None:
                count = _fixed(door.pace, seconds, drop.per_minute)
            else:
                count = door.pace.step(seconds, capacity or 0.0, self._pressure())
        async with self._db.statement() as tx:
            admitted = await drops.admit(tx, drop, count, at=now)
        if admitted is not None:
            door.saw(replace(drop, admitted=admitted, paced_at=now), now)

    async def _measure(self, now: datetime) -> float:
        cpu = self._process_time()
        if self._measured is not None:
            seconds = (now - self._measured[0]).total_seconds()
            if seconds > 0:
                busy = (cpu - self._measured[1]) / seconds
                pool = self._db.in_use / max(self._db.size, 1)
                self._capacity.measure(seconds, max(busy, pool))
        self._measured = now, cpu
        async with self._db.statement() as tx:
            return await drops.note_capacity(
                tx, self._process_id, self._capacity.per_second, at=now
            )


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who comes to order, and with which tickets (commas between)."""

    doors: Doors
    tickets: str | None
    caller: Caller

    def check(self, units: Mapping[UUID, int]) -> None:
        """Raise what ``Doors.admissions`` does, if they may not have *units*."""
        self.doors.admissions(units, self.tickets, self.caller)

    async def admit(self, tx: Transaction, order: Order) -> None:
        """Let an order be placed, in its own transaction, and note what it buys.

        Raises the same, and ``DropLimitReached`` when so much was bought before.
        """
        units: dict[UUID, int] = {}
        for line in order.lines:
            units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
        found = self.doors.admissions(units, self.tickets, self.caller)
        for one in sorted(found, key=lambda n: n.ticket_id):
            # Of two orders with one ticket the second sees the first.
            if await drops.lock_ticket(tx, one.ticket_id) != one.drop.id:
                raise drops.TicketNotValid
            bought = await drops.bought(tx, one.ticket_id)
            if bought + one.units > one.drop.most_units:
                raise drops.DropLimitReached(
                    one.drop.id, one.drop.most_units, bought, one.units
                )
            await drops.note_purchase(tx, order.id, one.ticket_id, one.units)


@asynccontextmanager
async def followed(doors: Doors) -> AsyncIterator[Doors]:
    """*doors*, kept moving until the end.

    They are read before anything is sold; without a database nothing is.
    """
    with suppress(DatabaseUnavailable, DatabaseBusy, VaultLocked, TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await doors.reread()
    following = asyncio.create_task(doors.follow(), name="doors")
    try:
        yield doors
    finally:
        await background.end(following)


def tickets_of(drop_id: UUID) -> str:
    """Where the tickets of a drop are to be had."""
    return f"/v1/drops/{drop_id}/tickets"


def _fixed(pace: Pace, seconds: float, per_minute: int) -> int:
    # The share is of a capacity; what an operator says is what they want.
    return pace.step(seconds, per_minute / 60 / pace.share, 0.0)


def _ticket_for(door: Door, tickets: str | None) -> Ticket | None:
    for text in (tickets or "").split(","):
        if not text.strip():
            continue
        try:
            ticket = read(text.strip(), door.key)
        except TicketForged:
            # Of another drop, perhaps: each has a key of its own.
            continue
        if ticket.room == door.drop.id:
            return ticket
    if (tickets or "").strip():
        raise drops.TicketNotValid
    return None
