"""A shop's whole life at random: buyers, operators, the provider, the carrier, time.

Every step is one request, message or turn of a timer, drawn by a seeded die from all
that can happen to orders and stock; often several go at the same order at once. What
they are told may be a refusal, and never an error of the shop's own.
"""

import base64
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from holdfast.api.shop import Shop
from holdfast.kernel.ids import new_id
from holdfast.platform import outbox, webhooks
from holdfast.platform.jobs import Job
from holdfast.worker.cart_timers import cart_timers
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT, Reach
from holdfast.worker.metrics import Metrics
from holdfast.worker.payment_timers import payment_timers
from holdfast.worker.shipping_timers import shipping_timers
from holdfast.worker.stock_timers import stock_timers
from holdfast.workflows.settlement import overdue_after, settle_overdue

SECRET = "whsec_" + base64.b64encode(b"tells the order's life of payments").decode()
SKUS = ("TEA", "MUG", "POT")
READY = {
    "email": "ada@example.com",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "postal_code": "SW1A 1AA",
        "country": "GB",
    },
}
# Weighted by how often they are named. Those that time out cost a second each.
METHODS = (
    *("pm_card_ok",) * 8,
    *("pm_card_3ds",) * 3,
    "pm_card_declined",
    "pm_card_3ds_declined",
    "pm_error",
    "pm_error_after",
    "pm_garbage_after",
    *("pm_refund_fails",) * 2,
    "pm_refund_pending",
    "pm_refund_pending_fails",
)
HONEST = {503, 504}
"""What a shop may say of its own trouble; 500 is none of these."""


@dataclass
class Outside:
    """The two simulators, as those who work there see them."""

    payment: str
    carrier: str
    http: httpx.AsyncClient

    async def post(self, path: str, body: Any = None, *, to: str = "") -> Any:
        answer = await self.http.post((to or self.payment) + path, json=body)
        return answer.json() if answer.is_success and answer.content else None

    async def put(self, path: str, body: Any, *, to: str = "") -> None:
        (await self.http.put((to or self.payment) + path, json=body)).raise_for_status()

    async def get(self, path: str) -> Any:
        # The truth, whatever the shop is told meanwhile.
        behave = {"Simulate": '{"fail": "none"}'}
        answer = await self.http.get(self.payment + path, headers=behave)
        return answer.json() if answer.is_success else None


