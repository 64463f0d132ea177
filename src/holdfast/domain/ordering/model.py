"""Carts and orders as values, and the sums that must add up."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from holdfast.domain.ordering.errors import (
    CartEmpty,
    CartIncomplete,
    CartTooLarge,
    CurrencyMismatch,
    QuantityOutOfRange,
    TotalTooLarge,
    VariantUnavailable,
)
from holdfast.domain.ordering.states import (
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.kernel.money import MAX_AMOUNT, Money, total

MAX_LINES = 1_000
MAX_QUANTITY = 1_000_000

BUYERS_REASON = "customer"
"""Why buyers cancel; any other reason is one of the shop."""


class CartStatus(StrEnum):
    """Where a cart is: only an open one can be changed.

    An ordered cart opens again when the payment of its order fails. The others are
    closed for good: its lines went to a cart of the account, nobody came back, or the
    operator withdrew the draft order.
    """

    OPEN = "open"
    ORDERED = "ordered"
    MERGED = "merged"
    EXPIRED = "expired"
    DISCARDED = "discarded"


class CartKind(StrEnum):
    """Whose a cart is: a buyer's, or a draft order that an operator prepared."""

    CART = "cart"
    DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; country is an ISO 3166 alpha-2 code."""

    name: str
    line1: str
    city: str
    country: str
    line2: str | None = None
    region: str | None = None
    postal_code: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Shipping:
    """How it is sent, for how much, and how that price came about."""

    method: str
    price: Money
    source: str


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line to put into a cart; the price is set only when an operator set it."""

    id: UUID
    variant_id: UUID
    quantity: int
    unit_price: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What decides the price of a variant besides the quantity: its own, and others."""

    currency: str
    amount: int
    entries: Sequence[Any] | None
    """As the prices' own module reads them; None where there are no others."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a variant at a unit price."""

    id: UUID
    variant_id: UUID
    sku: str
    title: str
    quantity: int
    unit_price: Money
    weight_grams: int = 0
    # False once the product was taken out of the shop.
    active: bool = True
    # None where the unit price is what it is: an operator's, or the variant's own.
    listed: Listed | None = field(default=None, compare=False, repr=False)
    # Whether it has a price at all; False also while it is not known.
    has_price: bool = True

    @property
    def for_sale(self) -> bool:
        return self.active and self.has_price

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Cart:
    """What a buyer has chosen so far, at today's prices."""

    id: UUID
    token_hash: bytes
    status: CartStatus
    version: int
    currency: str
    email: str | None
    shipping_address: Address | None
    # What the buyer chose, and its price once there is somewhere to send it.
    shipping_method: str | None
    shipping: Shipping | None
    lines: Sequence[Line]
    created_at: datetime
    updated_at: datetime
    # Who signed in to open it; None for a guest's.
    account_id: UUID | None = None
    kind: CartKind = CartKind.CART
    # The cart that took the lines of this one.
    merged_into: UUID | None = None
    # Of a draft order: the operator, and what they noted for themselves.
    prepared_by: str | None = None
    note: str | None = None
    # What goods that came back pay of it, and the return they came back with.
    credit_amount: int = 0
    return_id: UUID | None = None
    # When its shipping price was asked for; None where that is not known.
    shipping_quoted_at: datetime | None = None

    @property
    def credit(self) -> Money:
        return Money(self.credit_amount, self.currency)

    @property
    def subtotal(self) -> Money:
        return total((line.total for line in self.lines), self.currency)

    @property
    def shipping_total(self) -> Money:
        return self.shipping.price if self.shipping else Money(0, self.currency)

    @property
    def total(self) -> Money:
        whole = self.subtotal + self.shipping_total
        return Money(whole.amount - self.credit_amount, self.currency)

    @property
    def weight_grams(self) -> int:
        return sum(line.weight_grams * line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line as it was sold: a later change of the catalogue does not touch it."""

    variant_id: UUID
    sku: str
    title: str
    quantity: int
    unit_price: Money
    # What the line is called within its order, from 1.
    position: int = 1
    canceled: int = 0
    fulfilled: int = 0
    # Of what was fulfilled.
    returned: int = 0

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def unfulfilled(self) -> int:
        """What is still to be shipped."""
        return self.quantity - self.canceled - self.fulfilled


@dataclass(frozen=True, slots=True)
class Order:
    """A promise to deliver: its totals are frozen.

    Of a person who was erased neither e-mail nor address are left. Amounts without a
    currency of their own are in the order's, in its minor units.
    """

    id: UUID
    number: int
    cart_id: UUID
    token_hash: bytes
    status: OrderStatus
    currency: str
    email: str | None
    shipping_address: Address | None
    shipping: Shipping
    lines: Sequence[OrderLine]
    subtotal: Money
    total: Money
    placed_at: datetime
    payment_reference: str | None = None
    failure_reason: str | None = None
    settled_at: datetime | None = None
    account_id: UUID | None = None
    payment_status: PaymentStatus = PaymentStatus.PENDING
    fulfilment_status: FulfilmentStatus = FulfilmentStatus.UNFULFILLED
    captured_amount: int = 0
    refunded_amount: int = 0
    # Refunds that were asked for and have not come to an end.
    refunding_amount: int = 0
    # What goods that came back pay of it.
    credit_amount: int = 0
    placed_by: str = "checkout"
    return_id: UUID | None = None
    cancel_reason: str | None = None
    canceled_at: datetime | None = None
    completed_at: datetime | None = None
    # To the shop itself, by transfer or in cash: no provider knows of it.
    paid_outside: bool = False

    @property
    def label(self) -> str:
        """The short number people use."""
        return f"HF-{self.number}"

    def for_buyer(self) -> "Order":
        """As its buyer is shown it: what the shop suspects is the shop's own."""
        if self.cancel_reason in (None, BUYERS_REASON):
            return self
        return replace(self, cancel_reason=None)

    def numbered(self, number: int) -> "Order":
        return replace(self, number=number)

    def confirmed(
        self, reference: str, at: datetime, *, captured: bool = True
    ) -> "Order":
        """As it is once its money was taken, or at least promised."""
        return replace(
            self,
            status=OrderStatus.CONFIRMED,
            payment_status=(
                PaymentStatus.CAPTURED if captured else PaymentStatus.AUTHORIZED
            ),
            captured_amount=self.total.amount if captured else 0,
            payment_reference=reference,
            settled_at=at,
        )

    def failed(self, reason: str, at: datetime) -> "Order":
        return replace(
            self,
            status=OrderStatus.FAILED,
            payment_status=PaymentStatus.FAILED,
            failure_reason=reason,
            settled_at=at,
        )


@dataclass(frozen=True, slots=True)
class Overdue:
    """A pending order whose payment has had its time."""

    id: UUID
    placed_at: datetime


def draft(
    cart: Cart, *, order_id: UUID, at: datetime, placed_by: str = "checkout"
) -> Order:
    """Turn a cart into a pending order, with every total frozen.

    The number is 0 until the order is stored. Raises ``CartEmpty``,
    ``CartIncomplete``, ``VariantUnavailable`` or ``TotalTooLarge``.
    """
    if not cart.lines:
        raise CartEmpty
    email, address, shipping = cart.email, cart.shipping_address, cart.shipping
    if email is None or address is None or shipping is None:
        parts = {
            "email": email,
            "shipping_address": address,
            "shipping_method": shipping,
        }
        raise CartIncomplete([name for name, part in parts.items() if part is None])
    if gone := [line.sku for line in cart.lines if not line.for_sale]:
        raise VariantUnavailable(sorted(set(gone)))
    check_total(cart.total)
    return Order(
        id=order_id,
        number=0,
        cart_id=cart.id,
        token_hash=cart.token_hash,
        status=OrderStatus.PENDING,
        currency=cart.currency,
        email=email,
        shipping_address=address,
        shipping=shipping,
        lines=[
            OrderLine(n.variant_id, n.sku, n.title, n.quantity, n.unit_price, position)
            for position, n in enumerate(cart.lines, start=1)
        ],
        subtotal=cart.subtotal,
        total=cart.total,
        placed_at=at,
        account_id=cart.account_id,
        placed_by=placed_by,
        credit_amount=cart.credit_amount,
        return_id=cart.return_id,
    )


def priced(cart: Cart, unit_price: Callable[[Listed, int], int | None]) -> Cart:
    """The cart at the prices that *unit_price* finds, for as many units as are in it.

    Units of a variant count together, whichever lines they are in. A line for which
    there is no price any more costs nothing, and cannot be ordered.
    """
    units: Counter[UUID] = Counter()
    for line in cart.lines:
        if line.listed is not None:
            units[line.variant_id] += line.quantity
    if not units:
        return cart

    def at_its_price(line: Line) -> Line:
        if line.listed is None:
            return line
        amount = unit_price(line.listed, units[line.variant_id])
        price = Money(amount or 0, cart.currency)
        return replace(line, unit_price=price, has_price=amount is not None)

    return replace(cart, lines=[at_its_price(line) for line in cart.lines])


def check_line_count(count: int) -> None:
    """Raise ``CartTooLarge`` when a cart would have more lines than it may."""
    if count > MAX_LINES:
        raise CartTooLarge(MAX_LINES)


def check_quantity(sku: str, quantity: int) -> None:
    """Raise ``QuantityOutOfRange`` unless the quantity can be ordered."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise QuantityOutOfRange(sku, MAX_QUANTITY)


def check_currency(cart_currency: str, sku: str, priced_in: str) -> None:
    """Raise ``CurrencyMismatch`` when a line is priced in another currency."""
    if cart_currency != priced_in:
        raise CurrencyMismatch(sku, cart_currency, priced_in)


def check_total(amount: Money) -> None:
    """Raise ``TotalTooLarge`` when a sum leaves the range of an amount."""
    if amount.amount > MAX_AMOUNT:
        raise TotalTooLarge(MAX_AMOUNT)
