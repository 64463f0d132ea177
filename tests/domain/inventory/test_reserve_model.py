"""What ``reserve`` gives, and from where, is what a few lines of Python say."""

import asyncio
import dataclasses
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.domain import catalog, inventory
from holdfast.domain.inventory import Move, OutOfStock, Wanted
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows.catalog import create_product

VARIANTS, PLACES = range(2), range(3)
PRIORITIES = (5, 0, 5)
SMALL = st.integers(0, 6)


@dataclasses.dataclass
class Shelf:
    """A level: what is there, kept back, allowed beyond, and in use."""

    on_hand: int
    safety: int
    backorder: int
    active: bool
    promised: int = 0

    def room(self, own: int) -> int:
        if not self.active:
            return 0
        left = self.on_hand + self.backorder - self.safety - self.promised + own
        return max(left, 0)


SHELF = st.builds(Shelf, SMALL, st.integers(0, 2), st.integers(0, 2), st.booleans())
SHELVES = st.lists(SHELF, min_size=6, max_size=6)
LINES = st.lists(
    st.tuples(st.sampled_from(VARIANTS), st.integers(1, 6)), min_size=1, max_size=3
)


def summed(lines):
    return {v: sum(n for w, n in lines if w == v) for v, _ in lines}


def give(shelves, held, wanted):
    """What each shelf gives: the model. None where something falls short."""
    given: dict[tuple[int, int], int] = {}
    in_all = {v: sum(n for (w, _), n in held.items() if w == v) for v in VARIANTS}
    for variant in VARIANTS:
        asked = wanted.get(variant, 0)
        if asked == in_all[variant]:
            given |= {place: n for place, n in held.items() if place[0] == variant}
            continue
        order = sorted(PLACES, key=lambda p: (PRIORITIES[p], p))
        rooms = {p: shelves[variant, p].room(held.get((variant, p), 0)) for p in order}
        if sum(rooms.values()) < asked:
            return None
        whole = [p for p in order if rooms[p] >= asked]
        for p in whole[:1] or order:
            share = min(rooms[p], asked)
            asked -= share
            given[variant, p] = share
    return {place: n for place, n in given.items() if n}


