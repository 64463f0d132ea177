"""Bring sales of the past into a shop: its catalogue, its stock, its orders.

Every step may be taken again. Products carry the fingerprint of the sales, so
that a shop that holds the replay of other files is told from one whose replay was
interrupted. Stock is set only while there is no order; an order is known by the
e-mail address made of its invoice, and by an idempotency key made of it, so that no
invoice is ordered twice however often the replay is started.
"""

import asyncio
import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from holdfast.cli.replay.remote import Answer, CannotReplay, Items, Remote
from holdfast.cli.replay.sales import CURRENCY, Article, Invoice, Sales, Sold
from holdfast.kernel.money import Money

T = TypeVar("T")

CATEGORY = "retail-replay"
_DOMAIN = "@replay.example.com"
SETTLE_SECONDS = 60
_ELSEWHERE = "GB"
# As the data set names them. Where a name is no country, the shop's own stands in:
# the orders are fetched, so the address decides nothing.
_COUNTRIES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Brazil": "BR",
    "Canada": "CA",
    "Channel Islands": "JE",
    "Cyprus": "CY",
    "Czech Republic": "CZ",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Malta": "MT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "RSA": "ZA",
    "Saudi Arabia": "SA",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "USA": "US",
    "United Arab Emirates": "AE",
}

Tick = Callable[[], None]


class _Product(msgspec.Struct):
    handle: str
    tags: list[str]


class Payment(msgspec.Struct):
    """What the shop says of the payment of an order."""

    reference: str | None
    refunded_amount: Money


class OrderLine(msgspec.Struct):
    """A line of an order, as the shop tells it."""

    position: int
    sku: str
    quantity: int
    returned_quantity: int
    unit_price: Money


class PlacedOrder(msgspec.Struct):
    """An order, as the shop tells it."""

    id: str
    number: str
    status: str
    fulfilment_status: str
    email: str | None
    lines: list[OrderLine]
    total: Money
    payment: Payment

    @property
    def invoice(self) -> str:
        """The number of its invoice; empty if it is none of ours."""
        # Nobody's, once who bought was erased; so no order of ours.
        number, at, domain = (self.email or "").partition("@")
        return number.removeprefix("invoice-") if at + domain == _DOMAIN else ""


_products = msgspec.json.Decoder(Items[_Product])
_orders = msgspec.json.Decoder(Items[PlacedOrder])
_order = msgspec.json.Decoder(PlacedOrder)
_made_cart = msgspec.json.Decoder(dict[str, Any])


async def each(
    things: Iterable[T],
    work: Callable[[T], Awaitable[None]],
    *,
    concurrency: int,
    tick: Tick,
) -> None:
    """Do *work* to all things, so many at a time; the first failure ends it."""
    waiting = iter(things)

    async def take_turns() -> None:
        for thing in waiting:
            await work(thing)
            tick()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(take_turns())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


