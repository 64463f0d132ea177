"""Prices in PostgreSQL: set, taken off, read for a buyer, told as they were."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from holdfast.domain.pricing.book import book_of, known_of
from holdfast.domain.pricing.errors import PriceNotFound, PricesChanged
from holdfast.domain.pricing.model import Book, Known, Period
from holdfast.kernel.moments import on_calendar
from holdfast.kernel.money import Money
from holdfast.kernel.page import (
    BadCursor,
    Page,
    decode_cursor,
    decode_id_cursor,
    encode_cursor,
)
from holdfast.kernel.versions import Versions, are_of
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.together import Together

_SQL = sql.load("holdfast.domain.pricing")
_LOCK_VARIANTS = _SQL["lock_variants"]
_LOCK_VARIANT_OF = _SQL["lock_variant_of"]
_VERSION = _SQL["version"]
_THERE = _SQL["there"]
_REMOVE_PRICES = _SQL["remove_prices"]
_ADD_PRICES = _SQL["add_prices"]
_PRICES_OF_LIST = _SQL["prices_of_list"]
_PRICES_OF_SHOP = _SQL["prices_of_shop"]
_PRICES_OF_SKU = _SQL["prices_of_sku"]
_CHANGES = _SQL["changes"]
_WARES = _SQL["wares"]
_PRICED = _SQL["priced"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a price stands: in one list, or among the shop's own."""

    variant_id: UUID
    currency: str
    min_quantity: int


@dataclass(frozen=True, slots=True)
class Price:
    """A price as it is on record."""

    id: UUID
    slot: Slot
    amount: int
    compare_at: int | None
    period: Period

    @property
    def says(self) -> tuple[int, int | None, Period]:
        return self.amount, self.compare_at, self.period


@dataclass(frozen=True, slots=True)
class PriceOnRecord:
    """A price as an operator reads it."""

    id: UUID
    sku: str
    price_list_id: UUID | None
    min_quantity: int
    price: Money
    compare_at_price: Money | None
    period: Period
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """What a price was, from when to when, and who said so."""

    price_id: UUID | None
    """None: the price of the variant itself."""
    price_list_id: UUID | None
    min_quantity: int
    price: Money
    compare_at_price: Money | None
    period: Period
    since: datetime
    until: datetime | None
    set_by: str | None
    removed_by: str | None


@dataclass(frozen=True, slots=True)
class Ware:
    """A variant as checkout needs it: what it is and weighs, and all it may cost."""

    variant_id: UUID
    sku: str
    title: str
    """The product's title, and the variant's when it has one."""
    weight_grams: int
    active: bool
    """Whether the product is on sale."""
    base: tuple[str, int]
    """The variant's own currency and price."""
    currency: str
    """The one asked for, and that of the book."""
    entries: Sequence[Any] | None
    """As ``book_of`` reads them."""
    book: Book


@dataclass(frozen=True, slots=True)
class Priced:
    """What decides the price of a variant that is shown, and what it has been."""

    variant_id: UUID
    currency: str
    book: Book
    known: Sequence[Known]
    """Empty where nothing is compared."""


async def lock_variants(tx: Transaction, skus: Sequence[str]) -> dict[str, UUID]:
    """Let nobody else set prices of these; unknown SKUs are absent."""
    known = [sku for sku in skus if "\x00" not in sku]
    return {row["sku"]: row["id"] for row in await tx.fetch(_LOCK_VARIANTS, known)}


async def lock_variant_of(tx: Transaction, price_id: UUID) -> UUID:
    """Let nobody else set prices of the variant of a price; ``PriceNotFound``."""
    variant_id: UUID | None = await tx.fetchval(_LOCK_VARIANT_OF, price_id)
    if variant_id is None:
        raise PriceNotFound
    return variant_id


async def version_of(connection: Connection, sku: str) -> int | None:
    """The version of the prices of a variant, in whichever lists they are.

    None if there is no such variant. Who shows the prices reads this first: with what
    was set since then, a version that is too low is refused, and nothing is lost.
    """
    version: int | None = await connection.fetchval(_VERSION, sku, None)
    return version


async def check_version(
    tx: Transaction, variant_id: UUID, *, versions: Versions
) -> None:
    """See that the prices of a locked variant have one of these versions.

    ``PricesChanged`` says which they have.
    """
    if versions is None:
        return
    version: int = await tx.fetchval(_VERSION, None, variant_id)
    if not are_of(version, versions):
        raise PricesChanged(version)


async def there(
    tx: Transaction, variant_ids: Sequence[UUID], list_id: UUID | None
) -> list[Price]:
    """Prices of locked variants in one list, or of the shop's own."""
    return [
        Price(
            row["id"],
            Slot(row["variant_id"], row["currency"], row["min_quantity"]),
            row["amount"],
            row["compare_at_amount"],
            Period(row["starts_at"], row["ends_at"]),
        )
        for row in await tx.fetch(_THERE, variant_ids, list_id)
    ]


async def remove_prices(
    tx: Transaction, price_ids: Collection[UUID], *, by: str, at: datetime
) -> int:
    """Take prices off; they stay on record. Returns how many were there."""
    return len(await tx.fetch(_REMOVE_PRICES, list(price_ids), by, at))


