"""The price books of variants, as statements of this module and others give them.

The view ``prices_on_record`` makes an entry of each price, ``prices_known`` one of each
that ever was; both are arrays, which is what PostgreSQL makes fastest.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from holdfast.domain.pricing.model import Book, Entry, Known, Period, Terms

_ENTRY_FIELDS = 11
_NOBODY: frozenset[UUID] = frozenset()


def book_of(
    currency: str,
    base: tuple[str, int, int | None],
    entries: Iterable[Sequence[Any]] | None,
) -> Book:
    """The book of a variant in a currency.

    The *base* is the variant's own currency, price and price to compare with; it counts
    where it is in the currency asked for.
    """
    listed = [_entry(fields) for fields in entries or ()]
    base_currency, amount, compare_at = base
    if base_currency == currency:
        listed.append(Entry(amount, compare_at=compare_at))
    return Book(tuple(listed))


def groups_in(book: Book) -> frozenset[UUID]:
    """The groups of a customer, of those that decide anything in their book.

    Statements leave out what is for other groups, so these are the customer's.
    """
    groups = [e.terms.groups for e in book.entries if e.terms and e.terms.groups]
    return _NOBODY.union(*groups) if groups else _NOBODY


def known_of(entries: Iterable[Sequence[Any]] | None) -> list[Known]:
    """What the prices of a variant have been, as ``prices_known`` tells it."""
    return [
        Known(
            _entry(fields[:_ENTRY_FIELDS]),
            Period(*map(_moment, fields[_ENTRY_FIELDS:])),
        )
        for fields in entries or ()
    ]


def _entry(fields: Sequence[Any]) -> Entry:
    id_, least, amount, compare_at, starts, ends, list_id, kind, *rest = fields
    terms = None
    if list_id is not None:
        list_starts, list_ends, group_id = rest
        terms = Terms(
            UUID(list_id),
            kind,
            None if group_id is None else frozenset({UUID(group_id)}),
            Period(_moment(list_starts), _moment(list_ends)),
        )
    return Entry(
        amount=amount,
        min_quantity=least,
        compare_at=compare_at,
        period=Period(_moment(starts), _moment(ends)),
        terms=terms,
        id=None if id_ is None else UUID(id_),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
