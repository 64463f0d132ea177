"""What can be wrong with a payment."""

from dataclasses import dataclass
from uuid import UUID

from holdfast.kernel.errors import (
    Conflict,
    Invalid,
    Malformed,
    NotFound,
    OutcomeUnknown,
    PaymentRequired,
    Unavailable,
)
from holdfast.kernel.money import Money


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
    """The payment provider cannot be reached; no money was moved."""

    retry_after_seconds: float | None = None


@dataclass(eq=False)
class PaymentOutcomeUnknown(OutcomeUnknown):
    """The payment provider has not said whether the payment went through."""


@dataclass(eq=False)
class RefundNotFound(NotFound):
    """There is no refund with this id."""


@dataclass(eq=False)
class RefundExceedsCaptured(Conflict):
    """More cannot be given back than was captured and not given back yet."""

    refundable: Money


@dataclass(eq=False)
class RefundNotFailed(Conflict):
    """Only a refund that failed can be tried again."""

    refund_status: str


@dataclass(eq=False)
class PaymentNotAuthorized(Conflict):
    """No money is set aside for this order that could be captured."""

    payment_status: str


@dataclass(eq=False)
class CaptureUnderWay(Conflict):
    """The payment of this order is being captured at this moment."""

    retry_after_seconds: int = 5


@dataclass(eq=False)
class WebhooksNotConfigured(NotFound):
    """This shop takes no webhooks: it has no secret to verify them with."""


@dataclass(eq=False)
class WebhookUnreadable(Malformed):
    """The message is not one that the payment provider sends."""
