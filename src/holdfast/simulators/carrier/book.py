"""The shipments that the carrier has taken on, by key, number and id.

A change is in the journal before it is in memory, and whoever listens is told of it
after both. Events come due by the simulator's clock; after a restart those that came
due meanwhile happen at once, with the date they were planned for.

Memory: about 5 KB a shipment, 100,000 of them at most; then new ones are refused.
"""

import uuid
from collections import Counter
from collections.abc import Callable

import msgspec

from holdfast.simulators.carrier.journey import DESCRIPTIONS
from holdfast.simulators.carrier.scenario import ParcelStatus
from holdfast.simulators.carrier.shipment import (
    Consignment,
    Planned,
    Shipment,
    ShipmentRequest,
    Tracking,
    TrackingEvent,
)
from holdfast.simulators.carrier.tariff import Price
from holdfast.simulators.clock import HOUR, Clock, text
from holdfast.simulators.journal import Journal
from holdfast.simulators.register import Register
from holdfast.simulators.webhooks import Ended, Note

MAX_SHIPMENTS = 100_000


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the journal: a shipment as it is now, or a webhook."""

    consignment: Consignment | None = None
    webhook: Note | None = None
    webhook_ended: Ended | None = None


class KeyReused(Exception):
    """The key belongs to a shipment that was asked for differently."""


class UnderWay(Exception):
    """It has been picked up and cannot be stopped."""


class Book:
    """*undelivered* is what else the journal had."""

    def __init__(
        self,
        journal: Journal[Line] | None = None,
        *,
        clock: Clock | None = None,
        max_shipments: int = MAX_SHIPMENTS,
    ) -> None:
        self.clock = clock or Clock()
        self.listener: Callable[[Tracking], None] = _nobody
        self.entries: Register[Consignment] = Register(
            most=max_shipments, what="shipments"
        )
        self._journal = journal
        self._by_id: dict[str, Consignment] = {}
        self._by_number: dict[str, Consignment] = {}
        self._counts: Counter[ParcelStatus] = Counter()
        self.undelivered: dict[str, Note] = {}
        for line in journal.entries() if journal else ():
            self._read(line)

    def start(self) -> None:
        """Plan what the journal had; call it once there is someone to tell."""
        for entry in self.entries.page(start=0, limit=len(self.entries)):
            self._await_next(entry)

    def by_id(self, shipment_id: str) -> Consignment | None:
        return self._by_id.get(shipment_id)

    def by_number(self, number: str) -> Consignment | None:
        return self._by_number.get(number)

    def known(self, key: str, request: ShipmentRequest) -> Consignment | None:
        """What became of the key before. Raises ``KeyReused``."""
        entry = self.entries.find(key)
        if entry is not None and not entry.is_for(request):
            raise KeyReused(key)
        return entry

    def ship(
        self,
        key: str,
        request: ShipmentRequest,
        *,
        price: Price,
        plan: tuple[Planned, ...],
        base_url: str,
    ) -> Consignment:
        """Take on a new one. ``OSError``: there is none."""
        self.entries.check_room()
        shipment_id = f"sh_{uuid.uuid4().hex}"
        shipment = Shipment(
            id=shipment_id,
            key=key,
            tracking_number=self._new_number(request.ship_from.country),
            service=request.service,
            reference=request.reference,
            status="created",
            label_url=f"{base_url}/v1/shipments/{shipment_id}/label.pdf",
            price=price,
            created_at=self.clock.text(),
        )
        place = request.ship_from.place
        first = _event("created", DESCRIPTIONS["created"], place, shipment.created_at)
        asked = msgspec.structs.replace(request, simulate=None)
        entry = Consignment(shipment, asked, (first,), plan)
        self._record(entry, shipment, entry.events, plan)
        self._await_next(entry)
        return entry

    def cancel(self, key: str) -> Consignment:
        """Stop it before pickup, or for good if it is unknown. Raises ``UnderWay``."""
        entry = self.entries.find(key)
        if entry is None:
            self.entries.check_room()
            nothing = Shipment(
                id=f"sh_{uuid.uuid4().hex}",
                key=key,
                tracking_number=None,
                service=None,
                reference="",
                status="canceled",
                label_url=None,
                price=None,
                created_at=self.clock.text(),
            )
            tombstone = Consignment(nothing)
            self._record(tombstone, nothing, (), ())
            return tombstone
        if entry.shipment.status == "canceled":
            return entry
        if entry.shipment.status != "created":
            raise UnderWay(entry.shipment.status)
        request = entry.request
        place = request.ship_from.place if request else ""
        self.happen(entry, "canceled", DESCRIPTIONS["canceled"], place)
        return entry

    def happen(
        self,
        entry: Consignment,
        status: ParcelStatus,
        description: str,
        location: str,
        *,
        at: str | None = None,
        plan: tuple[Planned, ...] = (),
    ) -> None:
        """Add an event; nothing but *plan* comes after it by itself."""
        event = _event(status, description, location, at or self.clock.text())
        shipment = msgspec.structs.replace(entry.shipment, status=status)
        self._record(entry, shipment, (*entry.events, event), plan)

    def count(self, status: ParcelStatus) -> int:
        return self._counts[status]

    def keep_webhook(self, what: Note | Ended) -> None:
        """As far as the disk allows: what happened has happened anyway."""
        try:
            if isinstance(what, Note):
                self._write(Line(webhook=what))
            else:
                self._write(Line(webhook_ended=what))
        except OSError:
            return

    def clear(self) -> None:
        if self._journal:
            self._journal.clear()
        self.entries.clear()
        self._by_id.clear()
        self._by_number.clear()
        self._counts.clear()

    def _await_next(self, entry: Consignment) -> None:
        if entry.plan:
            planned = entry.plan[0]
            self.clock.at(planned.due, lambda _: self._arrive(entry, planned))

    def _arrive(self, entry: Consignment, planned: Planned) -> None:
        if not entry.plan or entry.plan[0] is not planned:
            # Canceled, or moved by hand, in the meantime.
            return
        try:
            self.happen(
                entry,
                planned.status,
                planned.description,
                planned.location,
                at=text(planned.due),
                plan=entry.plan[1:],
            )
        except OSError:
            # The disk is full: the parcel waits, and is tried again.
            again = self.clock.now() + HOUR
            self.clock.at(again, lambda _: self._arrive(entry, planned))
        else:
            self._await_next(entry)

    def _new_number(self, country: str) -> str:
        while True:
            number = _s10(uuid.uuid4().int % 10**8, country)
            if number not in self._by_number:
                return number

    def _record(
        self,
        entry: Consignment,
        shipment: Shipment,
        events: tuple[TrackingEvent, ...],
        plan: tuple[Planned, ...],
    ) -> None:
        """Make this what the entry is: on disk, in memory, then known."""
        self._write(Line(Consignment(shipment, entry.request, events, plan)))
        self._remember(entry, shipment)
        entry.events, entry.plan = events, plan
        if entry.request is not None:
            self.listener(entry.tracking())

    def _write(self, line: Line) -> None:
        if self._journal:
            self._journal.append(line)

    def _remember(self, entry: Consignment, shipment: Shipment) -> None:
        if self.entries.find(shipment.key) is None:
            self.entries.put(shipment.key, entry, created_at=shipment.created_at)
            self._by_id[shipment.id] = entry
            if shipment.tracking_number:
                self._by_number[shipment.tracking_number] = entry
        else:
            self._counts[entry.shipment.status] -= 1
        entry.shipment = shipment
        self._counts[shipment.status] += 1

    def _read(self, line: Line) -> None:
        if (read := line.consignment) is not None:
            entry = self.entries.find(read.shipment.key) or read
            self._remember(entry, read.shipment)
            entry.events, entry.plan = read.events, read.plan
        elif line.webhook is not None:
            self.undelivered[line.webhook.event.id] = line.webhook
        elif line.webhook_ended is not None:
            self.undelivered.pop(line.webhook_ended.id, None)


def _event(
    status: ParcelStatus, description: str, location: str, at: str
) -> TrackingEvent:
    return TrackingEvent(f"te_{uuid.uuid4().hex}", status, description, location, at)


def _s10(serial: int, country: str) -> str:
    """A postal item identifier (UPU S10): its last digit checks the others."""
    digits = f"{serial:08d}"
    weighed = sum(
        int(d) * w for d, w in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)
    )
    check = {10: 0, 11: 5}.get(11 - weighed % 11, 11 - weighed % 11)
    return f"HF{digits}{check}{country}"


def _nobody(tracking: Tracking) -> None:
    """Nobody listens."""
