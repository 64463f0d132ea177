"""Clients that leave in the middle: their order stands or falls as a whole."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def opened(api, browser, in_stock):
    """A cart of one unit; returns its path and the headers of its owner."""

    async def send():
        await in_stock(TEA=10)
        body = {
            "lines": [{"sku": "TEA", "quantity": 1}],
            "email": "ada@example.com",
            "shipping_method": "pickup",
            "shipping_address": {
                "name": "Ada Lovelace",
                "line1": "12 Main St",
                "city": "London",
                "country": "GB",
            },
        }
        cart = (await browser.post(f"{api.url}/v1/carts", json=body)).json()
        headers = {
            "Authorization": f"Bearer {cart['token']}",
            "Idempotency-Key": "key-1",
        }
        return f"/v1/carts/{cart['id']}/checkout", headers

    return send


def request_bytes(path, headers, method="pm_card_ok"):
    body = json.dumps({"payment_method": method}).encode()
    head = [
        f"POST {path} HTTP/1.1",
        "Host: shop",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.fixture
def say_and_leave(api):
    """Send bytes to the API and close the connection without reading."""

    async def send(data):
        address = urlsplit(api.url)
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(data)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    return send


@pytest.mark.slow
class TestClientGone:
    async def test_after_the_order_was_begun_it_is_finished(
        self,
        api,
        browser,
        opened,
        shop_database,
        till,
        buyers,
        settled_books,
        promised,
    ):
        path, headers = await opened()
        slow = {"latency_ms": {"fixed": 400}}
        await browser.put(f"{till.url}/control/scenario", json=slow)
        address = urlsplit(api.url)
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(request_bytes(path, headers))

        async def begun():
            return await shop_database.fetchval("SELECT count(*) FROM orders")

        await promised(begun)
        writer.close()

        async def charged():
            return (await browser.get(till.url + "/v1/summary")).json()["captured"][
                "count"
            ]

        await promised(charged)
        again = await browser.post(
            api.url + path, json={"payment_method": "pm_card_ok"}, headers=headers
        )
        assert again.status_code == 201
        assert again.headers["idempotent-replayed"] == "true"
        books = await settled_books("TEA", delivered=10, sale=buyers.sale)
        assert len(books.orders) == 1

    async def test_before_the_order_was_begun_the_same_request_is_the_order(
        self, api, browser, opened, say_and_leave, buyers, settled_books
    ):
        """Whether it was begun or not, the client cannot know; nor need it."""
        path, headers = await opened()

        await say_and_leave(request_bytes(path, headers))
        again = await browser.post(
            api.url + path, json={"payment_method": "pm_card_ok"}, headers=headers
        )

        assert again.status_code == 201
        books = await settled_books("TEA", delivered=10, sale=buyers.sale)
        assert len(books.orders) == 1

    async def test_in_the_middle_of_the_request_nothing_happened(
        self, api, browser, opened, say_and_leave, buyers, settled_books
    ):
        path, headers = await opened()
        request = request_bytes(path, headers)

        for length in (10, len(request) // 2, len(request) - 1):
            await say_and_leave(request[:length])

        again = await browser.post(
            api.url + path, json={"payment_method": "pm_card_ok"}, headers=headers
        )
        assert again.status_code == 201
        assert "idempotent-replayed" not in again.headers
        books = await settled_books("TEA", delivered=10, sale=buyers.sale)
        assert len(books.orders) == 1

    async def test_many_at_once_leave_nothing_behind(
        self, api, browser, opened, say_and_leave, buyers, settled_books
    ):
        path, headers = await opened()
        requests = [
            request_bytes(path, {**headers, "Idempotency-Key": f"key-{n}"})
            for n in range(30)
        ]

        async with asyncio.TaskGroup() as group:
            for request in requests:
                group.create_task(say_and_leave(request))

        async with asyncio.timeout(60):
            while True:
                answer = await browser.post(
                    api.url + path,
                    json={"payment_method": "pm_card_ok"},
                    headers={**headers, "Idempotency-Key": "last"},
                )
                if answer.status_code == 201:
                    # All had left before they had changed anything.
                    break
                if answer.status_code == 409:
                    order_id = answer.json()["order_id"]
                    order = await browser.get(
                        f"{api.url}/v1/orders/{order_id}", headers=headers
                    )
                    if order.json()["status"] == "confirmed":
                        break
        books = await settled_books("TEA", delivered=10, sale=buyers.sale)
        assert len(books.orders) == 1


@pytest.mark.slow
class TestHeaderBomb:
    async def test_is_refused_and_hurts_nobody(self, api, browser):
        bomb = {f"x-{n}": "y" * 1000 for n in range(500)}

        answer = await browser.get(f"{api.url}/v1/products", headers=bomb)
        alive = await browser.get(f"{api.url}/v1/products")

        assert answer.status_code == 431
        assert answer.headers["content-type"] == "application/problem+json"
        assert alive.status_code == 200


@pytest.mark.slow
class TestProviderDown:
    async def test_checkout_is_unavailable_and_the_rest_goes_on(
        self, api, browser, opened, till, buyers, settled_books
    ):
        path, headers = await opened()
        till.kill()
        pay = {"payment_method": "pm_card_ok"}

        answer = await browser.post(api.url + path, json=pay, headers=headers)
        reading = await browser.get(
            api.url + path.removesuffix("/checkout"), headers=headers
        )

        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/payment-unavailable"
        assert int(answer.headers["retry-after"]) > 0
        assert reading.json()["status"] == "open"
        await asyncio.to_thread(till.start)
        again = await browser.post(api.url + path, json=pay, headers=headers)
        assert again.status_code == 201
        await settled_books("TEA", delivered=10, sale=buyers.sale)

    @pytest.mark.parametrize("fail", ["hang", "garbage"])
    async def test_what_is_unclear_is_accepted_and_ended_by_the_timer(
        self, api, browser, opened, till, buyers, settled_books, fail
    ):
        path, headers = await opened()
        await browser.put(f"{till.url}/control/scenario", json={"fail": fail})

        async with asyncio.timeout(20):
            answer = await browser.post(
                api.url + path, json={"payment_method": "pm_card_ok"}, headers=headers
            )

        assert answer.status_code == 202
        assert answer.json()["status"] == "pending"
        books = await settled_books("TEA", delivered=10, sale=buyers.sale)
        assert [order.status for order in books.orders] == ["failed"]
