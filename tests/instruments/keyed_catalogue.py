"""Requests to the catalogue, and what is in it before them."""

from keyed_recipe import Call, Recipe, filled, names
from keyed_world import World

from holdfast.api.examples import EXAMPLES

_POT = {
    "title": "Pot",
    "options": [{"name": "Size", "values": ["S", "L", "XL"]}],
    "variants": [
        {
            "sku": "POT-S",
            "price": {"amount": 890, "currency": "EUR"},
            "options": {"Size": "S"},
        },
        {
            "sku": "POT-L",
            "price": {"amount": 990, "currency": "EUR"},
            "options": {"Size": "L"},
        },
    ],
}


async def _new_product(_: World, call: Call) -> None:
    call.body = _POT


async def _product(world: World, call: Call) -> None:
    made = await world.send("POST", "/v1/products", _POT)
    call.path = filled(call.path, "product", made["id"])
    if "{variant_id" in call.path:
        call.path = filled(call.path, "variant_id", made["variants"][1]["id"])
    if call.method in {"PATCH", "PUT", "DELETE"}:
        call.headers["If-Match"] = "*"


async def _archived(world: World, call: Call) -> None:
    await _product(world, call)
    call.body = {"status": "archived"}


async def _larger(world: World, call: Call) -> None:
    await _product(world, call)
    price = {"amount": 1090, "currency": "EUR"}
    call.body = {"sku": "POT-XL", "price": price, "options": {"Size": "XL"}}


async def _dearer(world: World, call: Call) -> None:
    await _product(world, call)
    call.body = {"price": {"amount": 1190, "currency": "EUR"}}


async def _category(_: World, call: Call) -> None:
    call.body = {"name": "Green tea"}


_TEA = (
    b'{"title": "Tea", "variants": [{"sku": "TEA-17",'
    b' "price": {"amount": 490, "currency": "EUR"}}]}\n'
)


async def _file(_: World, call: Call) -> None:
    call.content = _TEA
    call.headers["Content-Type"] = "application/jsonl"


async def _import(world: World, call: Call) -> None:
    headers = {**world.operator, "Content-Type": "application/jsonl"}
    made = await world.client.post("/v1/imports", content=_TEA, headers=headers)
    call.path = filled(call.path, "import_id", made.json()["id"])


async def _shelf(world: World, call: Call) -> None:
    made = await world.send("POST", "/v1/categories", {"name": "Shelf"})
    call.path = filled(call.path, "category", made["id"])
    call.headers["If-Match"] = "*"


async def _renamed(world: World, call: Call) -> None:
    await _shelf(world, call)
    call.body = {"name": "Top shelf"}


async def _material(world: World, call: Call) -> None:
    body = EXAMPLES["NewAttribute"][0]
    made = await world.send("POST", "/v1/attributes", body)
    call.path = filled(call.path, "code", made["code"])
    call.headers["If-Match"] = "*"


async def _related(world: World, call: Call) -> None:
    await _product(world, call)
    call.body = {"products": []}


async def _synonyms(world: World) -> str:
    body = EXAMPLES["NewSynonyms"][0]
    return str((await world.send("POST", "/v1/search/synonyms", body))["id"])


CATALOGUE: dict[str, Recipe] = {
    "POST /v1/imports": _file,
    "POST /v1/imports/{import_id:uuid}/cancel": _import,
    "POST /v1/categories": _category,
    "PATCH /v1/categories/{category}": _renamed,
    "DELETE /v1/categories/{category}": _shelf,
    "PATCH /v1/attributes/{code}": _material,
    "DELETE /v1/attributes/{code}": _material,
    "POST /v1/products": _new_product,
    "PATCH /v1/products/{product}": _archived,
    "DELETE /v1/products/{product}": _product,
    "PUT /v1/products/{product}/related": _related,
    "PUT /v1/search/synonyms/{synonyms_id:uuid}": names(synonyms_id=_synonyms),
    "DELETE /v1/search/synonyms/{synonyms_id:uuid}": names(synonyms_id=_synonyms),
    "POST /v1/products/{product}/variants": _larger,
    "PATCH /v1/products/{product}/variants/{variant_id:uuid}": _dearer,
    "DELETE /v1/products/{product}/variants/{variant_id:uuid}": _product,
}
