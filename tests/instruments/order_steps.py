"""What operators and buyers do with orders and stock, in the life at random."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from order_books import OrderBooks
from order_life import METHODS, READY, SKUS, Life


async def cancel(life: Life) -> None:
    if order := await life.order():
        body: dict[str, Any] = {}
        if life.die.random() < 0.7:
            body = {"lines": life.units(order)}
        path = f"/v1/orders/{order['id']}/cancellation"
        await life.send("POST", path, body, by=life.buyer(order["id"]))


async def edit(life: Life) -> None:
    if order := await life.order():
        keep = [
            {**unit, "quantity": unit["quantity"] - life.die.randint(0, 1)}
            for unit in life.units(order)
        ]
        add = []
        if life.die.random() < 0.5:
            price = life.one_of([None, {"amount": 1, "currency": "EUR"}])
            add = [{"sku": life.one_of(SKUS), "quantity": 1, "unit_price": price}]
        await life.send(
            "POST", f"/v1/orders/{order['id']}/edits", {"lines": keep, "add": add}
        )


async def ship(life: Life) -> None:
    if order := await life.order():
        body: dict[str, Any] = {"by": life.one_of(["hand", "hand", "carrier"])}
        if life.die.random() < 0.5:
            body["lines"] = life.units(order)
        if life.die.random() < 0.3:
            body["location"] = life.one_of(["main", "north"])
        await life.send("POST", f"/v1/orders/{order['id']}/shipments", body)


async def _shipment(life: Life) -> dict[str, Any] | None:
    path = "/v1/shipments?limit=20"
    if order_id := life.order_id():
        path += f"&order={order_id}"
    found = await life.send("GET", path)
    shipment: dict[str, Any] | None = life.one_of(found["items"]) if found else None
    return shipment


async def cancel_shipment(life: Life) -> None:
    if shipment := await _shipment(life):
        await life.send("POST", f"/v1/shipments/{shipment['id']}/cancel")


async def parcel(life: Life) -> None:
    """Something happens to a parcel."""
    if not (shipment := await _shipment(life)):
        return
    status = life.one_of(["in_transit", "delivered", "lost", "returned"])
    if shipment["by"] == "hand":
        path = f"/v1/shipments/{shipment['id']}/events"
        await life.send("POST", path, {"status": status})
        return
    found = await life.outside.http.get(
        f"{life.outside.carrier}/v1/shipments/by-key/{shipment['id']}"
    )
    if found.is_success and found.json()["tracking_number"]:
        path = f"/control/shipments/{found.json()['id']}/events"
        await life.outside.post(path, {"status": status}, to=life.outside.carrier)
        # Six hours of silence, and the carrier is asked.
        life.advance(hours=6.1)


async def reship(life: Life) -> None:
    if shipment := await _shipment(life):
        await life.send("POST", f"/v1/shipments/{shipment['id']}/reship")


async def refund(life: Life) -> None:
    if order := await life.order():
        body: dict[str, Any] = {"reason": "kindness"}
        if life.die.random() < 0.5:
            amount = life.die.choice([1, 500, order["total"]["amount"] or 1])
            body["amount"] = {"amount": amount, "currency": "EUR"}
        else:
            body["lines"] = life.units(order)
        await life.send("POST", f"/v1/orders/{order['id']}/refunds", body)


async def retry_refund(life: Life) -> None:
    if order_id := life.order_id():
        found = await life.send("GET", f"/v1/orders/{order_id}/refunds")
        failed = [n for n in found["items"] if n["status"] == "failed"]
        if one := life.one_of(failed):
            await life.send("POST", f"/v1/refunds/{one['id']}/retry")


async def capture(life: Life) -> None:
    if order_id := life.order_id():
        await life.send("POST", f"/v1/orders/{order_id}/capture")


async def request_return(life: Life) -> None:
    if order := await life.order():
        body: dict[str, Any] = {"reason": "unwanted", "lines": life.units(order)}
        if life.die.random() < 0.4:
            body["kind"] = "exchange"
            body["exchange_lines"] = [
                {"sku": life.one_of(SKUS), "quantity": life.die.randint(1, 3)}
            ]
        path = f"/v1/orders/{order['id']}/returns"
        if made := await life.send("POST", path, body, by=life.buyer(order["id"])):
            life.returns.append(made["id"])


async def decide_return(life: Life) -> None:
    if return_id := life.one_of(life.returns[-5:]):
        what = life.one_of(["approval", "approval", "approval", "rejection"])
        body = {}
        if what == "approval":
            body = {"exchange_now": life.die.random() < 0.5}
        await life.send("POST", f"/v1/returns/{return_id}/{what}", body)
        await _know_replacement(life, return_id)


async def cancel_return(life: Life) -> None:
    if return_id := life.one_of(life.returns[-5:]):
        await life.send("POST", f"/v1/returns/{return_id}/cancellation")


async def receive_return(life: Life) -> None:
    if not (return_id := life.one_of(life.returns[-5:])):
        return
    found = await life.send("GET", f"/v1/returns/{return_id}")
    body: dict[str, Any] = {"exchange": life.die.random() < 0.8}
    if life.die.random() < 0.5:
        body["location"] = life.one_of(["main", "north"])
    if life.die.random() < 0.5:
        lines = life.units(found)
        for line in lines:
            line["written_off"] = life.die.randint(0, line["quantity"])
        body["lines"] = lines
    if life.die.random() < 0.2:
        body["restocking_fee"] = {"amount": 100, "currency": "EUR"}
    if life.die.random() < 0.2:
        body["refund_shipping"] = {"amount": 100, "currency": "EUR"}
    await life.send("POST", f"/v1/returns/{return_id}/receipt", body)
    await _know_replacement(life, return_id)


async def _know_replacement(life: Life, return_id: str) -> None:
    """The other goods of an exchange are an order, or a draft to be paid."""
    found = await life.send("GET", f"/v1/returns/{return_id}")
    if order_id := found["exchange_order_id"]:
        life.orders.setdefault(order_id, life.operator)
    elif (cart_id := found["exchange_cart_id"]) and cart_id not in life.drafts:
        life.drafts.append(cart_id)


async def open_draft(life: Life) -> None:
    lines = life.wanted()
    if life.die.random() < 0.5:
        lines[0]["unit_price"] = {"amount": 777, "currency": "EUR"}
    body = {**READY, "lines": lines, "shipping_method": "pickup"}
    if draft := await life.send("POST", "/v1/draft-orders", body):
        life.drafts.append(draft["id"])


async def change_draft(life: Life) -> None:
    if draft_id := life.one_of(life.drafts[-4:]):
        path = f"/v1/draft-orders/{draft_id}"
        what = life.one_of(["lines", "hold", "release", "discard"])
        if what == "lines":
            await life.send("PATCH", path, {"lines": life.wanted()})
        elif what == "hold":
            until = (life.shop.clock() + timedelta(hours=1)).isoformat()
            await life.send("PUT", f"{path}/hold", {"until": until})
        elif what == "release":
            await life.send("DELETE", f"{path}/hold")
        else:
            await life.send("DELETE", path)


async def complete_draft(life: Life) -> None:
    if draft_id := life.one_of(life.drafts[-4:]):
        body: dict[str, Any] = {"payment_method": life.one_of(METHODS)}
        if life.die.random() < 0.4:
            body = {"external": {"reference": "cash"}}
        path = f"/v1/draft-orders/{draft_id}/completion"
        life.placed(await life.send("POST", path, body), life.operator)


async def adjust(life: Life) -> None:
    line: dict[str, Any] = {
        "sku": life.one_of(SKUS),
        "location": life.one_of(["main", "north"]),
    }
    if life.die.random() < 0.7:
        line["delta"] = life.one_of([-5, -1, 3, 10, 20])
    else:
        line["on_hand"] = life.die.randint(0, 20)
    body = {"lines": [line], "reason": "correction"}
    await life.send("POST", "/v1/inventory/adjustments", body)


async def set_limits(life: Life) -> None:
    body = {
        "safety_stock": life.die.randint(0, 2),
        "backorder_limit": life.one_of([0, 0, 5]),
    }
    path = (
        f"/v1/inventory/{life.one_of(SKUS)}/locations/{life.one_of(['main', 'north'])}"
    )
    await life.send("PATCH", path, body)


async def transfer(life: Life) -> None:
    if life.transfers and life.die.random() < 0.7:
        transfer_id = life.one_of(life.transfers[-3:])
        what = life.one_of(["dispatch", "receipts", "receipts", "cancel"])
        await life.send("POST", f"/v1/transfers/{transfer_id}/{what}")
        return
    source, destination = life.die.sample(["main", "north"], 2)
    units = [{"sku": life.one_of(SKUS), "quantity": life.die.randint(1, 5)}]
    body = {"source": source, "destination": destination, "lines": units}
    if made := await life.send("POST", "/v1/transfers", body):
        life.transfers.append(made["id"])


async def count(life: Life) -> None:
    made = await life.send("POST", "/v1/stock-counts", {"location": "main"})
    if made:
        path = f"/v1/stock-counts/{made['id']}"
        lines = [{"sku": life.one_of(SKUS), "counted": life.die.randint(0, 30)}]
        await life.send("PUT", f"{path}/lines", {"lines": lines})
        await life.send("POST", f"{path}/apply")


Step = Callable[[Life], Awaitable[None]]

_WEIGHTS: dict[Step, int] = {
    Life.open_cart: 6,
    Life.hold: 3,
    Life.merge: 2,
    Life.check_out: 9,
    Life.answer_bank: 4,
    Life.tell_charge: 3,
    Life.tell_again: 2,
    Life.end_refund: 2,
    Life.trouble: 1,
    Life.time: 4,
    cancel: 5,
    edit: 3,
    ship: 8,
    cancel_shipment: 3,
    parcel: 3,
    reship: 3,
    refund: 2,
    retry_refund: 2,
    capture: 2,
    request_return: 6,
    decide_return: 5,
    cancel_return: 1,
    receive_return: 5,
    open_draft: 2,
    change_draft: 2,
    complete_draft: 3,
    adjust: 3,
    set_limits: 1,
    transfer: 3,
    count: 1,
}
STEPS: list[Step] = [step for step, weight in _WEIGHTS.items() for _ in range(weight)]


async def step(life: Life) -> None:
    """Something happens; now and then several things at once."""
    if life.die.random() > 0.3:
        await life.one_of(STEPS)(life)
        return
    life.focus = life.order_id()
    at_once = [life.one_of(STEPS) for _ in range(life.die.randint(2, 4))]
    async with asyncio.TaskGroup() as group:
        for one in at_once:
            group.create_task(one(life))
    life.journal.append("at once: " + ", ".join(one.__name__ for one in at_once))
    life.focus = None


async def live(life: Life, books: OrderBooks, *, steps: int) -> None:
    """So many steps, and the books agree after each."""
    for number in range(steps):
        await step(life)
        life.odd += await books.faults()
        said = "\n".join(life.journal[-60:])
        assert life.odd == [], f"step {number}:\n{said}"


async def rest(life: Life) -> None:
    """Everybody behaves, and time goes by until nothing is left to be done."""
    for url in (life.outside.payment, life.outside.carrier):
        await life.outside.http.delete(url + "/control/scenario")
    for _ in range(6):
        life.advance(hours=1)
        await life.work()