@dataclass
class Life:
    """The shop, everybody who does something with it, and what they know."""

    shop: Shop
    client: httpx.AsyncClient
    outside: Outside
    operator: dict[str, str]
    account: dict[str, str]
    renew: Callable[[], Awaitable[str]]
    """A new access token of the account: it lives shorter than its orders."""
    advance: Callable[..., None]
    die: random.Random
    carts: list[dict[str, Any]] = field(default_factory=list)
    drafts: list[str] = field(default_factory=list)
    orders: dict[str, dict[str, str]] = field(default_factory=dict)
    """What opens each for its buyer, by id."""
    returns: list[str] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """Messages of the provider that were sent, to be sent again."""
    focus: str | None = None
    """The order that everybody is at, at once."""
    answers: Counter[str] = field(default_factory=Counter)
    journal: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    async def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: dict[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """What was answered if it was done; None if it was refused."""
        headers = dict(self.operator if by is None else by)
        if method == "POST":
            headers["Idempotency-Key"] = key or str(new_id())
        sent = await self.client.request(method, path, json=body, headers=headers)
        self._note(method, path, body, sent)
        if method == "POST" and self.die.random() < 0.1:
            # A double click, or an answer that was lost.
            again = await self.client.request(method, path, json=body, headers=headers)
            self._note(method, path, body, again)
        if not sent.is_success or not sent.content:
            return None
        return sent.json()

    def _note(self, method: str, path: str, body: Any, sent: httpx.Response) -> None:
        said = "" if sent.is_success or not sent.content else sent.json()["type"]
        where = "/".join(p for p in path.split("/") if len(p) < 30)
        self.answers[f"{method} {where} {sent.status_code} {said}"] += 1
        self.journal.append(
            f"{method} {path} {json.dumps(body)} -> {sent.status_code} {said}"
        )
        kind = sent.headers.get("content-type", "")
        if sent.status_code >= 500 and sent.status_code not in HONEST:
            self.odd.append(f"{self.journal[-1]} {sent.text}")
        elif not sent.is_success and kind != "application/problem+json":
            self.odd.append(f"{self.journal[-1]} is no problem: {kind}")

    def one_of(self, some: Any) -> Any:
        return self.die.choice(list(some)) if some else None

    def order_id(self) -> str | None:
        """One of the last, most often: those have the most ahead of them."""
        if self.focus is not None:
            return self.focus
        return self.one_of(list(self.orders)[-8:])

    async def order(self) -> dict[str, Any] | None:
        order_id = self.order_id()
        return order_id and await self.send("GET", f"/v1/orders/{order_id}")

    def buyer(self, order_id: str) -> dict[str, str]:
        """Whoever asks: its buyer or an operator."""
        return self.one_of([self.operator, self.orders[order_id]])

    def units(self, order: dict[str, Any]) -> list[Any]:
        """Some units of some lines; now and then more than can be had."""
        count = self.die.randint(1, len(order["lines"]))
        lines = self.die.sample(order["lines"], count)
        return [
            {
                "position": line["position"],
                "quantity": self.die.randint(1, max(1, line["quantity"])),
            }
            for line in lines
        ]

    # What buyers do.

    def wanted(self) -> list[dict[str, Any]]:
        skus = self.die.sample(SKUS, self.die.randint(1, len(SKUS)))
        # The same SKU in two lines is allowed, and easy to get wrong.
        if self.die.random() < 0.2:
            skus.append(skus[0])
        return [{"sku": sku, "quantity": self.die.randint(1, 4)} for sku in skus]

    async def open_cart(self) -> None:
        by = self.one_of([{}, {}, self.account])
        body = {
            **READY,
            "lines": self.wanted(),
            "shipping_method": self.one_of(["standard", "pickup", "express"]),
        }
        cart = await self.send("POST", "/v1/carts", body, by=by)
        if cart:
            token = {"Authorization": f"Bearer {cart['token']}"}
            owner = by or token
            self.carts.append({"id": cart["id"], "token": cart["token"], "by": owner})

    async def hold(self) -> None:
        if cart := self.one_of(self.carts[-4:]):
            method = self.one_of(["PUT", "PUT", "DELETE"])
            path = f"/v1/carts/{cart['id']}/reservation"
            await self.send(method, path, by=cart["by"])

    async def merge(self) -> None:
        if cart := self.one_of(self.carts[-4:]):
            body = {"cart_id": cart["id"], "token": cart["token"]}
            merged = await self.send("POST", "/v1/me/cart/merge", body, by=self.account)
            if merged:
                self.carts.append(
                    {"id": merged["id"], "token": cart["token"], "by": self.account}
                )

    async def check_out(self) -> None:
        if cart := self.one_of(self.carts[-3:]):
            body = {"payment_method": self.one_of(METHODS)}
            path = f"/v1/carts/{cart['id']}/checkout"
            self.placed(await self.send("POST", path, body, by=cart["by"]), cart["by"])

    def placed(self, order: Any, by: dict[str, str]) -> None:
        if order:
            self.orders[order["id"]] = by

    async def answer_bank(self) -> None:
        """The buyer of a pending order comes back from their bank, or does not."""
        if order_id := self.order_id():
            outcome = {"outcome": self.one_of(["approve", "decline"])}
            path = f"/control/charges/{order_id}/complete"
            if await self.outside.post(path, outcome):
                await self.tell_charge()

    # What the provider says, when it likes.

    async def tell_charge(self) -> None:
        if not (order_id := self.order_id()):
            return
        charge = await self.outside.get(f"/v1/charges/by-key/{order_id}")
        if charge:
            await self._tell(f"charge.{charge['status']}", charge)
        for refund in (await self.outside.get("/v1/refunds?limit=100"))["items"]:
            if refund["charge_key"] == order_id and self.die.random() < 0.5:
                await self._tell(f"refund.{refund['status']}", refund)

    async def tell_again(self) -> None:
        """An old message, under its old id or under another."""
        if old := self.one_of(self.told):
            await self._deliver({**old, **self.one_of([{}, {"id": f"evt_{new_id()}"}])})

    async def _tell(self, kind: str, data: dict[str, Any]) -> None:
        now = self.shop.clock().isoformat()
        told = {"id": f"evt_{new_id()}", "type": kind, "created_at": now, "data": data}
        self.told.append(told)
        if self.die.random() < 0.8:
            await self._deliver(told)

    async def _deliver(self, told: dict[str, Any]) -> None:
        body, at = json.dumps(told).encode(), int(self.shop.clock().timestamp())
        headers = {
            "webhook-id": told["id"],
            "webhook-timestamp": str(at),
            "webhook-signature": webhooks.signature(SECRET, told["id"], at, body),
            "content-type": "application/json",
        }
        path = "/v1/webhooks/payments"
        sent = await self.client.post(path, content=body, headers=headers)
        self._note("POST", path, told["type"], sent)

    async def end_refund(self) -> None:
        """The provider ends a refund that it had left pending."""
        found = await self.outside.get("/v1/refunds?limit=100")
        pending = [n["key"] for n in found["items"] if n["status"] == "pending"]
        if key := self.one_of(pending):
            outcome = {"outcome": self.one_of(["succeed", "fail"])}
            await self.outside.post(f"/control/refunds/{key}/complete", outcome)

    async def trouble(self) -> None:
        """One of the two answers the next calls badly."""
        fail = self.one_of(["error", "error_after", "garbage_after", "unavailable"])
        scenario: dict[str, Any] = {"fail": fail, "count": self.die.randint(1, 3)}
        if self.die.random() < 0.7:
            on = ["charge", "capture", "void", "refund", "cancel", "lookup"]
            await self.outside.put("/control/scenario", {**scenario, "on": on})
        else:
            on = ["shipment", "cancel", "lookup"]
            carrier = self.outside.carrier
            await self.outside.put(
                "/control/scenario", {**scenario, "on": on}, to=carrier
            )

    # What time does.

    async def time(self) -> None:
        seconds = self.one_of([1, 20, 20, 120, 1200, 4000])
        self.advance(seconds=seconds)
        self.journal.append(f"{seconds} s go by")
        self.account["Authorization"] = f"Bearer {await self.renew()}"
        await self.work()

    async def work(self) -> None:
        """Whatever a worker has to do at this moment."""
        shop = self.shop
        reach = Reach(
            *(shop.db, shop.vault, None, shop.clock),
            payments=shop.payments,
            carrier=shop.carrier,
            carrier_timeout_seconds=shop.settings.carrier_timeout_seconds,
        )
        async with shop.db.transaction() as tx:
            events = await outbox.take_waiting(tx, 1000, at=shop.clock())
        for event in events:
            for task in TASKS_BY_EVENT.get(event.type, ()):
                if not task.startswith(("tell_", "mail_", "invite", "confirm")):
                    await TASKS[task](
                        Job(task, event.id, event.type, event.payload), reach
                    )
        await settle_overdue(
            *(shop.db, shop.vault, shop.payments),
            clock=shop.clock,
            after=overdue_after(shop.settings.payment_timeout_seconds),
            patience=timedelta(seconds=shop.settings.payment_action_seconds),
        )
        metrics = Metrics()
        for timer in (
            *payment_timers(reach, metrics),
            *shipping_timers(reach, metrics),
            *stock_timers(reach, metrics),
            *cart_timers(reach),
        ):
            await timer.run()
