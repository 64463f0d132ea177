"""One good request to every unsafe route, and what has to be there before it.

The body is the first of the examples in the documentation, unless a recipe knows
better; who sends it follows from the route's scope. A route without a recipe that names
something in its path fails, until somebody says here how to make that.
"""

from datetime import timedelta
from uuid import UUID

from keyed_catalogue import CATALOGUE
from keyed_collections import COLLECTIONS
from keyed_controls import CONTROLS
from keyed_pictures import PICTURES
from keyed_prices import PRICES
from keyed_recipe import Call, Recipe, filled, names, says
from keyed_translations import TRANSLATIONS
from keyed_world import PASSWORD, READY, SKU, SOLD_OUT, World

from holdfast.api import binding
from holdfast.api.editions import PreconditionRequired
from holdfast.api.examples import EXAMPLES
from holdfast.api.policy import Route
from holdfast.domain import identity, oauth


async def call_of(world: World, route: Route) -> Call:
    """A request to *route* that will be carried out."""
    call = Call(route.method, route.path, headers=_headers(world, route))
    if (body := binding.body_of(route)) is not None:
        name = getattr(body.type, "__name__", "")
        call.body = EXAMPLES[name][0]
    if PreconditionRequired in route.raises:
        call.headers["If-Match"] = "*"
    recipe = RECIPES.get(f"{route.method} {route.path}")
    if recipe is not None:
        await recipe(world, call)
    assert "{" not in call.path, f"say in {__name__} what {route.path} names"
    return call


def _headers(world: World, route: Route) -> dict[str, str]:
    if route.public:
        return {}
    if route.scope in identity.PERSONAL_SCOPES:
        return dict(world.member.headers)
    return dict(world.operator)


async def _cart_id(world: World) -> str:
    return str((await world.cart())["id"])


async def _ready_cart_id(world: World) -> str:
    return str((await world.cart(**READY))["id"])


async def _line(world: World, call: Call) -> None:
    cart = await world.cart()
    call.path = filled(call.path, "cart_id", cart["id"])
    call.path = filled(call.path, "line_id", cart["lines"][0]["id"])


async def _held_cart(world: World) -> str:
    cart_id = await _cart_id(world)
    await world.send("PUT", f"/v1/carts/{cart_id}/reservation", {})
    return cart_id


async def _held_draft(world: World) -> str:
    draft_id = await world.draft()
    until = (world.shop.clock() + timedelta(days=1)).isoformat()
    await world.send("PUT", f"/v1/draft-orders/{draft_id}/hold", {"until": until})
    return draft_id


async def _hold(world: World, call: Call) -> None:
    call.path = filled(call.path, "draft_id", await world.draft())
    call.body = {"until": (world.shop.clock() + timedelta(days=1)).isoformat()}


async def _merge(world: World, call: Call) -> None:
    cart = (await world.client.post("/v1/carts", json={})).json()
    call.body = {"cart_id": cart["id"], "token": cart["token"]}


async def _file(_: World, call: Call) -> None:
    call.content = f"sku,on_hand\n{SKU},17\n".encode()
    call.headers["Content-Type"] = "text/csv"


async def _dispatched(world: World) -> str:
    transfer_id = await world.transfer()
    await world.send("POST", f"/v1/transfers/{transfer_id}/dispatch")
    return transfer_id


async def _api_key(world: World) -> str:
    body = EXAMPLES["NewKey"][0]
    return str((await world.send("POST", "/v1/api-keys", body))["id"])


async def _registered(world: World) -> str:
    body = EXAMPLES["NewClient"][1]
    return str((await world.send("POST", "/v1/clients", body))["id"])


async def _address(world: World, call: Call) -> None:
    account_id = await world.customer()
    path = f"/v1/customers/{account_id}/addresses"
    kept = await world.send("POST", path, EXAMPLES["NewAddress"][0])
    call.path = filled(call.path, "account_id", account_id)
    call.path = filled(call.path, "address_id", kept["id"])


