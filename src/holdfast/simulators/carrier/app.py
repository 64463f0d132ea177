"""The carrier's HTTP interface; every quote follows the scenario that is on.

Memory: the last 50 quotes, for the page.
"""

from collections import deque

import msgspec

from holdfast.simulators import control
from holdfast.simulators.carrier.tariff import (
    Rate,
    RatesRequest,
    rates,
)
from holdfast.simulators.page import page, scenario_table, table
from holdfast.simulators.scenario import Stage
from holdfast.simulators.web import App, Reply, Request, Route, json_reply

_REQUEST = msgspec.json.Decoder(RatesRequest)
_SHOWN = 50


def build(*, stage: Stage | None = None) -> App:
    stage = stage or Stage()
    carrier = _Carrier(stage)
    return App(
        (
            Route("POST", "/v1/rates", carrier.rates),
            Route("GET", "/", carrier.page),
            *control.routes(stage, forget=carrier.forget),
        )
    )


class _Carrier:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.forget()

    def forget(self) -> None:
        self._quotes = 0
        self._last: deque[tuple[RatesRequest, tuple[Rate, ...]]] = deque(maxlen=_SHOWN)

    async def rates(self, request: Request) -> Reply | None:
        wanted = await request.read(_REQUEST)
        fate = self._stage.fate()
        return await self._stage.play(fate, request, lambda: self._quote(wanted))

    def _quote(self, wanted: RatesRequest) -> Reply:
        found = rates(wanted)
        self._quotes += 1
        self._last.appendleft((wanted, found))
        return json_reply({"rates": found})

    async def page(self, _: Request) -> Reply:
        return page(
            "Carrier simulator",
            "It ships nothing. Prices are in minor units of their currency.",
            table("Quotes", ("What", "Count"), [("given", self._quotes)]),
            scenario_table(self._stage.state()),
            table(
                f"The last {_SHOWN} quotes, newest first",
                ("Country", "Grams", "Currency", "Standard", "Express"),
                (
                    (
                        wanted.country,
                        wanted.weight_grams,
                        wanted.currency,
                        *(rate.price.amount for rate in found),
                    )
                    for wanted, found in self._last
                ),
            ),
        )
