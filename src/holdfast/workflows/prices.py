"""Prices are set, taken off and put into lists; carts are told what holds for them.

Many prices are set in one transaction, all or none. A price that is there and says the
same stays; another takes the place of one for the same variant, list, currency,
quantity and period. Whoever sets prices of a variant waits for whoever else does, so
that no two for one moment can come about.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from holdfast.domain import ordering, pricing
from holdfast.domain.ordering import Cart, Listed
from holdfast.domain.pricing import (
    Book,
    Fault,
    Holding,
    Period,
    Price,
    PriceList,
    Slot,
    Ware,
)
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import MOST_FAULTS
from holdfast.kernel.ids import new_id
from holdfast.kernel.moments import OFF_CALENDAR, on_calendar
from holdfast.kernel.money import CURRENCIES, MAX_AMOUNT, Money
from holdfast.kernel.versions import Versions
from holdfast.platform.db import Connection, Database, Transaction

MAX_PRICES = 1_000
"""How many prices are set at once."""
MAX_PER_VARIANT = 200
"""How many prices a variant has in one list: a cart looks at all of them."""
MAX_GROUPS = 100
"""How many groups a price list is for."""


@dataclass(frozen=True, slots=True)
class PriceWanted:
    """A price as an operator asks for it."""

    sku: str
    price: Money
    compare_at_price: Money | None = None
    min_quantity: int = 1
    period: Period = pricing.ALWAYS

    def faults(self, here: str) -> list[Fault]:
        """Every rule it breaks by itself."""
        price, compare_at = self.price, self.compare_at_price
        found = []
        if price.currency not in CURRENCIES:
            found.append(
                Fault(f"{here}/price/currency", "must be an ISO 4217 currency")
            )
        for name, money in (("price", price), ("compare_at_price", compare_at)):
            if money is not None and not 0 <= money.amount <= MAX_AMOUNT:
                found.append(
                    Fault(f"{here}/{name}/amount", f"must be 0 to {MAX_AMOUNT}")
                )
        if compare_at is not None and compare_at.currency != price.currency:
            found.append(
                Fault(f"{here}/compare_at_price/currency", "must be that of the price")
            )
        if not 1 <= self.min_quantity <= pricing.MAX_QUANTITY:
            most = pricing.MAX_QUANTITY
            found.append(Fault(f"{here}/min_quantity", f"must be 1 to {most}"))
        return found + period_faults(self.period, here)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What setting prices has come to."""

    set: int
    unchanged: int
    removed: int
    """Whose place others took."""
    variants: frozenset[UUID] = field(default=frozenset(), compare=False)
    """Of which prices were set."""
    version: int | None = field(default=None, compare=False)
    """Of the prices of the variant, where all are of one."""


def period_faults(period: Period, here: str = "") -> list[Fault]:
    """Why there can be no such period."""
    starts, ends = period.starts_at, period.ends_at
    found = [
        Fault(f"{here}/{name}", OFF_CALENDAR)
        for name, moment in (("starts_at", starts), ("ends_at", ends))
        if moment is not None and not on_calendar(moment)
    ]
    if found:
        return found
    if starts is not None and ends is not None and starts >= ends:
        return [Fault(f"{here}/ends_at", "must be after starts_at")]
    return []


