"""The states of an order, its payment and its fulfilment, and how each may change.

Three machines, kept apart, because they move apart: an order can be partly shipped
and partly given back its money at the same time. The tables here are the whole
truth: the store asks them what a change may start from, and every change it makes
says so in its condition, so that of two changes at once the second is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


class OrderStatus(StrEnum):
    """Where an order is; a pending one holds stock, and its payment is not decided."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"


class PaymentStatus(StrEnum):
    """Where the money is."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    FAILED = "failed"


class FulfilmentStatus(StrEnum):
    """Where the goods are; what was canceled does not count."""

    UNFULFILLED = "unfulfilled"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"


S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[S]):
    """One of the three: its name in the record of events, and its table."""

    kind: str
    start: S
    transitions: Mapping[S, frozenset[S]]

    def allows(self, start: S, end: S) -> bool:
        return end in self.transitions[start]

    def sources(self, end: S) -> list[S]:
        """The states from which *end* can be reached in one step, in their order."""
        return [state for state in self.transitions if self.allows(state, end)]

    def final(self, state: S) -> bool:
        return not self.transitions[state]


def _to(*states: S) -> frozenset[S]:
    return frozenset(states)


_O, _P, _F = OrderStatus, PaymentStatus, FulfilmentStatus

ORDER = Machine(
    "order",
    _O.PENDING,
    {
        _O.PENDING: _to(_O.CONFIRMED, _O.FAILED),
        _O.CONFIRMED: _to(_O.COMPLETED, _O.CANCELED),
        # A shipment that came to nothing after all.
        _O.COMPLETED: _to(_O.CONFIRMED),
        _O.CANCELED: _to(),
        _O.FAILED: _to(),
    },
)

PAYMENT = Machine(
    "payment",
    _P.PENDING,
    {
        _P.PENDING: _to(_P.AUTHORIZED, _P.CAPTURED, _P.FAILED),
        _P.AUTHORIZED: _to(_P.CAPTURED, _P.VOIDED),
        _P.CAPTURED: _to(_P.PARTIALLY_REFUNDED, _P.REFUNDED),
        _P.PARTIALLY_REFUNDED: _to(_P.REFUNDED),
        _P.REFUNDED: _to(),
        _P.VOIDED: _to(),
        _P.FAILED: _to(),
    },
)

FULFILMENT = Machine(
    "fulfilment",
    _F.UNFULFILLED,
    {
        _F.UNFULFILLED: _to(_F.PARTIALLY_FULFILLED, _F.FULFILLED),
        # Back, when a shipment came to nothing.
        _F.PARTIALLY_FULFILLED: _to(_F.FULFILLED, _F.UNFULFILLED),
        _F.FULFILLED: _to(_F.PARTIALLY_FULFILLED, _F.UNFULFILLED),
    },
)


CAPTURED = frozenset({_P.CAPTURED, _P.PARTIALLY_REFUNDED, _P.REFUNDED})
"""The money was taken, whatever was given back of it since."""


def fulfilment_of(lines: Iterable[tuple[int, int, int]]) -> FulfilmentStatus:
    """What lines say together, each as its quantity, what was canceled and shipped."""
    open_units = shipped_units = 0
    for quantity, canceled, shipped in lines:
        shipped_units += shipped
        open_units += quantity - canceled - shipped
    if not shipped_units:
        return _F.UNFULFILLED
    return _F.PARTIALLY_FULFILLED if open_units else _F.FULFILLED


def is_complete(payment: PaymentStatus, fulfilment: FulfilmentStatus) -> bool:
    """Whether a confirmed order has nothing left to be done."""
    return payment in CAPTURED and fulfilment is _F.FULFILLED
