"""A draft order is completed once: paid by a method, or with money that came."""

import asyncio

import pytest
from cases import cases

PATH = "/v1/draft-orders"
CARD = {"payment_method": "pm_card_ok"}
PAID = {"external": {"reference": "bank transfer 4711"}}


@pytest.fixture
def captured(payment_provider):
    """How many charges the provider has captured."""
    return lambda: payment_provider.get("/v1/summary")["captured"]["count"]


class TestPaidOutside:
    async def test_the_order_is_confirmed_and_nobody_is_charged(
        self, client, clerk, prepare, complete, captured, level
    ):
        draft = await prepare()

        answer = await complete(draft, PAID)

        order = answer.json()
        assert answer.status_code == 201
        assert answer.headers["location"] == f"/v1/orders/{order['id']}"
        assert order["status"] == "confirmed"
        assert order["total"] == {"amount": 2100, "currency": "EUR"}
        assert order["payment"]["status"] == "captured"
        assert order["payment"]["kind"] == "external"
        assert order["payment"]["reference"] == "bank transfer 4711"
        assert order["payment"]["captured_amount"]["amount"] == 2100
        assert (captured(), await level()) == (0, 3)
        read = await client.get(answer.headers["location"], headers=clerk)
        assert read.json() == order

    async def test_is_announced_like_any_other(self, database, prepare, complete):
        order = (await complete(await prepare(), PAID)).json()

        rows = await database.fetch("SELECT type, payload FROM outbox")
        assert [(row["type"], row["payload"]["order_id"]) for row in rows] == [
            ("ordering.order.confirmed", order["id"])
        ]
        events = await database.fetch(
            "SELECT kind, to_state, actor FROM order_events ORDER BY id"
        )
        assert {(row["kind"], row["to_state"]) for row in events} == {
            ("order", "pending"),
            ("order", "confirmed"),
            ("payment", "captured"),
        }
        assert {row["actor"][:4] for row in events} == {"key:"}

    async def test_again_gets_the_same_bytes(self, prepare, complete):
        draft = await prepare()

        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(complete(draft, PAID)) for _ in range(12)]

        answers = [task.result() for task in sent]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert {answer.status_code for answer in answers} == {201}
        replays = [a for a in answers if a.headers.get("idempotent-replayed")]
        assert len(replays) == 11

    async def test_with_other_keys_there_is_one_order(
        self, database, prepare, complete, level
    ):
        draft = await prepare()

        async with asyncio.TaskGroup() as group:
            sent = [
                group.create_task(complete(draft, body, key=f"key-{number}"))
                for number, body in enumerate([PAID, CARD] * 5)
            ]

        answers = [task.result() for task in sent]
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [409] * 9
        assert await database.fetchval("SELECT count(*) FROM orders") == 1
        assert await level() == 3

    async def test_what_stands_in_the_way_leaves_it_open(
        self, client, clerk, prepare, complete, level
    ):
        draft = await prepare()
        body = {**PAID, "expected_total": {"amount": 2000, "currency": "EUR"}}

        refused = await complete(draft, body)

        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/total-changed"
        assert refused.json()["expected"] == {"amount": 2000, "currency": "EUR"}
        assert refused.json()["total"] == {"amount": 2100, "currency": "EUR"}
        found = await client.get(f"{PATH}/{draft['id']}", headers=clerk)
        assert (found.json()["status"], await level()) == ("open", 0)
        again = await complete(draft, PAID)
        assert again.status_code == 201, "the key was not used up"

    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"lines": []}, "cart-empty"),
            ({"email": None}, "cart-incomplete"),
            ({"lines": [{"sku": "TEA", "quantity": 11}]}, "out-of-stock"),
        ],
        ids=["empty", "incomplete", "out of stock"],
    )
    async def test_needs_what_an_order_needs(self, prepare, complete, fields, problem):
        answer = await complete(await prepare(**fields), PAID)

        assert answer.status_code == 409
        assert answer.json()["type"] == f"/problems/{problem}"


class TestPaidByMethod:
    async def test_is_a_checkout(self, prepare, complete, captured):
        answer = await complete(await prepare(), CARD)

        assert answer.status_code == 201
        assert answer.json()["payment"]["kind"] == "provider"
        assert captured() == 1

    async def test_a_declined_one_leaves_it_open(
        self, client, clerk, prepare, complete, level
    ):
        draft = await prepare()

        declined = await complete(draft, {"payment_method": "pm_card_declined"})

        assert declined.status_code == 402
        found = (await client.get(f"{PATH}/{draft['id']}", headers=clerk)).json()
        assert (found["status"], found["order_id"], await level()) == ("open", None, 0)
        assert (await complete(draft, PAID, key="key-2")).status_code == 201


class TestBodies:
    @cases(
        ("body", "at_fault"),
        [
            ({}, ""),
            ({**CARD, **PAID}, ""),
            ({"external": {}}, "/external/reference"),
            ({"external": {"reference": ""}}, "/external/reference"),
            ({"external": {"reference": "x" * 201}}, "/external/reference"),
            ({"external": {"reference": "a\nb"}}, "/external/reference"),
            ({"payment_method": ""}, "/payment_method"),
            ({**PAID, "expected_total": {"amount": -1}}, "/expected_total/amount"),
            ({**PAID, "more": 1}, "/more"),
        ],
    )
    async def test_of_another_form_are_refused(
        self, prepare, complete, faults, body, at_fault
    ):
        answer = await complete(await prepare(), body)

        assert faults(answer) == [at_fault]

    async def test_a_key_is_demanded(self, client, clerk, prepare):
        draft = await prepare()

        answer = await client.post(
            f"{PATH}/{draft['id']}/completion", json=PAID, headers=clerk
        )

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/idempotency-key-missing"