async def _own_address(world: World) -> str:
    body = EXAMPLES["NewAddress"][0]
    kept = await world.send("POST", "/v1/me/addresses", body, **world.member.headers)
    return str(kept["id"])


async def _role(world: World) -> str:
    return str((await world.send("POST", "/v1/roles", EXAMPLES["NewRole"][0]))["name"])


async def _letter(world: World, call: Call) -> None:
    """What a letter brings: asked for, written, and its token taken."""
    kind = call.path.split("/")[2]
    if kind == "accounts":
        await world.send("POST", "/v1/accounts", {"email": "new@example.com"})
    elif kind == "password-resets":
        await world.send("POST", "/v1/password-resets", {"email": world.email})
    else:
        body = {"email": "other@example.com", "current_password": PASSWORD}
        await world.send("POST", "/v1/me/email", body, **world.member.headers)
    (token,) = await world.letters()
    call.body = {"token": token}
    if kind != "email-changes":
        call.body["password"] = "an analytical engine"


async def _sign_in(world: World, call: Call) -> None:
    call.body = await world.signing_in()


async def _second_step(world: World, call: Call) -> None:
    device = await world.device()
    asked = await world.client.post("/v1/sessions", json=await world.signing_in())
    call.body = {
        "challenge": asked.json()["challenge"],
        "code": world.code(device),
        "client_id": world.client_id,
    }


async def _first_code(world: World, call: Call) -> None:
    device = await world.device(confirmed=False)
    call.body = {"code": world.code(device)}


async def _with_code(world: World, call: Call) -> None:
    device = await world.device()
    call.body = {"password": PASSWORD, "code": world.code(device)}


async def _refund(world: World) -> str:
    """A refund that failed."""
    order_id = await world.order("pm_refund_fails")
    body = EXAMPLES["RefundWanted"][0]
    made = await world.send("POST", f"/v1/orders/{order_id}/refunds", body)
    return str(made["id"])


async def _transfer(world: World, _: Call) -> None:
    await world.send("POST", "/v1/locations", EXAMPLES["NewLocation"][0])


async def _keeps_this_one(world: World, call: Call) -> None:
    await world.elsewhere()
    call.path += "?keep_current=true"


async def _account(world: World) -> UUID:
    found: UUID = world.member.account_id
    return found


async def _sku(_: World) -> str:
    return SKU


async def _sold_out(_: World) -> str:
    return SOLD_OUT


async def _main(_: World) -> str:
    return "main"


async def _provider(_: World, call: Call) -> None:
    call.path += "?issuer=https%3A%2F%2Fid.example"


async def _checks_out(world: World, call: Call) -> None:
    cart = await world.cart(**READY)
    call.path = filled(call.path, "cart_id", cart["id"])
    call.body = {"payment_method": "pm_card_ok"}


async def _received(world: World) -> str:
    return await world.returned(approved=True)


async def _consent(world: World) -> str:
    async with world.shop.db.transaction() as tx:
        await oauth.remember_consent(
            *(tx, world.member.account_id, world.client_id, ["orders:own"]),
            at=world.shop.clock(),
        )
    return world.client_id


async def _lost(world: World) -> str:
    shipment_id = await world.parcel()
    path = f"/v1/shipments/{shipment_id}/events"
    at = world.shop.clock().isoformat()
    await world.send("POST", path, {"status": "lost", "happened_at": at})
    return shipment_id


async def _moved(world: World, call: Call) -> None:
    call.path = filled(call.path, "shipment_id", await world.parcel())
    at = world.shop.clock().isoformat()
    call.body = {"status": "delivered", "happened_at": at}


async def _granted(world: World) -> UUID:
    account_id = world.member.account_id
    await world.send("PUT", f"/v1/users/{account_id}/roles/support")
    return UUID(str(account_id))


