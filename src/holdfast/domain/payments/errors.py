"""What can be wrong with a payment."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import (
    Invalid,
    OutcomeUnknown,
    PaymentRequired,
    Unavailable,
)


@dataclass(eq=False)
class PaymentDeclined(PaymentRequired):
    """The payment was declined."""

    order_id: UUID
    reason: str


@dataclass(eq=False)
class UnknownPaymentMethod(Invalid):
    """The payment provider does not know this payment method."""

    payment_method: str


@dataclass(eq=False)
class PaymentUnavailable(Unavailable):
    """The payment provider cannot be reached; nothing was charged."""


@dataclass(eq=False)
class PaymentOutcomeUnknown(OutcomeUnknown):
    """The payment provider has not said whether the payment went through."""