@dataclass(frozen=True, slots=True)
class Prices:
    """An operator who sets prices, and what it takes."""

    db: Database
    clock: Clock
    actor: str

    async def set(
        self,
        wanted: Sequence[PriceWanted],
        list_id: UUID | None = None,
        *,
        versions: Versions = None,
    ) -> Outcome:
        """Set prices of the shop's own or of a list, all or none.

        *versions* are of the prices of a variant, and need all to be of one. Raises
        ``PricesInvalid``, ``PriceListNotFound`` or ``PricesChanged``.
        """
        now = self.clock()
        if found := _faults(wanted, now):
            raise pricing.PricesInvalid(found)
        async with self.db.transaction() as tx:
            if list_id is not None:
                await pricing.lock_list(tx, list_id)
            skus = sorted({price.sku for price in wanted})
            variant_ids = await pricing.lock_variants(tx, skus)
            if unknown := [
                Fault(f"/prices/{n}/sku", "does not exist")
                for n, price in enumerate(wanted)
                if price.sku not in variant_ids
            ]:
                raise pricing.PricesInvalid(unknown)
            for variant_id in variant_ids.values():
                await pricing.check_version(tx, variant_id, versions=versions)
            new = [_price(price, variant_ids[price.sku]) for price in wanted]
            done = await _replace(tx, new, list_id, by=self.actor, at=now)
            if len(skus) > 1:
                return done
            return replace(done, version=await pricing.version_of(tx, skus[0]))

    async def remove(self, price_id: UUID, *, versions: Versions = None) -> None:
        """Take a price off; it stays on record.

        ``PriceNotFound``, or ``PricesChanged`` if those of its variant are others.
        """
        async with self.db.transaction() as tx:
            variant_id = await pricing.lock_variant_of(tx, price_id)
            await pricing.check_version(tx, variant_id, versions=versions)
            if not await pricing.remove_prices(
                tx, [price_id], by=self.actor, at=self.clock()
            ):
                raise pricing.PriceNotFound

    async def add_list(self, wanted: PriceList) -> PriceList:
        """Make a price list; ``PriceListInvalid`` or ``DuplicatePriceList``."""
        _check_list(wanted)
        async with self.db.transaction() as tx:
            await pricing.add_list(tx, wanted, by=self.actor)
            return await pricing.find_list(tx, wanted.id)

    async def change_list(
        self,
        list_id: UUID,
        edit: Callable[[PriceList], PriceList],
        *,
        versions: Versions = None,
    ) -> PriceList:
        """Change a price list.

        Raises as ``add_list``, and ``PriceListNotFound`` or ``PriceListChanged``.
        """
        async with self.db.transaction() as tx:
            await pricing.lock_list(tx, list_id, versions=versions)
            before = await pricing.find_list(tx, list_id)
            if (wanted := edit(before)) == before:
                return before
            wanted = replace(wanted, updated_at=self.clock())
            _check_list(wanted)
            await pricing.change_list(tx, wanted)
            return await pricing.find_list(tx, list_id)

    async def remove_list(self, list_id: UUID, *, versions: Versions = None) -> None:
        """Withdraw a price list with all its prices.

        ``PriceListNotFound`` or ``PriceListChanged``.
        """
        async with self.db.transaction() as tx:
            await pricing.lock_list(tx, list_id, versions=versions)
            await pricing.remove_list(tx, list_id, by=self.actor, at=self.clock())


async def put_prices(
    tx: Transaction, wanted: Sequence[PriceWanted], *, by: str, at: datetime
) -> frozenset[str]:
    """Set prices of the shop's own, any number, with what else a transaction does.

    Their SKUs are there, as the products they came with. Returns those of which prices
    are others than before. Raises ``PricesInvalid``.
    """
    if found := _faults(wanted, at, most=len(wanted)):
        raise pricing.PricesInvalid(found)
    skus = sorted({price.sku for price in wanted})
    variant_ids = await pricing.lock_variants(tx, skus)
    new = [_price(price, variant_ids[price.sku]) for price in wanted]
    done = await _replace(tx, new, None, by=by, at=at)
    return frozenset(sku for sku, id_ in variant_ids.items() if id_ in done.variants)


async def _replace(
    tx: Transaction,
    wanted: Sequence[Price],
    list_id: UUID | None,
    *,
    by: str,
    at: datetime,
) -> Outcome:
    variant_ids = list({price.slot.variant_id for price in wanted})
    there = await pricing.there(tx, variant_ids, list_id)
    # What is over need not be in the way; it is on record all the same.
    over = {p.id for p in there if p.period.ends_at and p.period.ends_at <= at}
    before = {(p.slot, p.period): p for p in there if p.id not in over}
    asked = {(p.slot, p.period): p for p in wanted}
    unchanged = {
        key
        for key, price in asked.items()
        if key in before and before[key].says == price.says
    }
    _check_clashes(wanted, [p for key, p in before.items() if key not in asked])
    new = [price for key, price in asked.items() if key not in unchanged]
    replaced = [
        before[key].id for key in asked if key in before and key not in unchanged
    ]
    if over or replaced:
        await pricing.remove_prices(tx, [*over, *replaced], by=by, at=at)
    if new:
        await pricing.add_prices(tx, new, list_id, by=by, at=at)
    variants = frozenset(price.slot.variant_id for price in new)
    return Outcome(len(new), len(unchanged), len(replaced), variants)


