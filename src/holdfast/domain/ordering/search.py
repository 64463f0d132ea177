"""Finding orders: by what somebody remembers of one, and by what is to be done.

Each search is planned for what it asks: an e-mail address leads to a handful of
orders through an index, a status alone reads the newest until the page is full.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from holdfast.domain.ordering.model import Order
from holdfast.domain.ordering.person import index_of
from holdfast.domain.ordering.states import (
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.domain.ordering.store import order_of
from holdfast.kernel.page import (
    BadCursor,
    Page,
    decode_cursor,
    decode_id_cursor,
    encode_cursor,
)
from holdfast.platform import sql
from holdfast.platform.db import Database, Row
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_PLAN_FOR_VALUES = _SQL["plan_for_values"]
_SEARCH_NEWEST = _SQL["search_newest"]
_SEARCH_OLDEST = _SQL["search_oldest"]
_SEARCH_LARGEST = _SQL["search_largest"]
_ORDERS_OF_IDS = _SQL["orders_of_ids"]

_NUMBER = re.compile(r"(?:HF-)?([0-9]{1,18})", re.IGNORECASE)
_LARGEST = 2**63


class Sort(StrEnum):
    """Which orders come first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LARGEST = "largest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; everything that is said must be true of an order."""

    text: str | None = None
    """A number, an e-mail address, a SKU or a tracking number, whole."""
    email: str | None = None
    account_id: UUID | None = None
    sku: str | None = None
    status: OrderStatus | None = None
    payment_status: PaymentStatus | None = None
    fulfilment_status: FulfilmentStatus | None = None
    placed_from: datetime | None = None
    placed_to: datetime | None = None
    """Not at this moment any more, but before it."""
    min_total: int | None = None
    max_total: int | None = None
    currency: str | None = None
    location: str | None = None
    """Code of a location where units are kept for it."""


async def search(
    db: Database,
    vault: Vault,
    wanted: Wanted,
    *,
    sort: Sort = Sort.NEWEST,
    after: str | None,
    limit: int,
) -> Page[Order]:
    """A page of the orders that answer; ``BadCursor`` for one of another list."""
    values = _values(vault, wanted)
    statement, beyond = _beyond(sort, after)
    async with db.transaction() as tx:
        await tx.fetchrow(_PLAN_FOR_VALUES)
        rows = await tx.fetch(statement, *values, *beyond, limit + 1)
        found = rows[:limit]
        by_id = {
            row["id"]: order_of(vault, row)
            for row in await tx.fetch(_ORDERS_OF_IDS, [row["id"] for row in found])
        }
    more = len(rows) > limit
    return Page(
        [by_id[row["id"]] for row in found], _cursor(sort, found[-1]) if more else None
    )


def _values(vault: Vault, wanted: Wanted) -> tuple[Any, ...]:
    word, number, email = wanted.text, None, wanted.email
    index = None if email is None else index_of(vault, email)
    if word is not None:
        word = word.strip()
        if "@" in word:
            other = index_of(vault, word)
            # Two addresses at once: no order has both.
            index = other if index in (None, other) else b""
            word = None
        elif said := _NUMBER.fullmatch(word):
            number = int(said[1])
    return (
        *(word, number, index, wanted.account_id, wanted.sku),
        *(wanted.status, wanted.payment_status, wanted.fulfilment_status),
        *(wanted.placed_from, wanted.placed_to, wanted.min_total, wanted.max_total),
        *(wanted.currency, wanted.location),
    )


def _beyond(sort: Sort, after: str | None) -> tuple[str, tuple[Any, ...]]:
    if sort is Sort.LARGEST:
        return _SEARCH_LARGEST, (None, None) if after is None else _total_and_id(after)
    last = None if after is None else decode_id_cursor(after)
    return (_SEARCH_NEWEST if sort is Sort.NEWEST else _SEARCH_OLDEST), (last,)


def _total_and_id(after: str) -> tuple[int, UUID]:
    total, order_id = decode_cursor(after, 2)
    try:
        last = int(total), UUID(order_id)
    except ValueError:
        raise BadCursor from None
    if not 0 <= last[0] < _LARGEST:
        raise BadCursor
    return last


def _cursor(sort: Sort, last: Row) -> str:
    order_id = str(last["id"])
    if sort is Sort.LARGEST:
        return encode_cursor(str(last["total_amount"]), order_id)
    return encode_cursor(order_id)
