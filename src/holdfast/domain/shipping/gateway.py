"""The carrier over HTTP: prices, labels, where parcels are.

A shipment carries a key (its id), so it may be asked for again: the carrier makes one
label a key. As with money, what matters after a failure is whether the carrier may have
acted, and unless it said so that is not known. Nothing is given up because of silence:
the shipment stays pending and is asked for again. A refusal is believed only once the
key was canceled, so that no earlier request can still come through.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec

from holdfast.domain.shipping.model import (
    Consignment,
    Method,
    Outcome,
    Parcel,
    Quote,
    Refused,
    ShipmentStatus,
    Size,
    Taken,
    Tracked,
    TrackingEvent,
)
from holdfast.domain.shipping.quotes import Quotes
from holdfast.domain.shipping.wire import CarrierFailed, Wire
from holdfast.kernel.moments import on_calendar
from holdfast.resilience.errors import Rejected, TimedOut

MAX_LABEL_BYTES = 2 * 1024 * 1024
# A parcel has a few dozen events; a page of thousands is nonsense.
MAX_EVENTS = 500

_OK, _UNKNOWN, _CONFLICT = 200, 404, 409
_REFUSALS = (400, 402, 403, 404, 409, 422)
_NONSENSE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_SLUG = re.compile(r"[a-z0-9-]{1,64}")

# Part of addresses of ours and theirs.
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
# What PostgreSQL can store.
_Text = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^\x00]*\Z")]
_Reported = Literal[
    "created",
    "in_transit",
    "out_for_delivery",
    "exception",
    "lost",
    "returned",
    "delivered",
    "canceled",
]


class Protect(Protocol):
    """Policies around one call, retries among them."""

    async def __call__(self, call: Callable[[], Awaitable[Any]], /) -> Any: ...


class _Shipment(msgspec.Struct):
    id: _Id
    key: str
    status: str
    tracking_number: _Id | None = None


class _Event(msgspec.Struct):
    id: _Text
    status: _Reported
    happened_at: Annotated[datetime, msgspec.Meta(tz=True)]
    description: str = ""


class _Tracking(msgspec.Struct):
    tracking_number: _Id
    events: Annotated[list[_Event], msgspec.Meta(max_length=MAX_EVENTS)]


class _Problem(msgspec.Struct):
    type: str = ""


class _Webhook(msgspec.Struct):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"null")


_shipment = msgspec.json.Decoder(_Shipment)
_tracking = msgspec.json.Decoder(_Tracking)
_problem = msgspec.json.Decoder(_Problem)
_webhook = msgspec.json.Decoder(_Webhook)


class UnderWay(Exception):
    """The parcel was picked up: it cannot be canceled any more."""


class Carrier:
    """A carrier that speaks the simulator's protocol."""

    def __init__(
        self, wire: Wire, quotes: Quotes, *, protect: Protect, size: Size | None = None
    ) -> None:
        self._size = {} if size is None else asdict(size)
        self._wire = wire
        self._quotes = quotes
        self._protect = protect

    def recall(self, method: Method, parcel: Parcel) -> Quote | None:
        """A quote that needs no question: free of charge, or asked for just now."""
        return self._quotes.recall(method, parcel)

    async def quote(self, method: Method, parcel: Parcel) -> Quote:
        """What sending the parcel costs; always an answer, never an error."""
        return await self._quotes.quote(method, parcel)

    async def take(self, consignment: Consignment) -> Outcome:
        """Have a parcel taken, once a key; ``CarrierFailed`` while that is not known.

        ``Refused`` is final: the key was canceled, and nothing will come of it.
        """
        body = {
            "service": consignment.service,
            "reference": consignment.reference,
            "ship_from": asdict(consignment.sender),
            "ship_to": asdict(consignment.recipient),
            "parcels": [{"weight_grams": consignment.weight_grams, **self._size}],
            "currency": consignment.currency,
        }
        key = consignment.key
        headers = {"Idempotency-Key": key}

        async def attempt() -> tuple[int, bytes]:
            status, answer = await self._wire.send(
                "shipment", "POST", "/v1/shipments", json=body, headers=headers
            )
            if status < 300:  # noqa: PLR2004 - HTTP
                # Half an answer is worth another try.
                _read_shipment(answer, key)
            return status, answer

        status, answer = await self._call(attempt)
        if status in _REFUSALS:
            return await self.forestall(key, reason=_reason(status, answer))
        return _outcome(answer, key)

    async def forestall(self, key: str, *, reason: str) -> Outcome:
        """See to it that nothing is sent under a key; ``CarrierFailed``.

        ``Taken`` if it is too late, and the parcel was picked up.
        """
        try:
            await self.cancel(key)
        except UnderWay:
            status, answer = await self._ask("GET", key)
            if status != _OK:
                raise CarrierFailed(f"the carrier answered {status}") from None
            return _outcome(answer, key)
        return Refused(reason)

    async def cancel(self, key: str) -> None:
        """Cancel what was taken, or will be, under a key.

        Raises ``UnderWay`` once it was picked up, ``CarrierFailed`` while that is not
        known. Canceling twice does nothing.
        """
        status, answer = await self._ask("POST", key, "/cancel")
        if status == _CONFLICT:
            raise UnderWay
        if status != _OK or _read_shipment(answer, key).status != "canceled":
            raise CarrierFailed(f"the carrier answered {status}")

    async def label(self, reference: str) -> bytes:
        """The label as PDF; ``CarrierFailed``, also for what is no PDF."""
        status, body = await self._call(
            lambda: self._wire.send(
                *("label", "GET", f"/v1/shipments/{reference}/label.pdf"),
                limit_bytes=MAX_LABEL_BYTES,
            )
        )
        if status != _OK or not body.startswith(b"%PDF-"):
            raise CarrierFailed(f"the carrier answered {status}, and no label")
        return body

    async def track(self, tracking_number: str) -> Tracked | None:
        """Where a parcel is; None if nobody knows it; ``CarrierFailed``."""
        path = f"/v1/tracking/{tracking_number}"
        status, answer = await self._call(
            lambda: self._wire.send("tracking", "GET", path)
        )
        if status == _UNKNOWN:
            return None
        if status != _OK:
            raise CarrierFailed(f"the carrier answered {status}")
        return _tracked(answer)

    async def _ask(self, method: str, key: str, action: str = "") -> tuple[int, bytes]:
        path = f"/v1/shipments/by-key/{key}{action}"
        operation = action.removeprefix("/") or "lookup"
        return await self._call(lambda: self._wire.send(operation, method, path))

    async def _call(
        self, call: Callable[[], Awaitable[tuple[int, bytes]]]
    ) -> tuple[int, bytes]:
        try:
            answer: tuple[int, bytes] = await self._protect(call)
        except (TimedOut, Rejected) as error:
            raise CarrierFailed(str(error)) from error
        return answer


