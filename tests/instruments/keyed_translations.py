"""Requests that translate, and what there is to be translated before them."""

from keyed_recipe import Call, Recipe, filled
from keyed_world import World

_PRODUCT = {
    "title": "Bowl",
    "variants": [{"sku": "BOWL-1", "price": {"amount": 890, "currency": "EUR"}}],
}


async def _product(world: World, call: Call) -> None:
    made = await world.send("POST", "/v1/products", _PRODUCT)
    call.path = filled(filled(call.path, "product", made["id"]), "locale", "de")
    call.headers["If-Match"] = "*"
    call.body = {"title": "Schale"}


async def _translated_product(world: World, call: Call) -> None:
    await _product(world, call)
    await world.send("PUT", call.path, call.body, **{"If-Match": "*"})
    call.body = None


async def _category(world: World, call: Call) -> None:
    made = await world.send("POST", "/v1/categories", {"name": "Bowls"})
    call.path = filled(filled(call.path, "category", made["id"]), "locale", "de")
    call.headers["If-Match"] = "*"
    call.body = {"name": "Schalen"}


async def _translated_category(world: World, call: Call) -> None:
    await _category(world, call)
    await world.send("PUT", call.path, call.body, **{"If-Match": "*"})
    call.body = None


async def _attribute(world: World, call: Call) -> None:
    said = {"code": "wood", "name": "Wood", "type": "text"}
    await world.send("POST", "/v1/attributes", said)
    call.path = filled(filled(call.path, "code", "wood"), "locale", "de")
    call.headers["If-Match"] = "*"
    call.body = {"name": "Holz"}


async def _translated_attribute(world: World, call: Call) -> None:
    await _attribute(world, call)
    await world.send("PUT", call.path, call.body, **{"If-Match": "*"})
    call.body = None


TRANSLATIONS: dict[str, Recipe] = {
    "PUT /v1/products/{product}/translations/{locale}": _product,
    "DELETE /v1/products/{product}/translations/{locale}": _translated_product,
    "PUT /v1/attributes/{code}/translations/{locale}": _attribute,
    "DELETE /v1/attributes/{code}/translations/{locale}": _translated_attribute,
    "PUT /v1/categories/{category}/translations/{locale}": _category,
    "DELETE /v1/categories/{category}/translations/{locale}": _translated_category,
}
