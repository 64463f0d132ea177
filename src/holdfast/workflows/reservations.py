"""Stock held for a cart before it is ordered.

A hold belongs to a cart and to whoever made it, by its id alone: a guest by the token
of the cart, somebody signed in by their account, operators together. So nobody can
touch what another holds, and for lines that the request names nothing is read: neither
the cart, nor, a moment after somebody else wanted them, the products.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from holdfast.domain import catalog, identity, inventory, ordering
from holdfast.domain.catalog import Offer
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Holding, Reserved, Wanted
from holdfast.domain.ordering import CartStatus
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.platform.db import Database
from holdfast.platform.together import Together
from holdfast.platform.vault import Vault
from holdfast.workflows import carts
from holdfast.workflows.cart_lines import LineWanted
from holdfast.workflows.doors import Doors
from holdfast.workflows.placing import SHOP

_SCOPE = "carts:write"
_REMEMBERED_SECONDS = 30.0
_MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Hold:
    """What is held for a cart, and until when."""

    expires_at: datetime
    lines: Sequence[tuple[str, int]]
    """SKUs and how many of each."""
    is_new: bool = False


class Skus:
    """Which variant is sold under a SKU, as remembered by one process.

    For half a minute: a product that is taken off sale meanwhile may still be held,
    but no longer be ordered.
    """

    def __init__(
        self,
        db: Database,
        *,
        most: int = _MAX_REMEMBERED,
        timer: Monotonic = monotonic,
    ) -> None:
        self._offers: Together[str, Offer] = Together(partial(catalog.offers, db))
        self._most = most
        self._timer = timer
        self._known: dict[str, tuple[float, UUID]] = {}

    def __len__(self) -> int:
        return len(self._known)

    async def find(self, sku: str) -> UUID:
        """The variant; ``UnknownSku`` or ``VariantUnavailable`` if it is not sold."""
        known = self._known.get(sku)
        if known is not None and known[0] > self._timer():
            return known[1]
        offer = await self._offers.get(sku)
        if offer is None:
            raise ordering.UnknownSku([sku])
        if not offer.active:
            raise ordering.VariantUnavailable([sku])
        if len(self._known) >= self._most:
            # Rather forget all than grow without bound.
            self._known.clear()
        self._known[sku] = (self._timer() + _REMEMBERED_SECONDS, offer.variant_id)
        return offer.variant_id


@dataclass(frozen=True, slots=True)
class Reservations:
    """What can be done with holds, and what it takes."""

    db: Database
    vault: Vault
    holding: Holding
    skus: Skus
    clock: Clock
    doors: Doors

    async def hold(
        self,
        cart_id: UUID,
        lines: Sequence[LineWanted] | None,
        caller: Caller,
        *,
        tickets: str | None = None,
    ) -> Hold:
        """Hold *lines* for a cart, or its own: all or none, instead of what it held.

        Raises ``OutOfStock`` or ``ReservationsBusy``; what was held before still is. Of
        what is sold in a drop, also what ``Doors.admissions`` raises without a ticket.
        """
        if lines is None:
            wanted = await self._lines_of(cart_id, caller)
        else:
            wanted = [
                Wanted(await self.skus.find(line.sku), line.sku, line.quantity)
                for line in lines
            ]
        self.doors.admissions(units_of(wanted), tickets, caller)
        owner = owner_of(caller)
        held = await self.holding.hold(
            inventory.hold_id(cart_id, owner), wanted, customer=owner
        )
        units: dict[str, int] = {}
        for line in wanted:
            units[line.sku] = units.get(line.sku, 0) + line.quantity
        return Hold(held.expires_at, list(units.items()), held.is_new)

    async def find(self, cart_id: UUID, caller: Caller) -> Hold:
        """What *caller* holds; ``ReservationNotFound`` or ``ReservationExpired``."""
        holder_id = inventory.hold_id(cart_id, owner_of(caller))
        reserved = await inventory.reserved_for(self.db, holder_id)
        ends = [one.expires_at for one in reserved if one.expires_at is not None]
        if not ends:
            raise inventory.ReservationNotFound
        if min(ends) <= self.clock():
            raise inventory.ReservationExpired(min(ends))
        return Hold(min(ends), _by_sku(reserved))

    async def release(self, cart_id: UUID, caller: Caller) -> None:
        """Give back what *caller* holds; ``ReservationNotFound`` if that is nothing."""
        holder_id = inventory.hold_id(cart_id, owner_of(caller))
        if not await self.holding.release(holder_id):
            raise inventory.ReservationNotFound

    async def _lines_of(self, cart_id: UUID, caller: Caller) -> list[Wanted]:
        cart = await carts.find(self.db, self.vault, cart_id, caller)
        if cart.status is not CartStatus.OPEN:
            order_id = await ordering.order_of_cart(self.db, cart_id)
            raise ordering.CartAlreadyOrdered(order_id)
        if not cart.lines:
            raise ordering.CartEmpty
        if gone := sorted({line.sku for line in cart.lines if not line.active}):
            raise ordering.VariantUnavailable(gone)
        return [Wanted(n.variant_id, n.sku, n.quantity) for n in cart.lines]


def owner_of(caller: Caller) -> UUID | bytes | str:
    """To whom a hold belongs that *caller* makes; see ``inventory.hold_id``."""
    if isinstance(caller, identity.Guest):
        return caller.token_hash
    if isinstance(caller, identity.Member) and not identity.may(caller, _SCOPE):
        return caller.account_id
    return SHOP


def units_of(lines: Iterable[Wanted]) -> dict[UUID, int]:
    """How many of each variant are wanted in all."""
    units: dict[UUID, int] = {}
    for line in lines:
        units[line.variant_id] = units.get(line.variant_id, 0) + line.quantity
    return units


def _by_sku(reserved: Sequence[Reserved]) -> list[tuple[str, int]]:
    units: dict[str, int] = {}
    for one in reserved:
        units[one.sku] = units.get(one.sku, 0) + one.quantity
    return sorted(units.items())
