"""The endpoints for shipments, labels and tracking."""

from typing import Annotated

import msgspec

from holdfast.simulators.carrier import label
from holdfast.simulators.carrier.book import Book, KeyReused, UnderWay
from holdfast.simulators.carrier.journey import DESCRIPTIONS, asked_by, plan
from holdfast.simulators.carrier.scenario import (
    CarrierMishap,
    CarrierScenario,
    Journey,
    ParcelStatus,
    Words,
)
from holdfast.simulators.carrier.shipment import Consignment, ShipmentRequest
from holdfast.simulators.carrier.tariff import check_size, rate
from holdfast.simulators.keys import checked, key_of
from holdfast.simulators.register import Full, listing
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Problem, Reply, Request, Route, json_reply

_NORMAL = Journey()


class _Happening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    status: ParcelStatus
    description: Annotated[Words, msgspec.Meta(min_length=1)] | None = None
    location: Words | None = None


_SHIPMENT = msgspec.json.Decoder(ShipmentRequest)
_HAPPENING = msgspec.json.Decoder(_Happening)


class Shipments:
    def __init__(self, book: Book, simulation: Simulation) -> None:
        self._book = book
        self._simulation = simulation

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/v1/shipments", self.ship),
            Route("GET", "/v1/shipments", self.shipments),
            Route("GET", "/v1/shipments/by-key/{}", self.by_key),
            Route("POST", "/v1/shipments/by-key/{}/cancel", self.cancel),
            Route("GET", "/v1/shipments/{}/label.pdf", self.label),
            Route("GET", "/v1/tracking/{}", self.tracking),
            Route("POST", "/control/shipments/{}/events", self.happen),
        )

    async def ship(self, request: Request) -> Reply | None:
        key = key_of(request)
        wanted = await request.read(_SHIPMENT)
        for parcel in wanted.parcels:
            check_size(parcel)
        journey = self._journey(request, wanted)
        return await self._simulation.perform(
            "shipment",
            request,
            lambda: self._ship(key, wanted, journey, request),
            mishap=wanted.simulate,
            key=key,
        )

    def _journey(self, request: Request, wanted: ShipmentRequest) -> Journey:
        """By its own wish, then by its reference, then by the scenario that is on."""
        mishap = self._simulation.mishap_of(request, wanted.simulate)
        if isinstance(mishap, CarrierMishap) and mishap.journey is not None:
            return mishap.journey
        if outcome := asked_by(wanted.reference):
            return Journey(outcome=outcome)
        stage = self._simulation.stage
        if isinstance(stage.scenario, CarrierScenario):
            journey = stage.scenario.journey
            if journey is not None and stage.chance(journey.rate):
                return journey
        return _NORMAL

    def _ship(
        self, key: str, wanted: ShipmentRequest, journey: Journey, request: Request
    ) -> Reply:
        try:
            known = self._book.known(key, wanted)
            if known is not None:
                return json_reply(known.shipment)
            to = wanted.ship_to
            offer = rate(
                wanted.service,
                to.country,
                to.postal_code,
                wanted.parcels,
                wanted.currency,
            )
            now = self._simulation.clock.now()
            made = self._book.ship(
                key,
                wanted,
                price=offer.price,
                plan=plan(journey, wanted, days=offer.days_max, now=now),
                base_url=request.base_url,
            )
        except KeyReused:
            raise Problem(
                422,
                "idempotency-key-reused",
                "The key belongs to a shipment that was asked for differently.",
            ) from None
        except (Full, OSError) as error:
            raise _not_recorded(error) from None
        return json_reply(made.shipment, status=201)

    async def cancel(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])

        def act() -> Reply:
            try:
                return json_reply(self._book.cancel(key).shipment)
            except UnderWay as status:
                detail = f"The shipment is {status} and cannot be stopped."
                raise Problem(409, "shipment-under-way", detail) from None
            except (Full, OSError) as error:
                raise _not_recorded(error) from None

        return await self._simulation.perform("cancel", request, act, key=key)

    async def by_key(self, request: Request) -> Reply | None:
        key = checked(request.path_values[0])

        def act() -> Reply:
            return json_reply(_found(self._book.entries.find(key)).shipment)

        return await self._simulation.perform("lookup", request, act, key=key)

    async def shipments(self, request: Request) -> Reply | None:
        return await self._simulation.perform(
            "lookup",
            request,
            lambda: listing(request, self._book.entries, lambda entry: entry.shipment),
        )

    async def label(self, request: Request) -> Reply | None:
        def act() -> Reply:
            entry = _found(self._book.by_id(request.path_values[0]))
            if entry.request is None:
                raise Problem(404, "label-not-found", "There never was a label.")
            name = f"{entry.shipment.tracking_number}.pdf"
            disposition = f'inline; filename="{name}"'.encode()
            return Reply(
                200,
                label.draw(entry.shipment, entry.request),
                b"application/pdf",
                ((b"content-disposition", disposition),),
            )

        return await self._simulation.perform("label", request, act)

    async def tracking(self, request: Request) -> Reply | None:
        def act() -> Reply:
            entry = self._book.by_number(request.path_values[0])
            return json_reply(_found(entry).tracking())

        return await self._simulation.perform("tracking", request, act)

    async def happen(self, request: Request) -> Reply:
        entry = _found(self._book.by_id(request.path_values[0]))
        wanted = await request.read(_HAPPENING)
        if entry.request is None:
            raise Problem(409, "shipment-canceled", "There never was a parcel.")
        place = entry.request.ship_to.place
        try:
            self._book.happen(
                entry,
                wanted.status,
                wanted.description or DESCRIPTIONS[wanted.status],
                place if wanted.location is None else wanted.location,
            )
        except OSError as error:
            raise _not_recorded(error) from None
        await self._simulation.webhooks.caught_up()
        return json_reply(entry.tracking(), status=201)


def _found(entry: Consignment | None) -> Consignment:
    if entry is None:
        raise Problem(404, "shipment-not-found", "There is no such shipment.")
    return entry


def _not_recorded(error: Exception) -> Problem:
    detail = f"The shipment could not be recorded: {error}. Nothing was done."
    return Problem(503, "shipment-not-recorded", detail)
