"""Money that goes back, as it is asked for and as it is remembered."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from holdfast.simulators.payment.charge import Amount, Currency
from holdfast.simulators.payment.scenario import PaymentMishap

RefundStatus: TypeAlias = Literal["succeeded", "pending", "failed", "canceled"]


class RefundRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    charge_key: Annotated[str, msgspec.Meta(pattern=r"^[!#-\[\]-~]{1,255}\Z")]
    amount: Amount
    currency: Currency
    reason: Annotated[str, msgspec.Meta(max_length=255)] = ""
    simulate: PaymentMishap | None = None


class Refund(msgspec.Struct, frozen=True, gc=False):
    """A tombstone is *canceled* with an empty *charge_key* and currency ``XXX``."""

    id: str
    key: str
    charge_key: str
    status: RefundStatus
    amount: int
    currency: str
    reason: str
    failure_reason: str | None
    created_at: str

    @property
    def holds(self) -> int:
        """What of the charge's money it has, or is going to have."""
        return self.amount if self.status in {"succeeded", "pending"} else 0

    def is_for(self, request: RefundRequest) -> bool:
        """Whether *request* asks for this very refund; a tombstone fits any."""
        return not self.charge_key or (
            self.charge_key == request.charge_key
            and self.amount == request.amount
            and self.currency == request.currency
            and self.reason == request.reason
        )


class RefundEntry(msgspec.Struct, gc=False):
    """*due*: the instant at which a pending one settles; *fails*: how."""

    refund: Refund
    due: int | None = None
    fails: bool = False
