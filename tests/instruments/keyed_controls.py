"""Requests to the waiting room, and to the operators' controls of the protection."""

from datetime import timedelta

from keyed_recipe import Call, Recipe, filled, names, says
from keyed_world import World

from holdfast.api.examples import EXAMPLES


async def _drop(world: World) -> str:
    opens = world.shop.clock() + timedelta(hours=1)
    body = EXAMPLES["NewDrop"][0] | {"opens_at": opens.isoformat()}
    return str((await world.send("POST", "/v1/drops", body))["drop"]["id"])


async def _new_drop(world: World, call: Call) -> None:
    opens = world.shop.clock() + timedelta(hours=1)
    call.body = EXAMPLES["NewDrop"][0] | {"opens_at": opens.isoformat()}


async def _carrier(_: World) -> str:
    return "carrier"


async def _customer(_: World) -> str:
    return "customer"


async def _plan(_: World) -> str:
    return "partner"


async def _client(world: World) -> str:
    body = EXAMPLES["NewClient"][1]
    return str((await world.send("POST", "/v1/clients", body))["id"])


async def _key(world: World) -> str:
    body = EXAMPLES["NewKey"][0]
    return str((await world.send("POST", "/v1/api-keys", body))["id"])


def _undoes(body: object, **made: object) -> Recipe:
    """What is set first, with *body*, so that there is something to take back."""

    async def fill(world: World, call: Call) -> None:
        for name, make in made.items():
            call.path = filled(call.path, name, await make(world))  # type: ignore[operator]
        await world.send("PUT", call.path, body)

    return fill


_RATE = EXAMPLES["RateLimitWanted"][0]
_CIRCUIT = EXAMPLES["CircuitWanted"][1]

CONTROLS: dict[str, Recipe] = {
    "POST /v1/drops": _new_drop,
    "PATCH /v1/drops/{drop_id:uuid}": names(drop_id=_drop),
    "DELETE /v1/drops/{drop_id:uuid}": names(drop_id=_drop),
    "POST /v1/drops/{drop_id:uuid}/tickets": names(drop_id=_drop),
    "PUT /v1/protection/circuits/{dependency}": says(_CIRCUIT, dependency=_carrier),
    "DELETE /v1/protection/circuits/{dependency}": _undoes(
        _CIRCUIT, dependency=_carrier
    ),
    "PUT /v1/protection/rate-limits/{name}": says(_RATE, name=_customer),
    "DELETE /v1/protection/rate-limits/{name}": _undoes(_RATE, name=_customer),
    "PUT /v1/protection/plans/{plan}/clients/{client_id}": names(
        plan=_plan, client_id=_client
    ),
    "DELETE /v1/protection/plans/{plan}/clients/{client_id}": _undoes(
        None, plan=_plan, client_id=_client
    ),
    "PUT /v1/protection/plans/{plan}/keys/{key_id:uuid}": names(
        plan=_plan, key_id=_key
    ),
    "DELETE /v1/protection/plans/{plan}/keys/{key_id:uuid}": _undoes(
        None, plan=_plan, key_id=_key
    ),
}
