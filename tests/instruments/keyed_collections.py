"""Requests to collections, and what is in them before."""

from keyed_recipe import Call, Recipe, filled
from keyed_world import World


async def _collection(world: World, call: Call) -> dict[str, str]:
    made = await world.send("POST", "/v1/collections", {"title": "Found"})
    call.path = filled(call.path, "collection", made["id"])
    call.headers["If-Match"] = "*"
    return {"path": f"/v1/collections/{made['id']}/products"}


async def _empty(world: World, call: Call) -> None:
    await _collection(world, call)


async def _renamed(world: World, call: Call) -> None:
    await _collection(world, call)
    call.body = {"title": "Lost"}


async def _product(world: World, sku: str) -> str:
    price = {"amount": 890, "currency": "EUR"}
    body = {"title": sku, "variants": [{"sku": sku, "price": price}]}
    return str((await world.send("POST", "/v1/products", body))["id"])


async def _wanted(world: World, call: Call) -> None:
    await _collection(world, call)
    call.body = {"products": [await _product(world, "LAMP")]}


async def _added(world: World, call: Call) -> None:
    await _collection(world, call)
    call.body = {"product": await _product(world, "LAMP")}


async def _put_in(world: World, call: Call) -> None:
    here = await _collection(world, call)
    for sku in ("LAMP", "SHADE"):
        product_id = await _product(world, sku)
        await world.send("POST", here["path"], {"product": product_id})
    call.path = filled(call.path, "product", product_id)
    call.body = {"position": 1} if call.method == "PATCH" else None


async def _translating(world: World, call: Call) -> None:
    await _collection(world, call)
    call.path = filled(call.path, "locale", "de")
    call.body = {"title": "Gefunden"}


async def _translated(world: World, call: Call) -> None:
    await _translating(world, call)
    await world.send("PUT", call.path, call.body, **{"If-Match": "*"})
    call.body = None


_HERE = "/v1/collections/{collection}"
COLLECTIONS: dict[str, Recipe] = {
    f"PATCH {_HERE}": _renamed,
    f"DELETE {_HERE}": _empty,
    f"PUT {_HERE}/products": _wanted,
    f"POST {_HERE}/products": _added,
    f"PATCH {_HERE}/products/{{product}}": _put_in,
    f"DELETE {_HERE}/products/{{product}}": _put_in,
    f"PUT {_HERE}/translations/{{locale}}": _translating,
    f"DELETE {_HERE}/translations/{{locale}}": _translated,
}
