"""What the provider writes, believed only when all of it makes sense.

Every text must be printable: PostgreSQL cannot store a NUL, and a charge that we could
not write down would stay pending for ever. An answer about another key, amount or
currency than we asked about is no answer at all.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

from holdfast.domain.payments.errors import PaymentOutcomeUnknown
from holdfast.domain.payments.model import (
    ActionRequired,
    Authorized,
    Captured,
    Charge,
    ChargeRefund,
    Declined,
    Outcome,
    RefundFailed,
    RefundOutcome,
    RefundPending,
    RefundSucceeded,
)
from holdfast.kernel.money import MAX_AMOUNT, Money
from holdfast.kernel.page import Page

T = TypeVar("T")

# \Z, not $, which lets a line break pass at the end.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*\Z"
_Text = Annotated[str, msgspec.Meta(max_length=255, pattern=_PRINTABLE)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=_PRINTABLE)]
_Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]
_Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
# It is shown to the buyer as it is.
_Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[\x21-\x7e]{1,2000}\Z")]

ChargeStatus = Literal[
    "captured", "authorized", "requires_action", "declined", "canceled"
]
RefundStatus = Literal["succeeded", "pending", "failed", "canceled"]


class _Action(msgspec.Struct):
    type: Literal["redirect"]
    url: _Url


class WireCharge(msgspec.Struct):
    """A charge as the provider writes it."""

    id: _Name
    key: _Name
    status: ChargeStatus
    amount: _Amount
    currency: _Currency
    decline_reason: _Text | None = None
    captured_amount: _Amount | None = None
    refunded_amount: _Amount = 0
    next_action: _Action | None = None
    created_at: _Instant | None = None

    def __post_init__(self) -> None:
        if self.status == "requires_action" and self.next_action is None:
            raise ValueError("an action without an address")
        if self.refunded_amount > self.captured:
            raise ValueError("more given back than taken")

    @property
    def captured(self) -> int:
        if self.status != "captured":
            return 0
        return self.amount if self.captured_amount is None else self.captured_amount

    def read(self) -> Charge:
        return Charge(
            reference=self.id,
            key=self.key,
            status=self.status,
            amount=Money(self.amount, self.currency),
            captured=self.captured,
            refunded=self.refunded_amount,
            decline_reason=self.decline_reason,
            action_url=None if self.next_action is None else self.next_action.url,
            created_at=self.created_at,
        )


class WireRefund(msgspec.Struct):
    """A refund as the provider writes it."""

    id: _Name
    key: _Name
    status: RefundStatus
    amount: _Amount
    currency: _Currency
    # Empty in one that was cancelled before it came.
    charge_key: _Text = ""
    failure_reason: _Text | None = None
    created_at: _Instant | None = None

    def read(self) -> ChargeRefund:
        return ChargeRefund(
            reference=self.id,
            key=self.key,
            charge_key=self.charge_key,
            status=self.status,
            amount=Money(self.amount, self.currency),
            failure_reason=self.failure_reason,
            created_at=self.created_at,
        )


class _Listing(msgspec.Struct, Generic[T]):
    items: list[T]
    next: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None


class _Problem(msgspec.Struct):
    type: str


_charge = msgspec.json.Decoder(WireCharge)
_refund = msgspec.json.Decoder(WireRefund)
_charges = msgspec.json.Decoder(_Listing[WireCharge])
_refunds = msgspec.json.Decoder(_Listing[WireRefund])
_problem = msgspec.json.Decoder(_Problem)
_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def is_charge(body: bytes) -> bool:
    return _is(_charge, body)


def is_refund(body: bytes) -> bool:
    return _is(_refund, body)


def charge(body: bytes) -> Charge:
    """Read a charge; ``PaymentOutcomeUnknown`` if it is none."""
    read: WireCharge = _read(_charge, body)
    return read.read()


def refund(body: bytes) -> ChargeRefund:
    """Read a refund; ``PaymentOutcomeUnknown`` if it is none."""
    read: WireRefund = _read(_refund, body)
    return read.read()


def charges(body: bytes) -> Page[Charge]:
    """Read a page of charges."""
    read: _Listing[WireCharge] = _read(_charges, body)
    return Page([item.read() for item in read.items], read.next)


def refunds(body: bytes) -> Page[ChargeRefund]:
    """Read a page of refunds."""
    read: _Listing[WireRefund] = _read(_refunds, body)
    return Page([item.read() for item in read.items], read.next)


def problem(body: bytes) -> str:
    """The last part of a problem's type, ``refund-exceeds-charge``; "" without one."""
    try:
        return _problem.decode(body).type.rpartition("/")[2]
    except _FAULTS:
        return ""


def outcome(found: Charge, key: str, amount: Money) -> Outcome:
    """What a charge says about ours; ``PaymentOutcomeUnknown`` if it is another's."""
    if found.key != key:
        raise PaymentOutcomeUnknown
    if found.status in ("declined", "canceled"):
        return Declined(found.decline_reason or found.status)
    if found.amount != amount:
        # Somebody charged another amount under our key. Neither paid nor failed
        # would be true; it stays pending until a person has looked.
        raise PaymentOutcomeUnknown
    if found.status == "requires_action":
        assert found.action_url is not None  # noqa: S101 - __post_init__
        return ActionRequired(found.reference, found.action_url)
    if found.status == "authorized":
        return Authorized(found.reference)
    if found.captured != amount.amount:
        raise PaymentOutcomeUnknown
    return Captured(found.reference)


def refund_outcome(
    found: ChargeRefund, *, key: str, charge_key: str, amount: Money
) -> RefundOutcome:
    """What a refund says about ours; ``PaymentOutcomeUnknown`` if it is another's."""
    if found.key != key:
        raise PaymentOutcomeUnknown
    if found.status in ("failed", "canceled"):
        return RefundFailed(found.failure_reason or found.status)
    if (found.charge_key, found.amount) != (charge_key, amount):
        raise PaymentOutcomeUnknown
    if found.status == "pending":
        return RefundPending(found.reference)
    return RefundSucceeded(found.reference)


def _is(decoder: Any, body: bytes) -> bool:
    try:
        decoder.decode(body)
    except _FAULTS:
        return False
    return True


def _read(decoder: Any, body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except _FAULTS as error:
        raise PaymentOutcomeUnknown from error
