"""Refunds as operators and buyers see them."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

EUR = {"currency": "EUR"}
FIVE = {"amount": 500, **EUR}


class TestCreate:
    async def test_gives_an_amount_back(self, client, paid, refund, finance):
        order, _ = await paid()

        answer = await refund(order)

        made = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/v1/refunds/{made['id']}"
        assert (made["status"], made["amount"]) == ("succeeded", FIVE)
        assert made["requested_by"].startswith("key:")
        read = await client.get(f"/v1/refunds/{made['id']}", headers=finance)
        assert read.json() == made
        now = await client.get(f"/v1/orders/{order['id']}", headers=finance)
        assert now.json()["payment"]["refunded_amount"] == FIVE
        assert now.json()["payment_status"] == "partially_refunded"

    async def test_gives_the_price_of_units_back(self, paid, refund):
        order, _ = await paid()
        lines = [{"position": 1, "quantity": 1}]

        answer = await refund(order, {"reason": "damaged", "lines": lines})

        assert answer.json()["amount"] == {"amount": 999, **EUR}

    async def test_the_same_request_again_is_the_same_bytes(self, paid, refund):
        order, _ = await paid()

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(refund(order)) for _ in range(5)]

        answers = [task.result() for task in sent]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert {answer.status_code for answer in answers} == {201}
        replayed = [a.headers.get("idempotent-replayed") for a in answers]
        assert replayed.count("true") == 4

    async def test_more_than_is_left_is_refused_and_burns_no_key(self, paid, refund):
        order, _ = await paid()
        much = {"reason": "damaged", "amount": {"amount": 1999, **EUR}}

        refused = await refund(order, much)

        assert refused.status_code == 409
        problem = refused.json()
        assert problem["type"] == "/problems/refund-exceeds-captured"
        assert problem["refundable"] == {"amount": 1998, **EUR}
        assert (await refund(order)).status_code == 201

    async def test_that_the_provider_refuses_says_so(
        self, client, paid, refund, finance
    ):
        order, _ = await paid("pm_refund_fails")

        answer = await refund(order)

        made = answer.json()
        assert (answer.status_code, made["status"]) == (201, "failed")
        assert made["failure_reason"]
        again = await client.post(f"/v1/refunds/{made['id']}/retry", headers=finance)
        assert again.status_code == 201
        assert again.json()["retry_of"] == made["id"]
        twice = await client.post(f"/v1/refunds/{made['id']}/retry", headers=finance)
        assert twice.status_code == 409
        assert twice.json()["type"] == "/problems/refund-not-failed"

    async def test_that_is_not_certain_is_told_as_pending(
        self, client, paid, refund, payment_provider, finance
    ):
        order, _ = await paid()
        payment_provider.misbehave(fail="error_after", on=["refund"])

        answer = await refund(order)

        assert (answer.status_code, answer.json()["status"]) == (202, "pending")
        listed = await client.get(f"/v1/orders/{order['id']}/refunds", headers=finance)
        assert listed.json()["refundable"] == {"amount": 1498, **EUR}

    async def test_of_no_order_is_404(self, refund):
        answer = await refund({"id": new_id()})

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/order-not-found"

    async def test_a_key_is_required(self, client, paid, finance):
        order, _ = await paid()

        answer = await client.post(
            f"/v1/orders/{order['id']}/refunds",
            json={"reason": "damaged", "amount": FIVE},
            headers=finance,
        )

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/idempotency-key-missing"

    @pytest.fixture
    async def order(self, paid):
        return (await paid())[0]

    @cases(
        ("body", "pointer"),
        [
            ({"amount": FIVE}, "/reason"),
            ({"reason": "Ada said so", "amount": FIVE}, "/reason"),
            ({"reason": "x" * 65, "amount": FIVE}, "/reason"),
            ({"reason": "late\n", "amount": FIVE}, "/reason"),
            ({"reason": "late"}, ""),
            (
                {
                    "reason": "late",
                    "amount": FIVE,
                    "lines": [{"position": 1, "quantity": 1}],
                },
                "",
            ),
            ({"reason": "late", "amount": {"amount": 0, **EUR}}, "/amount/amount"),
            ({"reason": "late", "amount": {"amount": -1, **EUR}}, "/amount/amount"),
            ({"reason": "late", "amount": {"amount": 10**30, **EUR}}, "/amount/amount"),
            ({"reason": "late", "amount": {"amount": 1.5, **EUR}}, "/amount/amount"),
            (
                {"reason": "late", "amount": {"amount": 5, "currency": "USD"}},
                "/amount/currency",
            ),
            ({"reason": "late", "lines": []}, "/lines"),
            (
                {"reason": "late", "lines": [{"position": 0, "quantity": 1}]},
                "/lines/0/position",
            ),
            (
                {"reason": "late", "lines": [{"position": 1, "quantity": 0}]},
                "/lines/0/quantity",
            ),
            (
                {"reason": "late", "lines": [{"position": 1, "quantity": 1}] * 2},
                "/lines",
            ),
            ({"reason": "late", "amount": FIVE, "to": "me"}, "/to"),
        ],
    )
    async def test_names_the_field_at_fault(self, order, refund, faults, body, pointer):
        assert faults(await refund(order, body)) == [pointer]

    async def test_lines_that_are_not_there_are_refused(self, paid, refund):
        order, _ = await paid()

        for line in ({"position": 2, "quantity": 1}, {"position": 1, "quantity": 3}):
            answer = await refund(order, {"reason": "late", "lines": [line]})
            assert answer.status_code == 409
            assert answer.json()["type"] == "/problems/lines-not-open"


class TestBrowse:
    async def test_shows_a_buyer_what_goes_back_but_not_who_asked(
        self, client, paid, refund
    ):
        order, buyer = await paid()
        made = (await refund(order)).json()

        answer = await client.get(f"/v1/orders/{order['id']}/refunds", headers=buyer)

        assert answer.json() == {
            "items": [{**made, "requested_by": None}],
            "refundable": {"amount": 1498, **EUR},
        }

    async def test_is_not_there_for_others(self, client, paid):
        order, _ = await paid()
        _, stranger = await paid()

        answer = await client.get(f"/v1/orders/{order['id']}/refunds", headers=stranger)

        assert answer.status_code == 404


class TestShow:
    async def test_of_nothing_is_404(self, client, finance):
        answer = await client.get(f"/v1/refunds/{new_id()}", headers=finance)

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/refund-not-found"


class TestCapture:
    @pytest.fixture
    async def operator(self, an_operator):
        return await an_operator("orders:read", "orders:write")

    async def test_takes_what_was_set_aside_once(self, shop, client, paid, operator):
        shop.payments._captures = False
        order, _ = await paid()
        assert order["payment"]["status"] == "authorized"
        path = f"/v1/orders/{order['id']}/capture"

        first = await client.post(path, headers=operator)
        second = await client.post(path, headers=operator)

        assert first.status_code == second.status_code == 200
        assert first.json()["status"] == "succeeded"
        assert second.json() == first.json()
        now = await client.get(f"/v1/orders/{order['id']}", headers=operator)
        assert now.json()["payment"]["status"] == "captured"
        assert now.json()["payment"]["captured_amount"]["amount"] == 1998

    async def test_that_is_not_certain_is_told_as_pending(
        self, shop, client, paid, operator, payment_provider
    ):
        shop.payments._captures = False
        order, _ = await paid()
        payment_provider.misbehave(fail="error", on=["capture"])

        answer = await client.post(
            f"/v1/orders/{order['id']}/capture", headers=operator
        )

        assert (answer.status_code, answer.json()["status"]) == (202, "pending")

    async def test_of_what_was_captured_at_once_is_refused(
        self, client, paid, operator
    ):
        order, _ = await paid()

        answer = await client.post(
            f"/v1/orders/{order['id']}/capture", headers=operator
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/payment-not-authorized"

    async def test_of_no_order_is_404(self, client, operator):
        answer = await client.post(f"/v1/orders/{new_id()}/capture", headers=operator)

        assert answer.status_code == 404
