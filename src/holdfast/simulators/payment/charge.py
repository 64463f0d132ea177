"""What is asked of the provider, and what it remembers of it."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.payment.scenario import PaymentMishap

Status: TypeAlias = Literal[
    "captured", "authorized", "requires_action", "declined", "canceled"
]
Capture: TypeAlias = Literal["automatic", "manual"]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Amount: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
Currency: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]

# Neither user nor anything that could end a header: it becomes one.
_Url: TypeAlias = Annotated[
    str,
    msgspec.Meta(pattern=r"^https?://[A-Za-z0-9.:\[\]-]+(/[!-~]*)?\Z", max_length=2048),
]


class ChargeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*amount* is in minor units of *currency*."""

    amount: Amount
    currency: Currency
    payment_method: Text
    reference: Text
    capture: Capture = "automatic"
    return_url: _Url | None = None
    simulate: PaymentMishap | None = None


class CaptureRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without an *amount*: all of it."""

    amount: Amount | None = None
    simulate: PaymentMishap | None = None


class Redirect(msgspec.Struct, frozen=True, gc=False):
    url: str
    type: Literal["redirect"] = "redirect"


class Charge(msgspec.Struct, frozen=True, gc=False):
    """One key's outcome; captured, declined and canceled are for good.

    A tombstone is *canceled* with amount 0, currency ``XXX`` (ISO 4217: none) and
    an empty reference: the key was given up before any charge came.
    """

    id: str
    key: str
    status: Status
    amount: int
    currency: str
    reference: str
    decline_reason: str | None
    created_at: str
    captured_amount: int = 0
    refunded_amount: int = 0
    next_action: Redirect | None = None


class Entry(msgspec.Struct, gc=False):
    """A charge as it is now, and the rest of what was asked."""

    charge: Charge
    payment_method: str | None = None
    capture: Capture = "automatic"
    return_url: str | None = None
    challenged: bool = False

    def is_for(self, request: ChargeRequest) -> bool:
        """Whether *request* asks for this very charge; a tombstone fits any."""
        charge = self.charge
        return self.payment_method is None or (
            charge.amount == request.amount
            and charge.currency == request.currency
            and charge.reference == request.reference
            and self.payment_method == request.payment_method
            and self.capture == request.capture
        )
