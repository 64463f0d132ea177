"""What is asked of the provider, and what it remembers of it."""

from typing import Annotated, Literal, TypeAlias

import msgspec

Status: TypeAlias = Literal["captured", "declined", "canceled"]
_Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class ChargeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """*amount* is in minor units of *currency*."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=10**15)]
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    payment_method: _Text
    reference: _Text


class Charge(msgspec.Struct, frozen=True, gc=False):
    """One key's outcome, which never changes.

    *canceled* is a tombstone: the key was given up before any charge came, so its
    amount is 0, its currency ``XXX`` (ISO 4217: none) and its reference empty.
    """

    id: str
    key: str
    status: Status
    amount: int
    currency: str
    reference: str
    decline_reason: str | None
    created_at: str


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A line of the journal: the charge, and the rest of what was asked."""

    charge: Charge
    payment_method: str | None = None

    def is_for(self, request: ChargeRequest) -> bool:
        """Whether *request* asks for this very charge; a tombstone fits any."""
        charge = self.charge
        return charge.status == "canceled" or (
            charge.amount == request.amount
            and charge.currency == request.currency
            and charge.reference == request.reference
            and self.payment_method == request.payment_method
        )
