"""Requests about prices, price lists and groups of customers, and what they name."""

from keyed_recipe import Call, Recipe, filled, names
from keyed_world import World

from holdfast.api.examples import EXAMPLES


async def _group(world: World) -> str:
    body = EXAMPLES["NewCustomerGroup"][0]
    return str((await world.send("POST", "/v1/customer-groups", body))["id"])


async def _newcomer(world: World, call: Call) -> None:
    call.path = filled(call.path, "group_id", await _group(world))
    call.path = filled(call.path, "account_id", world.member.account_id)


async def _member(world: World, call: Call) -> None:
    await _newcomer(world, call)
    await world.send("PUT", call.path)


async def _list(world: World) -> str:
    body = EXAMPLES["NewPriceList"][0]
    return str((await world.send("POST", "/v1/price-lists", body))["id"])


async def _price(world: World) -> str:
    body = EXAMPLES["PricesToSet"][0]
    await world.send("PUT", "/v1/prices", body, **{"If-Match": "*"})
    found = await world.send("GET", "/v1/prices")
    return str(found["items"][0]["id"])


PRICES: dict[str, Recipe] = {
    "PATCH /v1/customer-groups/{group_id:uuid}": names(group_id=_group),
    "DELETE /v1/customer-groups/{group_id:uuid}": names(group_id=_group),
    "PUT /v1/customer-groups/{group_id:uuid}/members/{account_id:uuid}": _newcomer,
    "DELETE /v1/customer-groups/{group_id:uuid}/members/{account_id:uuid}": _member,
    "PATCH /v1/price-lists/{list_id:uuid}": names(list_id=_list),
    "DELETE /v1/price-lists/{list_id:uuid}": names(list_id=_list),
    "DELETE /v1/prices/{price_id:uuid}": names(price_id=_price),
}