async def _support(_: World) -> str:
    return "support"


RECIPES: dict[str, Recipe] = {
    **CATALOGUE,
    **COLLECTIONS,
    **CONTROLS,
    **PICTURES,
    **PRICES,
    **TRANSLATIONS,
    "DELETE /v1/api-keys/{key_id:uuid}": names(key_id=_api_key),
    "POST /v1/inventory/import": _file,
    "PUT /v1/inventory/{sku}": names(sku=_sku),
    "POST /v1/inventory/{sku}/back-in-stock": says(
        {"email": "eve@example.com"}, sku=_sold_out
    ),
    "PATCH /v1/inventory/{sku}/locations/{location}": names(sku=_sku, location=_main),
    "POST /v1/inventory/adjustments": says(
        {"reason": "damaged", "lines": [{"sku": SKU, "delta": -2}]}
    ),
    "PATCH /v1/locations/{location}": says({"priority": 2}, location=_main),
    "DELETE /v1/me/back-in-stock/{request_id:uuid}": names(request_id=World.waiting),
    "DELETE /v1/stock-requests/{request_id:uuid}": names(request_id=World.waiting),
    "POST /v1/stock-counts": says({"location": "main"}),
    "POST /v1/stock-counts/{count_id:uuid}/apply": names(count_id=World.count),
    "POST /v1/stock-counts/{count_id:uuid}/cancel": names(count_id=World.count),
    "PUT /v1/stock-counts/{count_id:uuid}/lines": names(count_id=World.count),
    "POST /v1/transfers": _transfer,
    "POST /v1/transfers/{transfer_id:uuid}/cancel": names(transfer_id=World.transfer),
    "POST /v1/transfers/{transfer_id:uuid}/dispatch": names(transfer_id=World.transfer),
    "POST /v1/transfers/{transfer_id:uuid}/receipts": names(transfer_id=_dispatched),
    "PATCH /v1/carts/{cart_id:uuid}": says(READY, cart_id=_cart_id),
    "POST /v1/carts/{cart_id:uuid}/lines": names(cart_id=_cart_id),
    "PATCH /v1/carts/{cart_id:uuid}/lines/{line_id:uuid}": _line,
    "DELETE /v1/carts/{cart_id:uuid}/lines/{line_id:uuid}": _line,
    "POST /v1/carts/{cart_id:uuid}/checkout": _checks_out,
    "PATCH /v1/draft-orders/{draft_id:uuid}": names(draft_id=World.draft),
    "DELETE /v1/draft-orders/{draft_id:uuid}": names(draft_id=World.draft),
    "PUT /v1/draft-orders/{draft_id:uuid}/hold": _hold,
    "DELETE /v1/draft-orders/{draft_id:uuid}/hold": names(draft_id=_held_draft),
    "POST /v1/draft-orders/{draft_id:uuid}/invitations": says({}, draft_id=World.draft),
    "POST /v1/draft-orders/{draft_id:uuid}/completion": names(draft_id=World.draft),
    "POST /v1/me/cart/merge": _merge,
    "POST /v1/orders/{order_id:uuid}/capture": names(order_id=World.order),
    "POST /v1/orders/{order_id:uuid}/refunds": names(order_id=World.order),
    "POST /v1/refunds/{refund_id:uuid}/retry": names(refund_id=_refund),
    "POST /v1/orders/{order_id:uuid}/notes": names(order_id=World.order),
    "PATCH /v1/orders/{order_id:uuid}": says(
        {"email": "countess@example.com"}, order_id=World.order
    ),
    "POST /v1/orders/{order_id:uuid}/cancellation": names(order_id=World.order),
    "POST /v1/orders/{order_id:uuid}/edits": says(
        {"lines": [{"position": 1, "quantity": 1}]}, order_id=World.order
    ),
    "PUT /v1/carts/{cart_id:uuid}/reservation": says({}, cart_id=_cart_id),
    "DELETE /v1/carts/{cart_id:uuid}/reservation": names(cart_id=_held_cart),
    "POST /v1/orders/{order_id:uuid}/returns": names(order_id=World.sent),
    "POST /v1/returns/{return_id:uuid}/approval": names(return_id=World.returned),
    "POST /v1/returns/{return_id:uuid}/cancellation": names(return_id=World.returned),
    "POST /v1/returns/{return_id:uuid}/receipt": says({}, return_id=_received),
    "POST /v1/returns/{return_id:uuid}/rejection": names(return_id=World.returned),
    "POST /v1/orders/{order_id:uuid}/shipments": says(
        {"by": "hand"}, order_id=World.order
    ),
    "POST /v1/shipments/{shipment_id:uuid}/cancel": names(shipment_id=World.parcel),
    "POST /v1/shipments/{shipment_id:uuid}/events": _moved,
    "POST /v1/shipments/{shipment_id:uuid}/reship": names(shipment_id=_lost),
    "PATCH /v1/clients/{client_id}": names(client_id=_registered),
    "DELETE /v1/clients/{client_id}": names(client_id=_registered),
    "POST /v1/clients/{client_id}/secret": names(client_id=_registered),
    "DELETE /v1/me/consents/{client_id}": names(client_id=_consent),
    "DELETE /v1/me/linked-identities": _provider,
    "POST /v1/accounts/confirm": _letter,
    "POST /v1/email-changes/confirm": _letter,
    "POST /v1/password-resets/confirm": _letter,
    "POST /v1/me/email": says(
        {"email": "countess@example.com", "current_password": PASSWORD}
    ),
    "PUT /v1/me/password": says(
        {"current_password": PASSWORD, "new_password": "a card of punched holes"}
    ),
    "PATCH /v1/users/{account_id:uuid}": names(account_id=World.user),
    "DELETE /v1/users/{account_id:uuid}": names(account_id=World.user),
    "PUT /v1/users/{account_id:uuid}/email": names(account_id=World.customer),
    "POST /v1/me/recovery-codes": _with_code,
    "POST /v1/me/second-factor/confirm": _first_code,
    "DELETE /v1/me/second-factor": _with_code,
    "DELETE /v1/me/sessions/{session_id:uuid}": names(session_id=World.elsewhere),
    "DELETE /v1/me/sessions": _keeps_this_one,
    "POST /v1/sessions": _sign_in,
    "POST /v1/sessions/second-factor": _second_step,
    "DELETE /v1/users/{account_id:uuid}/sessions": names(account_id=_account),
    "PATCH /v1/customers/{account_id:uuid}": names(account_id=World.customer),
    "DELETE /v1/customers/{account_id:uuid}": names(account_id=World.customer),
    "POST /v1/customers": says(
        {"email": "bob@example.com", "given_name": "Bob", "locale": "en-GB"}
    ),
    "POST /v1/customers/{account_id:uuid}/addresses": names(account_id=World.customer),
    "PATCH /v1/customers/{account_id:uuid}/addresses/{address_id:uuid}": _address,
    "DELETE /v1/customers/{account_id:uuid}/addresses/{address_id:uuid}": _address,
    "POST /v1/customers/{account_id:uuid}/export": names(account_id=World.customer),
    "DELETE /v1/me": says({"password": PASSWORD}),
    "PATCH /v1/me/addresses/{address_id:uuid}": names(address_id=_own_address),
    "DELETE /v1/me/addresses/{address_id:uuid}": names(address_id=_own_address),
    "PATCH /v1/roles/{name}": names(name=_role),
    "DELETE /v1/roles/{name}": names(name=_role),
    "PUT /v1/users/{account_id:uuid}/roles/{name}": names(
        account_id=_account, name=_support
    ),
    "DELETE /v1/users/{account_id:uuid}/roles/{name}": names(
        account_id=_granted, name=_support
    ),
}
