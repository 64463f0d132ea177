"""Getting paid: one charge an order, however often it is sent.

Promises: a charge is made at most once a key; what is not certain is said to be
unknown, never to have failed.
"""

from holdfast.domain.payments.errors import (
    PaymentDeclined,
    PaymentOutcomeUnknown,
    PaymentUnavailable,
    UnknownPaymentMethod,
)
from holdfast.domain.payments.gateway import NotSent, Provider, Unclear
from holdfast.domain.payments.model import NOTHING_DUE, Captured, Declined, Outcome

__all__ = [
    "NOTHING_DUE",
    "Captured",
    "Declined",
    "NotSent",
    "Outcome",
    "PaymentDeclined",
    "PaymentOutcomeUnknown",
    "PaymentUnavailable",
    "Provider",
    "Unclear",
    "UnknownPaymentMethod",
]