async def worth(
    db: Connection,
    sku: str,
    *,
    currency: str | None,
    quantity: int,
    at: datetime,
    account_id: UUID | None,
) -> tuple[Ware, Holding | None]:
    """What a SKU costs at a moment, by the prices that are on record now.

    ``UnknownSku`` if there is none; None for the price where it has none.
    """
    found = await pricing.wares(
        db, [sku], currency=currency, account_id=account_id, at=at
    )
    if sku not in found:
        raise ordering.UnknownSku([sku])
    ware = found[sku]
    return ware, holding_of(ware.book, quantity, at)


def priced(cart: Cart, at: datetime) -> Cart:
    """The cart at the prices that hold at a moment for whose it is."""

    def unit_price(listed: Listed, units: int) -> int | None:
        book = pricing.book_of(
            cart.currency, (listed.currency, listed.amount, None), listed.entries
        )
        found = holding_of(book, units, at)
        return None if found is None else found.amount

    return ordering.priced(cart, unit_price)


def holding_of(book: Book, quantity: int, at: datetime) -> Holding | None:
    """The price that holds in a book that was read for one customer."""
    groups = pricing.groups_in(book)
    return pricing.resolve(book, quantity=quantity, at=at, groups=groups)


def _faults(
    wanted: Sequence[PriceWanted], now: datetime, *, most: int = MAX_PRICES
) -> list[Fault]:
    if not 1 <= len(wanted) <= most:
        return [Fault("/prices", f"must be 1 to {most}")]
    # A file has as many as it likes.
    return list(islice(_faults_of_each(wanted, now), MOST_FAULTS))


def _faults_of_each(wanted: Sequence[PriceWanted], now: datetime) -> Iterator[Fault]:
    seen = set[object]()
    for place, price in enumerate(wanted):
        here = f"/prices/{place}"
        yield from price.faults(here)
        if price.period.ends_at is not None and price.period.ends_at <= now:
            yield Fault(f"{here}/ends_at", "has passed")
        key = (price.sku, price.price.currency, price.min_quantity, price.period)
        if key in seen:
            yield Fault(here, "is there twice")
        seen.add(key)


def _check_clashes(wanted: Sequence[Price], others: Sequence[Price]) -> None:
    """Raise ``PricesInvalid`` where two prices would hold at one moment."""
    by_slot = defaultdict[Slot, list[tuple[int, Price]]](list)
    by_variant = Counter(price.slot.variant_id for price in others)
    for price in others:
        by_slot[price.slot].append((-1, price))
    for place, price in enumerate(wanted):
        by_slot[price.slot].append((place, price))
    found = []
    for slot in {price.slot: None for price in wanted}:
        at = by_slot[slot]
        clash = pricing.clash([price.period for _, price in at])
        if clash is not None:
            # One that was there cannot be at fault; the last that was asked for is.
            place = max(at[clash][0], *(place for place, _ in at))
            overlap = "overlaps another of the same variant, currency and quantity"
            found.append(Fault(f"/prices/{place}/starts_at", overlap))
    by_variant.update(price.slot.variant_id for price in wanted)
    if max(by_variant.values(), default=0) > MAX_PER_VARIANT:
        found.append(Fault("/prices", f"would be over {MAX_PER_VARIANT} of a variant"))
    if found:
        raise pricing.PricesInvalid(found)


def _check_list(wanted: PriceList) -> None:
    found = period_faults(Period(wanted.starts_at, wanted.ends_at))
    groups = wanted.group_ids
    if wanted.kind == "contract" and groups is None:
        found.append(Fault("/group_ids", "must be given: a contract is with somebody"))
    if groups is not None and not 1 <= len(groups) <= MAX_GROUPS:
        found.append(Fault("/group_ids", f"must be 1 to {MAX_GROUPS}"))
    if found:
        raise pricing.PriceListInvalid(found)


def _price(wanted: PriceWanted, variant_id: UUID) -> Price:
    compare_at = wanted.compare_at_price
    return Price(
        id=new_id(),
        slot=Slot(variant_id, wanted.price.currency, wanted.min_quantity),
        amount=wanted.price.amount,
        compare_at=None if compare_at is None else compare_at.amount,
        period=wanted.period,
    )
