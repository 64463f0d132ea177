"""The endpoints that tell a simulator how to behave, the same for each of them."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from holdfast.simulators import webhooks
from holdfast.simulators.clock import SECOND, instant_of
from holdfast.simulators.scenario import Moment
from holdfast.simulators.simulation import Simulation
from holdfast.simulators.web import Reply, Request, Route, json_reply

_MOST_SECONDS = 10 * 366 * 86_400


class _ClockSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    now: Moment | None = None
    frozen: bool | None = None


class _Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[float, msgspec.Meta(ge=0, le=_MOST_SECONDS)]


_CLOCK = msgspec.json.Decoder(_ClockSet)
_ADVANCE = msgspec.json.Decoder(_Advance)


def routes(simulation: Simulation, *, forget: Callable[[], None]) -> tuple[Route, ...]:
    """*forget* throws away whatever else the simulator remembers."""
    control = _Control(simulation, forget)
    return (
        Route("PUT", "/control/scenario", control.put_scenario),
        Route("DELETE", "/control/scenario", control.delete_scenario),
        Route("GET", "/control/state", control.state),
        Route("POST", "/control/reset", control.reset),
        Route("GET", "/control/clock", control.clock),
        Route("PUT", "/control/clock", control.set_clock),
        Route("POST", "/control/clock/advance", control.advance),
        Route("GET", "/livez", control.livez),
        *webhooks.routes(simulation.webhooks),
    )


class _Control:
    def __init__(self, simulation: Simulation, forget: Callable[[], None]) -> None:
        self._simulation = simulation
        self._forget = forget

    async def put_scenario(self, request: Request) -> Reply:
        scenario = await request.read(self._simulation.scenarios)
        self._simulation.stage.set(scenario)
        return await self.state(request)

    async def delete_scenario(self, _: Request) -> Reply:
        self._simulation.stage.set(None)
        return Reply(204)

    async def state(self, _: Request) -> Reply:
        return json_reply(self._simulation.stage.state())

    async def reset(self, _: Request) -> Reply:
        self._forget()
        self._simulation.reset()
        return Reply(204)

    async def clock(self, _: Request) -> Reply:
        clock = self._simulation.clock
        return json_reply({"now": clock.text(), "frozen": clock.frozen})

    async def set_clock(self, request: Request) -> Reply:
        wanted = await request.read(_CLOCK)
        instant = instant_of(wanted.now) if wanted.now else None
        self._simulation.clock.set(instant, frozen=wanted.frozen)
        return await self.clock(request)

    async def advance(self, request: Request) -> Reply:
        wanted = await request.read(_ADVANCE)
        self._simulation.clock.advance(round(wanted.seconds * SECOND))
        return await self.clock(request)

    async def livez(self, _: Request) -> Reply:
        return json_reply({"status": "ok"})