class Room:
    """Two variants at three locations, kept by PostgreSQL."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def furnish(self) -> None:
        name = str(new_id())
        draft = catalog.Draft(
            handle=f"tea-{name}",
            title="Tea",
            options=(catalog.Option("Size", ("0", "1")),),
            variants=tuple(
                catalog.VariantDraft(
                    sku=f"{name}-{n}", price=Money(1, "EUR"), options={"Size": str(n)}
                )
                for n in VARIANTS
            ),
        )
        await create_product(self.db, draft, clock=system_clock)
        skus = [f"{name}-{n}" for n in VARIANTS]
        self.variants = [
            (await inventory.find(self.db, sku)).variant_id for sku in skus
        ]
        # Ids in the order of PLACES: among equal priorities the lower id comes first.
        self.places = sorted([new_id(), new_id(), new_id()])

    async def stock(self, shelves) -> None:
        """Fresh locations with just this on their shelves."""
        self.places = sorted([new_id(), new_id(), new_id()])
        async with self.db.transaction() as tx:
            for number, place in enumerate(self.places):
                await inventory.add_location(
                    *(tx, place, f"p{place}", "Place"),
                    priority=PRIORITIES[number],
                    address=None,
                    at=system_clock(),
                )
            moves = [
                Move(self.variants[v], self.places[p], shelf.on_hand, "receipt")
                for (v, p), shelf in shelves.items()
            ]
            places = [(move.variant_id, move.location_id) for move in moves]
            await inventory.lock_shelves(tx, places, at=system_clock())
            await inventory.move(tx, moves, actor="test", at=system_clock())
            for (v, p), shelf in shelves.items():
                await tx.execute(
                    "UPDATE stock SET safety_stock = $3, backorder_limit = $4 "
                    "WHERE variant_id = $1 AND location_id = $2",
                    *(self.variants[v], self.places[p], shelf.safety, shelf.backorder),
                )

    async def close(self, shelves) -> None:
        async with self.db.transaction() as tx:
            for (v, p), shelf in shelves.items():
                await tx.execute(
                    "UPDATE stock SET active = $3 "
                    "WHERE variant_id = $1 AND location_id = $2",
                    *(self.variants[v], self.places[p], shelf.active),
                )
            # What is elsewhere, also of other examples, is not part of this.
            await tx.execute(
                "UPDATE stock SET active = false WHERE location_id <> ALL($1)",
                self.places,
            )

    async def reserve(self, lines, instead_of=()):
        holder = new_id()
        wanted = [Wanted(self.variants[v], str(v), units) for v, units in lines]
        async with self.db.transaction() as tx:
            await inventory.reserve(
                *(tx, holder, wanted), at=system_clock(), instead_of=instead_of
            )
        return holder

    async def held(self, *holders: UUID):
        """What these have reserved, by variant and place."""
        found: dict[tuple[int, int], int] = {}
        for holder in holders:
            for row in await inventory.reserved_for(self.db, holder):
                at = (
                    self.variants.index(row.variant_id),
                    self.places.index(row.location_id),
                )
                found[at] = found.get(at, 0) + row.quantity
        return found

    async def promised(self, shelves):
        rows = await self.db.fetch(
            "SELECT variant_id, location_id, reserved FROM stock "
            "WHERE location_id = ANY($1)",
            self.places,
        )
        there = {(row[0], row[1]): row[2] for row in rows}
        return {(v, p): there[self.variants[v], self.places[p]] for v, p in shelves}


async def check(room, listed, before, first, then):
    shelves = {
        (v, p): dataclasses.replace(listed[v * len(PLACES) + p])
        for v in VARIANTS
        for p in PLACES
    }
    await room.stock(shelves)
    await room.close(
        {at: dataclasses.replace(n, active=True) for at, n in shelves.items()}
    )
    open_ = {at: dataclasses.replace(n, active=True) for at, n in shelves.items()}
    holders = []
    for lines in (before, first):
        expected = give(open_, {}, summed(lines))
        if expected is None:
            with pytest.raises(OutOfStock):
                await room.reserve(lines)
            continue
        holder = await room.reserve(lines)
        assert await room.held(holder) == expected
        for at, units in expected.items():
            open_[at].promised += units
        holders.append(holder)
    await room.close(shelves)
    for at, shelf in shelves.items():
        shelf.promised = open_[at].promised
    mine = holders[-1:]
    held = await room.held(*mine)

    expected = give(shelves, held, summed(then))
    if expected is None:
        with pytest.raises(OutOfStock) as refused:
            await room.reserve(then, mine)
        assert await room.held(*mine) == held
        for short in refused.value.shortages:
            rooms = [
                shelf.room(held.get(at, 0))
                for at, shelf in shelves.items()
                if str(at[0]) == short.sku
            ]
            assert short.available == sum(rooms) < short.requested
    else:
        holder = await room.reserve(then, mine)
        assert await room.held(holder) == expected
        assert await room.held(*mine) == {}
        for at, shelf in shelves.items():
            shelf.promised += expected.get(at, 0) - held.get(at, 0)
    assert await room.promised(shelves) == {at: n.promised for at, n in shelves.items()}
    assert await inventory.drift(room.db) == []


@pytest.mark.slow
def test_gives_what_a_simple_count_says_and_from_where(database_url):
    with asyncio.Runner() as loop:
        db = loop.run(Database.connect(database_url, size=1))
        room = Room(db)
        loop.run(room.furnish())

        @settings(
            max_examples=60, deadline=None, suppress_health_check=list(HealthCheck)
        )
        @given(SHELVES, LINES, LINES, LINES)
        def holds(listed, before, first, then):
            loop.run(check(room, listed, before, first, then))

        try:
            holds()
        finally:
            loop.run(db.close())
