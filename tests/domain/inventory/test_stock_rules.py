"""Whatever is done to stock, in whatever order, the books balance."""

import asyncio

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from holdfast.domain import catalog, inventory
from holdfast.domain.inventory import (
    MAIN,
    NotReserved,
    OutOfStock,
    StockBelowReserved,
    Wanted,
)
from holdfast.kernel.clock import system_clock
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.platform.db import Database
from holdfast.workflows.catalog import create_product

UNITS = st.integers(1, 6)
CHOSEN = st.lists(st.tuples(st.integers(0, 2), UNITS), min_size=1, max_size=4)
LEAVING = {"location_id": MAIN, "actor": "test", "reference": "parcel"}
LINES = st.lists(st.integers(0, 20), min_size=3, max_size=3)


class Stockkeeping(RuleBasedStateMachine):
    """Three variants, kept twice: by PostgreSQL, and by a few lines of Python."""

    loop: asyncio.Runner
    db: Database

    open_orders = Bundle("open_orders")
    closed_orders = Bundle("closed_orders")

    def __init__(self):
        super().__init__()
        self.on_hand = [0, 0, 0]
        self.held: dict[object, list[int]] = {}
        name = str(new_id())
        self.skus = [f"{name}-{n}" for n in range(3)]
        draft = catalog.Draft(
            handle=f"tea-{name}",
            title="Tea",
            options=(catalog.Option("Size", ("0", "1", "2")),),
            variants=tuple(
                catalog.VariantDraft(
                    sku=sku, price=Money(1, "EUR"), options={"Size": sku[-1]}
                )
                for sku in self.skus
            ),
        )
        self.run(create_product(self.db, draft, clock=system_clock))
        levels = [self.run(inventory.find(self.db, sku)) for sku in self.skus]
        self.variants = [level.variant_id for level in levels]

    def run(self, doing):
        return self.loop.run(doing)

    async def do(self, act, *args, **kwargs):
        async with self.db.transaction() as tx:
            return await act(tx, *args, **kwargs, at=system_clock())

    @property
    def reserved(self):
        return [sum(units[n] for units in self.held.values()) for n in range(3)]

    @rule(target=open_orders, chosen=CHOSEN)
    def reserve(self, chosen):
        order_id = new_id()
        wanted = [Wanted(self.variants[n], self.skus[n], units) for n, units in chosen]
        asked = [sum(u for m, u in chosen if m == n) for n in range(3)]
        free = [have - held for have, held in zip(self.on_hand, self.reserved)]  # noqa: B905
        short = {n for n in range(3) if asked[n] > free[n]}
        try:
            self.run(self.do(inventory.reserve, order_id, wanted))
        except OutOfStock as refused:
            named = {self.skus.index(s.sku): s for s in refused.shortages}
            assert named.keys() == short
            assert all(named[n].available == free[n] for n in short)
            return multiple()
        assert not short
        self.held[order_id] = asked
        return order_id

    @rule(target=closed_orders, order_id=consumes(open_orders))
    def ship(self, order_id):
        sold = self.held.pop(order_id)
        self.run(self.do(inventory.ship, order_id, self.units(sold), **LEAVING))
        self.on_hand = [have - units for have, units in zip(self.on_hand, sold)]  # noqa: B905
        return order_id

    @rule(target=closed_orders, order_id=consumes(open_orders))
    def release(self, order_id):
        self.run(self.do(inventory.release, order_id))
        del self.held[order_id]
        return order_id

    @rule(order_id=closed_orders, again=st.booleans())
    def end_once_more(self, order_id, again):
        if again:
            with pytest.raises(NotReserved):
                self.run(
                    self.do(inventory.ship, order_id, self.units([1, 0, 0]), **LEAVING)
                )
        else:
            assert not self.run(self.do(inventory.release, order_id))

    def units(self, numbers):
        return {v: n for v, n in zip(self.variants, numbers) if n}  # noqa: B905

    @rule(levels=LINES)
    def count(self, levels):
        wanted = dict(zip(self.skus, levels))  # noqa: B905
        doing = self.do(inventory.set_levels, wanted, reason="count", actor="test")
        too_low = any(new < held for new, held in zip(levels, self.reserved))  # noqa: B905
        if too_low:
            with pytest.raises(StockBelowReserved):
                self.run(doing)
        else:
            self.run(doing)
            self.on_hand = levels

    @invariant()
    def the_books_balance(self):
        levels = [self.run(inventory.find(self.db, sku)) for sku in self.skus]
        assert [level.on_hand for level in levels] == self.on_hand
        assert [level.reserved for level in levels] == self.reserved
        assert all(level.available >= 0 for level in levels)

    def teardown(self):
        assert self.run(inventory.drift(self.db)) == []


@pytest.mark.slow
def test_stock_is_what_a_simple_count_says_it_is(database_url):
    with asyncio.Runner() as loop:
        Stockkeeping.loop = loop
        Stockkeeping.db = loop.run(Database.connect(database_url, size=1))
        run_state_machine_as_test(
            Stockkeeping,
            settings=settings(
                max_examples=25,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        loop.run(Stockkeeping.db.close())