@dataclass
class Placing:
    """One replay on its way into a shop."""

    shop: Remote
    sales: Sales
    concurrency: int
    refused: dict[str, str] = field(default_factory=dict)
    """Why invoices could not be ordered, in the shop's words."""

    @property
    def _tag(self) -> str:
        return f"{CATEGORY}-{self.sales.fingerprint}"

    async def catalogue(self, tick: Tick) -> None:
        """Create every article that the shop does not have yet."""
        path = f"/v1/products?category={CATEGORY}"
        wanted = {"handle": CATEGORY, "name": "Retail replay"}
        answer = await self.shop.send("POST", "/v1/categories", wanted)
        if not answer.ok and answer.slug != "duplicate-handle":
            raise CannotReplay(f"The shop takes no category: {answer.said}")
        there = set[str]()
        async for product in self.shop.items(path, _products):
            self._claim(product)
            there.add(product.handle)
        for article in self.sales.articles:
            if handle_of(article.code) in there:
                tick()
        missing = [a for a in self.sales.articles if handle_of(a.code) not in there]
        await each(missing, self._create, concurrency=self.concurrency, tick=tick)

    def _claim(self, product: _Product) -> None:
        if self._tag not in product.tags:
            raise CannotReplay(
                "This shop holds the replay of other files already: start with a "
                "fresh one, as with `holdfast up --fresh`."
            )

    async def _create(self, article: Article) -> None:
        wanted = {
            "handle": handle_of(article.code),
            "title": article.title,
            "status": "active",
            "tags": [self._tag],
            "categories": [CATEGORY],
            "variants": [{"sku": article.code, "price": article.price}],
        }
        answer = await self.shop.send("POST", "/v1/products", wanted)
        if answer.ok:
            return
        if answer.slug == "duplicate-handle":
            # Ours, if an answer was lost on its way.
            found = await self.shop.get(f"/v1/products/{wanted['handle']}")
            self._claim(found.read(msgspec.json.Decoder(_Product)))
            return
        raise CannotReplay(
            f"The shop does not take {article.code} as a product: {answer.said}"
        )

    async def stock(self) -> None:
        """Set each stock to exactly what was sold; only before the first order."""
        lines = io.StringIO()
        rows = csv.writer(lines, lineterminator="\n")
        rows.writerow(("sku", "on_hand"))
        rows.writerows((article.code, article.units) for article in self.sales.articles)
        answer = await self.shop.send_text(
            "/v1/inventory/import", lines.getvalue(), "text/csv"
        )
        if not answer.ok:
            raise CannotReplay(f"The stock cannot be set: {answer.said}")

    async def orders(self, there: Iterable[PlacedOrder], tick: Tick) -> None:
        """Order and pay each invoice that has no order yet."""
        failed = Counter(o.invoice for o in there if o.status == "failed")
        done = {o.invoice: o for o in there if o.status != "failed"}

        async def place(invoice: Invoice) -> None:
            if (order := done.get(invoice.number)) is None:
                await self._place(invoice, attempt=failed[invoice.number] + 1)
            elif order.status == "pending":
                await self._settled(order.id)

        invoices = self.sales.invoices.values()
        await each(invoices, place, concurrency=self.concurrency, tick=tick)

    async def _place(self, invoice: Invoice, *, attempt: int) -> None:
        opened = await self.shop.send("POST", "/v1/carts", _cart(invoice))
        if not opened.ok:
            self._refuse(invoice, opened)
            return
        cart = opened.read(_made_cart)["id"]
        # A failed payment keeps its key's answer; another attempt is another key.
        key = f"retail-{self.sales.fingerprint}-{invoice.number}-{attempt}"
        answer = await self._check_out(cart, key)
        if answer.slug == "idempotency-key-reused":
            return  # An earlier replay was interrupted after it had sent this one.
        if not answer.ok:
            self._refuse(invoice, answer)
        elif answer.read(_order).status == "pending":
            await self._settled(answer.read(_order).id)

    async def _check_out(self, cart: str, key: str) -> Answer:
        path = f"/v1/carts/{cart}/checkout"
        paying = {"payment_method": "pm_card_ok"}
        said = {"Idempotency-Key": f'"{key}"'}
        for _ in range(SETTLE_SECONDS):
            answer = await self.shop.send("POST", path, paying, said)
            if answer.slug != "idempotency-key-in-progress":
                return answer
            await asyncio.sleep(1)
        raise CannotReplay("The shop does not end a checkout that it has begun.")

    async def _settled(self, order_id: str) -> None:
        """Wait until a pending payment is decided; the comparison says if it is not."""
        for _ in range(SETTLE_SECONDS):
            answer = await self.shop.get(f"/v1/orders/{order_id}")
            if answer.read(_order).status != "pending":
                return
            await asyncio.sleep(1)

    def _refuse(self, invoice: Invoice, answer: Answer) -> None:
        if answer.status in (401, 403):
            raise CannotReplay(f"The operator key is not enough: {answer.said}")
        self.refused[invoice.number] = answer.said


async def orders_of(shop: Remote) -> list[PlacedOrder]:
    """Every order in the shop that some replay placed."""
    answer = await shop.get("/v1/orders?limit=1")
    if answer.status in (401, 403):
        raise CannotReplay(f"The operator key is not enough: {answer.said}")
    orders = shop.items("/v1/orders", _orders)
    return [order async for order in orders if order.invoice]


def handle_of(code: str) -> str:
    """The address of an article; codes that differ only in case get two."""
    slug = re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-")
    if slug.upper() != code:
        slug = f"{slug}-{hashlib.sha256(code.encode()).hexdigest()[:8]}".lstrip("-")
    return f"retail-{slug}"


def _cart(invoice: Invoice) -> Mapping[str, Any]:
    return {
        "currency": CURRENCY,
        "email": f"invoice-{invoice.number}{_DOMAIN}",
        "lines": [_line(sold) for sold in invoice.lines],
        "shipping_address": {
            "name": f"Customer {invoice.customer or 'unknown'}",
            "line1": "fetched from the shop",
            "city": invoice.country or "unknown",
            "country": _COUNTRIES.get(invoice.country, _ELSEWHERE),
        },
        # Free of charge, so that the total of the order is that of the invoice.
        "shipping_method": "pickup",
    }


def _line(sold: Sold) -> Mapping[str, Any]:
    return {"sku": sold.code, "quantity": sold.quantity, "unit_price": sold.price}
