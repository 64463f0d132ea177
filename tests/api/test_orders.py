"""Orders as a client sees them: paid, refused, repeated and read."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

OK = {"payment_method": "pm_card_ok"}
READY = {
    "email": "ada@example.com",
    "shipping_method": "pickup",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "London",
        "country": "GB",
    },
}


class TestCheckout:
    async def test_answers_with_the_paid_order(self, a_bag, client):
        bag = await a_bag(TEA=2)

        answer = await bag.check_out()

        order = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/v1/orders/{order['id']}"
        assert "idempotent-replayed" not in answer.headers
        assert order["status"] == "confirmed"
        assert order["number"] == "HF-1001"
        assert order["payment"]["status"] == "captured"
        assert order["payment"]["reference"].startswith("ch_")
        assert order["total"] == {"amount": 1998, "currency": "EUR"}
        assert order["settled_at"].endswith("Z")
        read = await client.get(f"/v1/orders/{order['id']}", headers=bag.owner)
        assert read.json() == order

    async def test_the_same_request_again_is_the_same_bytes(self, a_bag):
        bag = await a_bag(TEA=2)

        first = await bag.check_out()
        second = await bag.check_out('"key-1"')

        assert second.status_code == 201
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"
        assert second.headers["location"] == first.headers["location"]
        assert second.headers["content-type"] == first.headers["content-type"]
        assert second.headers["x-request-id"] != first.headers["x-request-id"]

    async def test_two_identical_requests_at_once_have_one_effect(
        self, a_bag, payment_provider
    ):
        bag = await a_bag(TEA=2)

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(bag.check_out()) for _ in range(2)]

        one, other = (task.result() for task in sent)
        assert one.status_code == other.status_code == 201
        assert one.content == other.content
        assert payment_provider.get("/v1/summary")["captured"]["count"] == 1

    async def test_a_declined_payment_is_a_402_that_is_kept(self, a_bag, client):
        bag = await a_bag(TEA=2)
        declined = {"payment_method": "pm_card_declined"}

        first = await bag.check_out(body=declined)
        second = await bag.check_out(body=declined)

        problem = first.json()
        assert first.status_code == 402
        assert first.headers["content-type"] == "application/problem+json"
        assert problem["type"] == "/problems/payment-declined"
        assert problem["reason"] == "card_declined"
        assert second.content == first.content
        assert second.headers["idempotent-replayed"] == "true"
        order = await client.get(f"/v1/orders/{problem['order_id']}", headers=bag.owner)
        assert order.json()["status"] == "failed"
        assert order.json()["payment"] == {
            "status": "failed",
            "reference": None,
            "failure_reason": "card_declined",
            "captured_amount": {"amount": 0, "currency": "EUR"},
            "refunded_amount": {"amount": 0, "currency": "EUR"},
            "pending_refund_amount": {"amount": 0, "currency": "EUR"},
            "kind": "provider",
            "next_action": None,
        }
        assert (await bag.check_out("key-2")).status_code == 201

    @pytest.mark.slow
    async def test_an_unclear_payment_is_a_202_to_be_looked_up(self, a_bag, client):
        bag = await a_bag(TEA=2)

        answer = await bag.check_out(body={"payment_method": "pm_error"})

        assert answer.status_code == 202
        assert int(answer.headers["retry-after"]) > 0
        order = await client.get(answer.headers["location"], headers=bag.owner)
        assert order.json() == answer.json()
        assert order.json()["status"] == "pending"
        assert order.json()["payment"]["status"] == "pending"
        assert order.json()["settled_at"] is None

    async def test_a_method_nobody_knows_is_refused_and_the_key_is_free(self, a_bag):
        bag = await a_bag(TEA=2)

        answer = await bag.check_out(body={"payment_method": "pm_shells"})

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/unknown-payment-method"
        assert answer.json()["payment_method"] == "pm_shells"
        assert (await bag.check_out()).status_code == 201

    async def test_names_what_is_short(self, a_bag):
        bag = await a_bag(TEA=11)

        answer = await bag.check_out()

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/out-of-stock"
        assert answer.json()["shortages"] == [
            {"sku": "TEA", "requested": 11, "available": 10}
        ]

    async def test_an_empty_cart_is_no_order(self, a_bag):
        answer = await (await a_bag()).check_out()

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/cart-empty"

    async def test_says_all_that_is_missing(self, a_bag):
        answer = await (await a_bag(fields={}, TEA=1)).check_out()

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/cart-incomplete"
        assert answer.json()["missing"] == [
            "email",
            "shipping_address",
            "shipping_method",
        ]

    async def test_an_ordered_cart_is_closed_and_names_its_order(self, a_bag, client):
        bag = await a_bag(TEA=1)
        order = (await bag.check_out()).json()
        line = f"{bag.path}/lines/{bag.cart['lines'][0]['id']}"

        answers = [
            await bag.check_out("key-2"),
            await client.patch(bag.path, json={"email": None}, headers=bag.owner),
            await client.patch(line, json={"quantity": 2}, headers=bag.owner),
            await client.delete(line, headers=bag.owner),
            await client.post(
                f"{bag.path}/lines",
                json={"sku": "TEA", "quantity": 1},
                headers=bag.owner,
            ),
        ]

        for answer in answers:
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/cart-already-ordered"
            assert answer.json()["order_id"] == order["id"]

    @pytest.mark.slow
    async def test_a_thousand_lines_are_one_order(self, client, a_bag, a_product):
        bag = await a_bag()
        for number in range(5):
            await a_product(f"S{number}", on_hand=400)
        lines = [{"sku": f"S{n % 5}", "quantity": 1 + n % 2} for n in range(1000)]
        cart = await client.post("/v1/carts", json={"lines": lines, **READY})
        bag.path = f"/v1/carts/{cart.json()['id']}"
        bag.owner = {"Authorization": f"Bearer {cart.json()['token']}"}

        answer = await bag.check_out()

        order = answer.json()
        assert answer.status_code == 201
        assert [(n["sku"], n["quantity"]) for n in order["lines"]] == [
            (n["sku"], n["quantity"]) for n in lines
        ]
        assert order["total"]["amount"] == 1500 * 999

    async def test_a_total_other_than_expected_is_not_charged(self, a_bag):
        bag = await a_bag(TEA=1)
        expected = {"amount": 998, "currency": "EUR"}

        answer = await bag.check_out(body={**OK, "expected_total": expected})

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/total-changed"
        assert answer.json()["expected"] == expected
        assert answer.json()["total"] == {"amount": 999, "currency": "EUR"}

    @cases(
        "body",
        [
            {},
            {"payment_method": ""},
            {"payment_method": 7},
            {"payment_method": "pm card"},
            {"payment_method": "pm\x00"},
            {"payment_method": "x" * 256},
            {**OK, "amount": 1},
            {**OK, "expected_total": 999},
            {**OK, "expected_total": {"amount": -1, "currency": "EUR"}},
        ],
    )
    async def test_a_body_at_fault_uses_no_key(self, a_bag, body):
        bag = await a_bag(TEA=1)

        answer = await bag.check_out(body=body)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        assert (await bag.check_out()).status_code == 201

    async def test_is_for_the_owner_and_for_operators(self, a_bag, an_operator):
        bag, other = await a_bag(TEA=1), await a_bag(TEA=1)
        writer = await an_operator("orders:write")
        reader = await an_operator("orders:read", "carts:write")

        stranger = await bag.check_out(**other.owner)
        weak = await bag.check_out(**reader)
        operator = await bag.check_out(**writer)

        assert stranger.status_code == 404
        assert stranger.json()["type"] == "/problems/cart-not-found"
        assert (weak.status_code, weak.json()["scope"]) == (403, "orders:write")
        assert operator.status_code == 201

    async def test_without_a_token_credentials_are_asked_for(self, a_bag, client):
        bag = await a_bag(TEA=1)

        answer = await client.post(
            f"{bag.path}/checkout", json=OK, headers={"Idempotency-Key": "key-1"}
        )

        assert answer.status_code == 401


class TestShow:
    @pytest.fixture
    async def bag(self, a_bag):
        bag = await a_bag(TEA=1)
        bag.order = (await bag.check_out()).json()
        bag.order_path = f"/v1/orders/{bag.order['id']}"
        return bag

    async def test_is_for_the_buyer_and_for_operators(self, bag, client, an_operator):
        operator = await an_operator("orders:read")

        for headers in (bag.owner, operator):
            answer = await client.get(bag.order_path, headers=headers)

            assert answer.json() == bag.order

    async def test_is_for_nobody_else(self, bag, a_bag, client, an_operator):
        other = await a_bag(TEA=1)
        weak = await an_operator("orders:write")

        stranger = await client.get(bag.order_path, headers=other.owner)
        nobody = await client.get(bag.order_path)
        operator = await client.get(bag.order_path, headers=weak)
        never = await client.get(f"/v1/orders/{new_id()}", headers=bag.owner)

        assert stranger.status_code == never.status_code == 404
        assert stranger.json()["type"] == "/problems/order-not-found"
        assert never.json()["type"] == "/problems/order-not-found"
        assert (nobody.status_code, operator.status_code) == (401, 403)

    async def test_an_order_is_found_by_its_id_only(self, bag, client):
        for path in ("/v1/orders/HF-1001", "/v1/orders/..", "/v1/orders/1"):
            answer = await client.get(path, headers=bag.owner)

            assert answer.status_code == 404


class TestBrowse:
    async def test_pages_visit_each_order_once_newest_first(
        self, a_bag, client, an_operator
    ):
        orders = [(await (await a_bag(TEA=1)).check_out()).json() for _ in range(3)]
        operator = await an_operator("orders:read")

        first = await client.get("/v1/orders?limit=2", headers=operator)
        link = first.headers["link"].partition(">")[0].removeprefix("<")
        second = await client.get(link, headers=operator)

        seen = first.json()["items"] + second.json()["items"]
        assert seen == sorted(orders, key=lambda order: order["id"], reverse=True)
        assert first.json()["next"] in link
        assert second.json()["next"] is None
        assert "link" not in second.headers

    async def test_may_be_of_one_status_and_the_link_remembers(
        self, a_bag, client, an_operator
    ):
        operator = await an_operator("orders:read")
        for _ in range(2):
            bag = await a_bag(TEA=1)
            await bag.check_out(body={"payment_method": "pm_card_declined"})
        await bag.check_out("key-2")

        failed = await client.get("/v1/orders?status=failed&limit=1", headers=operator)
        paid = await client.get("/v1/orders?status=confirmed", headers=operator)

        assert "status=failed" in failed.headers["link"]
        assert [order["status"] for order in paid.json()["items"]] == ["confirmed"]

    @cases(
        "query", ["limit=0", "limit=101", "limit=x", "status=lost", "page=2", "after=x"]
    )
    async def test_a_parameter_at_fault_is_refused(self, client, an_operator, query):
        operator = await an_operator("orders:read")

        answer = await client.get(f"/v1/orders?{query}", headers=operator)

        assert answer.status_code == 422
        assert answer.json()["type"] in (
            "/problems/invalid-request",
            "/problems/bad-cursor",
        )

    async def test_is_for_operators_only(self, client, a_bag):
        bag = await a_bag(TEA=1)

        assert (await client.get("/v1/orders")).status_code == 401
        assert (await client.get("/v1/orders", headers=bag.owner)).status_code == 403