async def add_prices(
    tx: Transaction,
    prices: Sequence[Price],
    list_id: UUID | None,
    *,
    by: str,
    at: datetime,
) -> None:
    """Put prices on record, of variants that are locked."""
    rows = [
        {
            "id": price.id,
            "variant_id": price.slot.variant_id,
            "currency": price.slot.currency,
            "min_quantity": price.slot.min_quantity,
            "amount": price.amount,
            "compare_at_amount": price.compare_at,
            "starts_at": price.period.starts_at,
            "ends_at": price.period.ends_at,
        }
        for price in prices
    ]
    await tx.execute(_ADD_PRICES, rows, list_id, by, at)


async def prices(
    connection: Connection,
    *,
    list_id: UUID | None = None,
    sku: str | None = None,
    currency: str | None = None,
    after: str | None,
    limit: int,
) -> Page[PriceOnRecord]:
    """Prices on record now, in the order they were set: of a SKU, else of a list.

    With neither, the shop's own beside those of the variants themselves.
    """
    last = None if after is None else decode_id_cursor(after)
    statement, of = _PRICES_OF_SHOP, cast("UUID | str | None", None)
    if sku is not None:
        statement, of = _PRICES_OF_SKU, sku
    elif list_id is not None:
        statement, of = _PRICES_OF_LIST, list_id
    rows = await connection.fetch(statement, of, currency, last, limit + 1)
    items = [
        PriceOnRecord(
            row["id"],
            row["sku"],
            row["price_list_id"],
            row["min_quantity"],
            *_amounts(row),
            Period(row["starts_at"], row["ends_at"]),
            row["created_at"],
        )
        for row in rows[:limit]
    ]
    return Page(items, encode_cursor(str(items[-1].id)) if rows[limit:] else None)


async def changes(
    connection: Connection,
    sku: str,
    *,
    currency: str | None,
    after: str | None,
    limit: int,
) -> Page[Change]:
    """What the prices of a variant are and have been, newest first."""
    since, last = (None, None) if after is None else _place(after)
    rows = await connection.fetch(_CHANGES, sku, currency, since, last, limit + 1)
    items = [
        Change(
            row["price_id"],
            row["price_list_id"],
            row["min_quantity"],
            *_amounts(row),
            Period(row["starts_at"], row["ends_at"]),
            row["since"],
            row["until"],
            row["set_by"],
            row["removed_by"],
        )
        for row in rows[:limit]
    ]
    if len(rows) <= limit:
        return Page(items, None)
    seen = rows[limit - 1]
    return Page(items, encode_cursor(seen["since"].isoformat(), str(seen["place"])))


async def wares(
    connection: Connection,
    skus: Sequence[str],
    *,
    currency: str | None,
    account_id: UUID | None,
    at: datetime,
) -> dict[str, Ware]:
    """What is sold under these SKUs, by SKU; unknown ones are absent."""
    # PostgreSQL cannot hold NUL in a text, so no variant has such a SKU.
    known = [sku for sku in skus if "\x00" not in sku]
    rows = await connection.fetch(_WARES, known, currency, account_id, at)
    return {
        row["sku"]: Ware(
            variant_id=row["variant_id"],
            sku=row["sku"],
            title=" - ".join(filter(None, (row["title"], row["variant_title"]))),
            weight_grams=row["weight_grams"],
            active=row["active"],
            base=(row["base_currency"], row["price_amount"]),
            currency=row["currency"],
            entries=row["entries"],
            book=_book(row),
        )
        for row in rows
    }


async def priced(
    connection: Connection,
    product_ids: Sequence[UUID],
    *,
    currency: str | None,
    account_id: UUID | None,
) -> dict[UUID, list[Priced]]:
    """By product, the variants whose price needs more than their document says.

    Without a *currency*, of each in its own, those alone that have other prices than
    their own or are compared with one; a product without such variants is absent.
    """
    found: dict[UUID, list[Priced]] = {}
    for row in await connection.fetch(_PRICED, product_ids, currency, account_id):
        variant = Priced(
            row["variant_id"], row["currency"], _book(row), known_of(row["known"])
        )
        found.setdefault(row["product_id"], []).append(variant)
    return found


class Reader:
    """Reads what decides the prices of single products, many in one statement.

    See ``Together``. Those who pay prices of their own are asked about one by one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._everybodys = Together(self._load)

    async def find(
        self, product_id: UUID, *, currency: str | None, account_id: UUID | None
    ) -> dict[UUID, list[Priced]]:
        """The same as ``priced`` says of one product."""
        if currency is None and account_id is None:
            found = await self._everybodys.get(product_id)
            return {product_id: found} if found else {}
        return await priced(
            self._connection, [product_id], currency=currency, account_id=account_id
        )

    async def _load(self, product_ids: Sequence[UUID]) -> dict[UUID, list[Priced]]:
        return await priced(
            self._connection, product_ids, currency=None, account_id=None
        )


def _book(row: Row) -> Book:
    base = (row["base_currency"], row["price_amount"], row["compare_at_amount"])
    return book_of(row["currency"], base, row["entries"])


def _amounts(row: Row) -> tuple[Money, Money | None]:
    currency, compare_at = row["currency"], row["compare_at_amount"]
    return (
        Money(row["amount"], currency),
        None if compare_at is None else Money(compare_at, currency),
    )


def _place(cursor: str) -> tuple[datetime, UUID]:
    since, last = decode_cursor(cursor, 2)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise BadCursor from None
    if moment.tzinfo is None or not on_calendar(moment):
        raise BadCursor
    return moment, decode_id_cursor(encode_cursor(last))
