"""Shapes of prices: periods, what something costs, and what it is compared with."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from holdfast.api.shapes import invalid
from holdfast.domain import pricing
from holdfast.domain.pricing import Book, Holding, Period
from holdfast.kernel.moments import OFF_CALENDAR, on_calendar
from holdfast.kernel.money import Money

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Code = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,49}$(?!\n)",
        description="How people and files name it: lower case, digits and hyphens.",
        examples=["wholesale"],
    ),
]


class Break(msgspec.Struct, frozen=True):
    """What each costs from so many units on."""

    min_quantity: int
    price: Money


class Offer(msgspec.Struct, frozen=True):
    """What a variant costs whoever asks, now."""

    price: Money
    # What the price is lower than: what was said, or the price that it stands in for.
    compare_at_price: Money | None
    # The lowest price of the 30 days before the present one, beside a price to compare
    # with; null if there was none.
    lowest_price_30_days: Money | None
    # From one unit on, where more units cost less each.
    breaks: list[Break]


def period(starts_at: datetime | None, ends_at: datetime | None, here: str) -> Period:
    """The period, once its bounds are seen to be on the calendar."""
    return Period(
        None if starts_at is None else moment(starts_at, f"{here}/starts_at"),
        None if ends_at is None else moment(ends_at, f"{here}/ends_at"),
    )


def moment(at: datetime, pointer: str) -> datetime:
    """The moment, in UTC; *pointer* is where it stands in the body."""
    if not on_calendar(at):
        raise invalid(pointer, OFF_CALENDAR.capitalize())
    return at.astimezone(UTC)


def breaks_of(book: Book, at: datetime, currency: str) -> list[Break]:
    """The prices of a book by quantity."""
    found = pricing.breaks(book, at=at, groups=pricing.groups_in(book))
    return [Break(least, Money(n.amount, currency)) for least, n in found]


def compared(holding: Holding, currency: str) -> Money | None:
    """What a price is compared with."""
    if holding.compare_at is None:
        return None
    return Money(holding.compare_at, currency)


def source_of(holding: Holding) -> tuple[UUID | None, UUID | None]:
    """The ids of the price that holds and of its list."""
    terms = holding.entry.terms
    return holding.entry.id, None if terms is None else terms.list_id
