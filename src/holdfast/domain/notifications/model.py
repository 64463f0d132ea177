"""What buyers and the owners of accounts are told, as text.

Every value that goes into a text is flattened to one line without control
characters first, so a product title or an address cannot start a line, a header
or a text direction of its own.
"""

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

import jinja2

from holdfast.kernel.money import Money

_LONGEST_LINE = 500
# Cc: control; Cf: invisible formatting, such as a change of direction; Zl, Zp: line
# and paragraph separators; Cs: half a character, which cannot be encoded.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


@dataclass(frozen=True, slots=True)
class Line:
    """So many of a product, as sold."""

    title: str
    sku: str
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the confirmation of an order says."""

    number: str
    recipient: str
    placed_at: datetime
    lines: Sequence[Line]
    subtotal: Money
    shipping_method: str
    shipping_total: Money
    total: Money
    # Name first; empty lines are left out.
    address: Sequence[str]


@dataclass(frozen=True, slots=True)
class RefundNotice:
    """What a buyer is told when money went back to them."""

    number: str
    recipient: str
    amount: Money


@dataclass(frozen=True, slots=True)
class ShipmentNotice:
    """What a buyer is told when goods have left, or have arrived."""

    kind: Literal["shipment_shipped", "shipment_delivered"]
    number: str
    recipient: str
    # Titles with their SKUs and quantities; what they cost was said before.
    lines: Sequence[tuple[str, str, int]]
    tracking_number: str | None
    # Whether more of the order is still to come.
    more_to_come: bool


@dataclass(frozen=True, slots=True)
class OrderNotice:
    """What a buyer is told when an order was changed, was canceled or has failed."""

    kind: Literal["order_canceled", "order_changed", "order_failed"]
    number: str
    recipient: str
    # What is left of it: titles with their SKUs and quantities.
    lines: Sequence[tuple[str, str, int]]
    total: Money
    # What goes back, or went back before; of nothing if nothing does.
    given_back: Money
    # Name first; empty lines are left out.
    address: Sequence[str]


ReturnNoticeKind: TypeAlias = Literal[
    "return_approved", "return_rejected", "return_received"
]


@dataclass(frozen=True, slots=True)
class ReturnNotice:
    """What a buyer is told when goods may come back, may not, or have come back."""

    kind: ReturnNoticeKind
    number: str
    recipient: str
    # Titles with their SKUs and quantities.
    lines: Sequence[tuple[str, str, int]]
    # What the shop said to the buyer, in lines.
    answer: Sequence[str]
    # What pays for other goods, and what goes back as money.
    credit: Money
    given_back: Money
    # Whether the other goods wait for the buyer to pay the rest.
    to_be_paid: bool


@dataclass(frozen=True, slots=True)
class LowLine:
    """A level that runs low."""

    sku: str
    location: str
    remaining: int
    threshold: int


@dataclass(frozen=True, slots=True)
class LowStockNotice:
    """What operators are told when stock runs low."""

    recipient: str
    lines: Sequence[LowLine]


@dataclass(frozen=True, slots=True)
class BackInStock:
    """What somebody is told who waited for a product."""

    recipient: str
    title: str
    sku: str
    link: str


LetterKind: TypeAlias = Literal[
    "sign_up",
    "account_exists",
    "password_reset",
    "first_password",
    "email_change",
    "address_in_use",
    "email_changed",
    "email_corrected",
    "password_changed",
    "second_factor_enabled",
    "second_factor_disabled",
]
"""What an e-mail about an account says; each is a template of that name."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail about an account.

    Nothing in it can be chosen by whoever asks for it, who may be a stranger.
    """

    kind: LetterKind
    recipient: str
    # Address of the shop, and of the page that the reader is led to.
    shop: str
    link: str
    # How long the link is good, in hours; 0 if it does not expire.
    hours: int = 0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What leads the buyer of a draft order to where they pay it."""

    recipient: str
    total: Money
    link: str


@dataclass(frozen=True, slots=True)
class Message:
    """A text for somebody."""

    recipient: str
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Email:
    """A message that was written down; sent once a mail server took it."""

    id: UUID
    event_id: UUID
    recipient: str
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None


Said: TypeAlias = (
    Confirmation
    | OrderNotice
    | RefundNotice
    | ReturnNotice
    | ShipmentNotice
    | LowStockNotice
    | BackInStock
    | Invitation
    | Letter
)

_TEMPLATES: dict[type, str] = {
    Confirmation: "order_confirmation",
    RefundNotice: "refund",
    LowStockNotice: "low_stock",
    BackInStock: "back_in_stock",
    Invitation: "invitation",
}


def compose(said: Said) -> Message:
    """Write what is said about an order or about stock, or a letter to an owner."""
    if isinstance(said, Letter | OrderNotice | ReturnNotice | ShipmentNotice):
        name: str = said.kind
    else:
        name = _TEMPLATES[type(said)]
    text = _templates().get_template(f"{name}.txt").render(it=said)
    subject, _, body = text.partition("\n")
    return Message(said.recipient, one_line(subject), body.strip() + "\n")


def one_line(value: object) -> str:
    """Flatten a value to one printable line."""
    text = str(value)[:_LONGEST_LINE]
    if text.isprintable():
        return text.strip()
    kept = (" " if unicodedata.category(c) in _UNPRINTABLE else c for c in text)
    return " ".join("".join(kept).split())


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("holdfast.domain.notifications"),
        # Text, not HTML: an ampersand in a title stays one.
        autoescape=False,  # noqa: S701
        undefined=jinja2.StrictUndefined,
        finalize=one_line,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
