"""Who buys and where it goes: the part of carts and orders that is sealed.

Rows from before the vault hold it in clear, and so do those that an older release
writes which still runs beside this one; what is in clear is therefore the newer, until
the worker has sealed it. This release never writes it.
"""

from typing import Any

import msgspec

from holdfast.domain.ordering.model import Address
from holdfast.kernel.email import canonical
from holdfast.platform import sql
from holdfast.platform.db import Row
from holdfast.platform.resealing import Sealed
from holdfast.platform.vault import Vault

_SQL = sql.load("holdfast.domain.ordering")
_CARTS_TO_RESEAL = _SQL["carts_to_reseal"]
_RESEAL_CARTS = _SQL["reseal_carts"]
_ORDERS_TO_RESEAL = _SQL["orders_to_reseal"]
_RESEAL_ORDERS = _SQL["reseal_orders"]
_NOTES_TO_RESEAL = _SQL["notes_to_reseal"]
_RESEAL_NOTES = _SQL["reseal_notes"]
_RETURNS_TO_RESEAL = _SQL["returns_to_reseal"]
_RESEAL_RETURNS = _SQL["reseal_returns"]

SEALED = (
    Sealed("carts", take=_CARTS_TO_RESEAL, put=_RESEAL_CARTS, index="email"),
    Sealed("orders", take=_ORDERS_TO_RESEAL, put=_RESEAL_ORDERS, index="email"),
    Sealed("order_notes", take=_NOTES_TO_RESEAL, put=_RESEAL_NOTES),
    Sealed("returns", take=_RETURNS_TO_RESEAL, put=_RESEAL_RETURNS),
)


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a buyer, and what an operator noted on their draft order."""

    email: str | None = None
    shipping_address: Address | None = None
    note: str | None = None


NOBODY = Person()


def seal(vault: Vault, person: Person, *, place: str) -> bytes | None:
    """What is stored of a buyer; NULL where nothing is known."""
    return None if person == NOBODY else vault.seal_json(person, place=place)


def person_in(vault: Vault, row: Row, *, place: str) -> Person:
    """The buyer in a row of a cart or order; ``NOBODY`` once erased."""
    sealed: bytes | None = row["sealed"]
    person = NOBODY if sealed is None else vault.open_json(sealed, Person, place=place)
    address: dict[str, Any] | None = row["shipping_address"]
    if row["email"] is None and address is None:
        return person
    where = person.shipping_address
    return Person(
        row["email"] or person.email,
        where if address is None else msgspec.convert(address, Address),
        person.note,
    )


def index_of(vault: Vault, email: str) -> bytes:
    """What orders of an e-mail address are found by."""
    return vault.index(canonical(email), purpose="email")
