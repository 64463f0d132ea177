"""What a payment provider can say about a charge or a refund, and what we keep."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from holdfast.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Captured:
    """The money is ours; the provider knows the charge by this reference."""

    reference: str


@dataclass(frozen=True, slots=True)
class Authorized:
    """The money is set aside for us, to be captured or voided later."""

    reference: str


@dataclass(frozen=True, slots=True)
class ActionRequired:
    """The buyer has to do something at this address first (3-D Secure)."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no, or the charge was cancelled before it happened."""

    reason: str


@dataclass(frozen=True, slots=True)
class Voided:
    """What was set aside is free again; no money moved."""


Outcome: TypeAlias = Captured | Authorized | Declined | ActionRequired
"""What became of a charge, once the provider has said so."""

NOTHING_DUE = Captured("nothing_due")
"""An order of zero is paid by itself; no provider charges nothing."""


@dataclass(frozen=True, slots=True)
class RefundSucceeded:
    """The money is on its way back; the provider knows the refund by this."""

    reference: str


@dataclass(frozen=True, slots=True)
class RefundPending:
    """The provider has the refund and has not ended it yet."""

    reference: str


@dataclass(frozen=True, slots=True)
class RefundFailed:
    """No money went back, and under this key none ever will."""

    reason: str


RefundOutcome: TypeAlias = RefundSucceeded | RefundPending | RefundFailed
"""What became of a refund, once the provider has said so."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge as the provider has it."""

    reference: str
    key: str
    status: str
    amount: Money
    captured: int
    refunded: int
    decline_reason: str | None = None
    action_url: str | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChargeRefund:
    """A refund as the provider has it."""

    reference: str
    key: str
    charge_key: str
    status: str
    amount: Money
    failure_reason: str | None = None
    created_at: datetime | None = None


class Progress(StrEnum):
    """Where a refund or a capture of ours is."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back to a buyer; its id is its key at the provider.

    One that is *stray* gives back what was charged for an order that nobody owes
    anything for; it does not count as money of the order.
    """

    id: UUID
    order_id: UUID
    amount: Money
    status: Progress
    reason: str
    requested_by: str
    requested_at: datetime
    reference: str | None = None
    failure_reason: str | None = None
    settled_at: datetime | None = None
    retry_of: UUID | None = None
    stray: bool = False
    # How often the provider was asked and did not end it.
    tries: int = 0


class ClosingKind(StrEnum):
    """How a charge ends that was only authorised."""

    CAPTURE = "capture"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a charge that was only authorised; one for an order."""

    order_id: UUID
    kind: ClosingKind
    # What is taken; nothing for a void.
    amount: Money
    status: Progress
    requested_by: str
    requested_at: datetime
    failure_reason: str | None = None
    settled_at: datetime | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Action:
    """What a buyer still has to do before an order is paid."""

    order_id: UUID
    reference: str
    url: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """Something in which the provider and the shop differ."""

    id: UUID
    kind: str
    subject: str
    order_id: UUID | None
    detail: dict[str, str | int | None]
    found_at: datetime
    seen_at: datetime
    resolved_at: datetime | None = None
