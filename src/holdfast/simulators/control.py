"""The endpoints that tell a simulator how to behave, the same for each of them."""

from collections.abc import Callable

import msgspec

from holdfast.simulators.scenario import Scenario, Stage
from holdfast.simulators.web import Reply, Request, Route, json_reply

_SCENARIO = msgspec.json.Decoder(Scenario)


def routes(stage: Stage, *, forget: Callable[[], None]) -> tuple[Route, ...]:
    """*forget* throws away whatever else the simulator remembers."""

    async def put_scenario(request: Request) -> Reply:
        scenario = await request.read(_SCENARIO)
        stage.set(scenario)
        return json_reply(stage.state())

    async def delete_scenario(_: Request) -> Reply:
        stage.set(None)
        return Reply(204)

    async def state(_: Request) -> Reply:
        return json_reply(stage.state())

    async def reset(_: Request) -> Reply:
        forget()
        stage.set(None)
        return Reply(204)

    async def livez(_: Request) -> Reply:
        return json_reply({"status": "ok"})

    return (
        Route("PUT", "/control/scenario", put_scenario),
        Route("DELETE", "/control/scenario", delete_scenario),
        Route("GET", "/control/state", state),
        Route("POST", "/control/reset", reset),
        Route("GET", "/livez", livez),
    )
