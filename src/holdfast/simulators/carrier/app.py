"""The carrier's HTTP interface, put together.

Rates follow the scenario that is on; all else behaves unless a scenario names it.
"""

import asyncio
from collections import deque

import msgspec

from holdfast.simulators import control
from holdfast.simulators.carrier.book import Book
from holdfast.simulators.carrier.overview import Quote, overview
from holdfast.simulators.carrier.scenario import CarrierMishap, CarrierScenario
from holdfast.simulators.carrier.shipment import Tracking
from holdfast.simulators.carrier.shipment_api import Shipments
from holdfast.simulators.carrier.tariff import RatesRequest, check_size, rates
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.stage import Sleep
from holdfast.simulators.web import App, Reply, Request, Route, json_reply
from holdfast.simulators.webhooks import Target, Webhooks

_ON = frozenset({"rates"})
_RATES = msgspec.json.Decoder(RatesRequest)
_SHOWN = 50


def build(
    book: Book | None = None,
    *,
    target: Target | None = None,
    sleep: Sleep = asyncio.sleep,
) -> App:
    """*target*: where webhooks go from the start."""
    book = book or Book()
    hooks = Webhooks(book.clock, target=target, keep=book.keep_webhook)
    hooks.resume(book.undelivered.values())

    def tell(tracking: Tracking) -> None:
        number = tracking.tracking_number
        hooks.emit("shipment.updated", subject=number, data=tracking)

    book.listener = tell
    book.start()
    simulation = Simulation(
        on=_ON,
        scenario=CarrierScenario,
        mishap=CarrierMishap,
        clock=book.clock,
        webhooks=hooks,
        sleep=sleep,
    )
    counter = _Counter(simulation)

    def forget() -> None:
        book.clear()
        counter.forget()

    async def show(_: Request) -> Reply:
        return overview(book, counter.given, counter.last, simulation)

    return simulation.app(
        (
            Route("POST", "/v1/rates", counter.rates),
            *Shipments(book, simulation).routes(),
            Route("GET", "/", show),
            *control.routes(simulation, forget=forget),
        )
    )


class _Counter:
    """Where quotes are given. Memory: the last 50 of them, for the page."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.last: deque[Quote] = deque(maxlen=_SHOWN)
        self.given = 0

    def forget(self) -> None:
        self.last.clear()
        self.given = 0

    async def rates(self, request: Request) -> Reply | None:
        wanted = await request.read(_RATES)
        check_size(wanted)
        return await self._simulation.perform(
            "rates", request, lambda: self._quote(wanted), mishap=wanted.simulate
        )

    def _quote(self, wanted: RatesRequest) -> Reply:
        found = rates(wanted)
        self.given += 1
        self.last.appendleft((wanted, found))
        return json_reply({"rates": found})
