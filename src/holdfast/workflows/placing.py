"""A cart becomes a pending order: the transaction in which a checkout begins.

The cart is closed, every line is reserved or none, and the order is written with its
totals frozen. What was held for the cart, by its guest, by whoever signed in or by an
operator, is what the order gets first.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from holdfast.domain import identity, inventory, ordering
from holdfast.domain.identity import Caller
from holdfast.domain.inventory import Wanted
from holdfast.domain.ordering import Order
from holdfast.kernel.money import Money
from holdfast.platform.db import Transaction
from holdfast.platform.vault import Vault
from holdfast.workflows import carts, prices
from holdfast.workflows.cart_pricing import check_quote

SCOPE = "orders:write"
"""What whoever orders another's cart needs."""

SHOP = "shop"
"""Whose hold it is that an operator makes."""

CHECKOUT = "checkout"
"""Whose hold it is that a checkout makes for itself; see ``rush``."""

Waited: TypeAlias = Callable[[Sequence[UUID], float], None]
"""Told of which variants the stock was locked, and after how many seconds."""


async def place(
    tx: Transaction,
    vault: Vault,
    cart_id: UUID,
    caller: Caller,
    *,
    order_id: UUID,
    expected: Money | None,
    at: datetime,
    recent: bool = False,
    waited: Waited | None = None,
) -> Order:
    """Close a cart for its order, reserve what is in it, and write the order.

    Raises what stands in the way: ``CartNotFound`` and what else can be wrong with a
    cart, ``TotalChanged``, ``OutOfStock``. With *recent*, for ``with_recent_quote``,
    the shipping price must not be old.
    """
    cart = await ordering.take_cart(tx, vault, cart_id, at=at)
    if cart is None:
        # A stranger must not learn that the cart exists.
        await carts.find(tx, vault, cart_id, caller, scope=SCOPE)
        raise ordering.CartAlreadyOrdered(await ordering.order_of_cart(tx, cart_id))
    if not carts.owns(caller, cart.token_hash, cart.account_id, scope=SCOPE):
        raise ordering.CartNotFound
    if recent:
        check_quote(cart, at=at)
    cart = prices.priced(cart, at)
    if expected is not None and expected != cart.total:
        raise ordering.TotalChanged(expected, cart.total)
    by = caller.actor if identity.may(caller, SCOPE) else "checkout"
    order = ordering.draft(cart, order_id=order_id, at=at, placed_by=by)
    wanted = [Wanted(n.variant_id, n.sku, n.quantity) for n in order.lines]
    seconds = await inventory.reserve(
        tx,
        order.id,
        wanted,
        at=at,
        instead_of=holders_of(cart.id, cart.token_hash, cart.account_id),
    )
    if waited is not None and seconds is not None:
        waited([line.variant_id for line in wanted], seconds)
    return order.numbered(await ordering.add(tx, vault, order))


def holders_of(cart_id: UUID, token_hash: bytes, account_id: UUID | None) -> list[UUID]:
    """The ids of all holds that there can be for a cart."""
    owners: list[bytes | UUID | str] = [token_hash, SHOP, CHECKOUT]
    if account_id is not None:
        owners.append(account_id)
    return [inventory.hold_id(cart_id, owner) for owner in owners]
