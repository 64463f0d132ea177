"""Requests about pictures, and products that show some."""

from keyed_recipe import Call, Recipe, filled, names
from keyed_world import World
from pictures import picture

_BOUNDARY = "a-line-between-parts"
_FORM = b"\r\n".join(
    (
        f"--{_BOUNDARY}".encode(),
        b'Content-Disposition: form-data; name="alt"',
        b"",
        b"Tin 17",
        f"--{_BOUNDARY}".encode(),
        b'Content-Disposition: form-data; name="file"; filename="tin.png"',
        b"",
        picture(),
        f"--{_BOUNDARY}--".encode(),
        b"",
    )
)


async def _form(_: World, call: Call) -> None:
    # Held against a form that says 18 instead: there must be no other 17 in it.
    assert _FORM.count(b"17") == 1
    call.content = _FORM
    call.headers["Content-Type"] = f"multipart/form-data; boundary={_BOUNDARY}"


async def _picture(world: World) -> str:
    answer = await world.client.post(
        "/v1/media", files={"file": ("tin.png", picture())}, headers=world.operator
    )
    assert answer.is_success, answer.text
    return str(answer.json()["id"])


async def _product(world: World) -> str:
    found = await world.send("GET", "/v1/products?limit=1")
    return str(found["items"][0]["id"])


async def _shown(world: World, call: Call) -> None:
    call.path = filled(call.path, "product", await _product(world))
    call.body = {"media_id": await _picture(world)}


async def _image(world: World, call: Call) -> None:
    product_id = await _product(world)
    body = {"media_id": await _picture(world)}
    image = await world.send("POST", f"/v1/products/{product_id}/images", body)
    call.path = filled(call.path, "product", product_id)
    call.path = filled(call.path, "image_id", image["id"])
    call.headers["If-Match"] = "*"


async def _retold(world: World, call: Call) -> None:
    await _image(world, call)
    call.body = {"alt": "The tin from behind"}


PICTURES: dict[str, Recipe] = {
    "POST /v1/media": _form,
    "PATCH /v1/media/{media_id:uuid}": names(media_id=_picture),
    "DELETE /v1/media/{media_id:uuid}": names(media_id=_picture),
    "POST /v1/media/{media_id:uuid}/draw": names(media_id=_picture),
    "POST /v1/products/{product}/images": _shown,
    "PATCH /v1/products/{product}/images/{image_id:uuid}": _retold,
    "DELETE /v1/products/{product}/images/{image_id:uuid}": _image,
}
