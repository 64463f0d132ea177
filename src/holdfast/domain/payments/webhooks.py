"""What the provider tells by itself: a charge or a refund as it is by now.

Who sent it was checked before. The object is a snapshot of when it was written, which
may be long ago; whoever acts on it must bear one that is late.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from holdfast.domain.payments.errors import WebhookUnreadable
from holdfast.domain.payments.model import Charge, ChargeRefund
from holdfast.domain.payments.wire import WireCharge, WireRefund

_FAULTS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Envelope(msgspec.Struct):
    # Printable ASCII: it becomes a row and a line of the log.
    id: Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,255}\Z")]
    type: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.]{1,100}\Z")]
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope)
_charge = msgspec.json.Decoder(WireCharge)
_refund = msgspec.json.Decoder(WireRefund)

_CHARGES = frozenset(
    f"charge.{word}"
    for word in ("authorized", "captured", "declined", "canceled", "requires_action")
)
_REFUNDS = frozenset(
    f"refund.{word}" for word in ("succeeded", "failed", "pending", "canceled")
)


@dataclass(frozen=True, slots=True)
class Told:
    """One message: its type, and the object it is about if we know such."""

    id: str
    type: str
    about: Charge | ChargeRefund | None


def read_webhook(body: bytes) -> Told:
    """Read a message; ``WebhookUnreadable`` if it is none.

    One of a type that we do not act on is about nothing.
    """
    try:
        said = _envelope.decode(body)
        about: Charge | ChargeRefund | None = None
        if said.type in _CHARGES:
            about = _charge.decode(said.data).read()
        elif said.type in _REFUNDS:
            about = _refund.decode(said.data).read()
    except _FAULTS as error:
        raise WebhookUnreadable from error
    return Told(said.id, said.type, about)