def read_webhook(body: bytes) -> Tracked | None:
    """What the carrier says of a parcel; None if it is about something else.

    ``CarrierFailed`` if it cannot be read.
    """
    try:
        said = _webhook.decode(body)
    except _NONSENSE as error:
        raise CarrierFailed("the webhook cannot be read") from error
    return _tracked(bytes(said.data)) if said.type == "shipment.updated" else None


def _read_shipment(answer: bytes, key: str) -> _Shipment:
    try:
        shipment = _shipment.decode(answer)
    except _NONSENSE as error:
        raise CarrierFailed("the carrier answered nonsense") from error
    if shipment.key != key:
        raise CarrierFailed("the carrier answered about another shipment")
    return shipment


def _outcome(answer: bytes, key: str) -> Outcome:
    shipment = _read_shipment(answer, key)
    if shipment.status == "canceled":
        return Refused("canceled")
    if shipment.tracking_number is None:
        raise CarrierFailed("the carrier gave no tracking number")
    return Taken(shipment.id, shipment.tracking_number)


def _reason(status: int, answer: bytes) -> str:
    """Why the carrier refused, in a word: what it quotes may be an address."""
    try:
        slug = _problem.decode(answer).type.rpartition("/")[2]
    except _NONSENSE:
        slug = ""
    return slug if _SLUG.fullmatch(slug) else f"carrier_said_{status}"


def _tracked(answer: bytes) -> Tracked:
    try:
        tracking = _tracking.decode(answer)
    except _NONSENSE as error:
        raise CarrierFailed("the carrier answered nonsense") from error
    if not all(on_calendar(event.happened_at) for event in tracking.events):
        raise CarrierFailed("the carrier told of a time that never comes")
    events = [
        TrackingEvent(
            event.id,
            ShipmentStatus(event.status),
            event.happened_at,
            _one_line(event.description),
        )
        for event in tracking.events
    ]
    return Tracked(tracking.tracking_number, events)


def _one_line(text: str) -> str:
    kept = "".join(c if c.isprintable() else " " for c in text[:255])
    return " ".join(kept.split())
