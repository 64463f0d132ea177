"""Returns over HTTP: units back once, money back once, and only what was shipped."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

SENT = {
    "email": "ada@example.com",
    "shipping_method": "standard",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 Main St",
        "city": "Berlin",
        "postal_code": "10115",
        "country": "DE",
    },
}


@pytest.fixture
def act(client, operator):
    """Do something with a return as an operator; each call has a key of its own."""

    async def send(found, what, body=None, *, by=None, key=None):
        headers = {**(by or operator), "Idempotency-Key": key or f"key-{new_id()}"}
        path = f"/v1/returns/{found['id']}/{what}"
        return await client.post(path, json=body, headers=headers)

    return send


@pytest.fixture
def ask():
    """Ask to return units of an order, as its buyer."""

    async def send(placed, *lines, by=None, key=None, **more):
        body = {
            "lines": [{"position": p, "quantity": q} for p, q in lines],
            "reason": "damaged",
            **more,
        }
        return await placed.send("returns", body, by=by, key=key or f"key-{new_id()}")

    return send


@pytest.fixture
def sold(place, operator):
    """An order of two TEA and a CUP that was shipped."""

    async def make(**units):
        placed = await place(**(units or {"TEA": 2, "CUP": 1}))
        body = {"by": "hand"}
        sent = await placed.send("shipments", body, by=operator, key=f"ship-{new_id()}")
        assert sent.is_success, sent.text
        return placed

    return make


@pytest.fixture
def back(ask, act):
    """A return that was approved."""

    async def make(placed, *lines, **more):
        found = (await ask(placed, *lines, **more)).raise_for_status().json()
        return (await act(found, "approval")).raise_for_status().json()

    return make


@pytest.fixture
def types(database):
    """The events that were published, in order."""

    async def read():
        rows = await database.fetch("SELECT type FROM outbox ORDER BY id")
        return [row["type"] for row in rows if "return" in row["type"]]

    return read


class TestWhole:
    async def test_brings_the_units_and_the_money_back(
        self, sold, ask, act, level, refunded, client, types, operator
    ):
        placed = await sold()
        asked = await ask(placed, (1, 2), text="The lid is cracked.")
        found = asked.json()
        approved = await act(found, "approval", {"instructions": "To 1 Quay."})

        received = await act(found, "receipt")

        assert asked.status_code == 201
        assert asked.headers["Location"] == f"/v1/returns/{found['id']}"
        assert (found["status"], found["actor"]) == ("requested", None)
        assert approved.json()["answer"] == "To 1 Quay."
        assert received.status_code == 200, received.text
        assert received.json()["refund"] == {"amount": 1998, "currency": "EUR"}
        read = await client.get(f"/v1/returns/{found['id']}", headers=placed.owner)
        assert read.json()["text"] == "The lid is cracked."
        assert read.json()["lines"][0]["restocked_quantity"] == 2
        assert await level("TEA") == (10, 0)
        assert await level("CUP") == (9, 0)
        assert refunded() == 1998
        order = await placed.read()
        assert [n["returned_quantity"] for n in order["lines"]] == [2, 0]
        assert order["payment_status"] == "partially_refunded"
        assert await types() == [
            *("ordering.return.requested", "ordering.return.approved"),
            *("ordering.return.received", "ordering.return.completed"),
        ]
        events = (await placed.send("events", by=operator, method="GET")).json()
        kinds = [event["kind"] for event in events["items"]]
        assert {"return_requested", "return_approved", "return_received"} <= {*kinds}

    async def test_gives_shipping_back_and_keeps_a_fee_if_it_is_told(
        self, sold, back, act, refunded
    ):
        placed = await sold(TEA=2)
        found = await back(placed, (1, 1))

        too_much = await act(
            found, "receipt", {"restocking_fee": {"amount": 1000, "currency": "EUR"}}
        )
        shipping = await act(
            found, "receipt", {"refund_shipping": {"amount": 1, "currency": "EUR"}}
        )
        done = await act(
            found, "receipt", {"restocking_fee": {"amount": 99, "currency": "EUR"}}
        )

        assert too_much.json()["type"] == "/problems/return-amount-too-large"
        assert too_much.json()["most"] == {"amount": 999, "currency": "EUR"}
        assert shipping.json()["most"] == {"amount": 0, "currency": "EUR"}
        assert done.json()["refund"]["amount"] == 900
        assert refunded() == 900

    async def test_gives_the_price_of_the_shipping_back_once(
        self, place, back, act, operator
    ):
        placed = await place(TEA=2, fields=SENT)
        price = placed.order["shipping_total"]
        body = {"by": "hand"}
        await placed.send("shipments", body, by=operator, key=f"ship-{new_id()}")
        wanted = {"refund_shipping": price}
        first = await act(await back(placed, (1, 1)), "receipt", wanted)

        again = await act(await back(placed, (1, 1)), "receipt", wanted)

        assert price["amount"] > 0
        assert first.json()["refund"]["amount"] == 999 + price["amount"]
        assert again.json()["type"] == "/problems/return-amount-too-large"
        assert again.json()["most"]["amount"] == 0

    async def test_gives_no_more_back_than_is_left(
        self, sold, back, act, refunded, operator
    ):
        placed = await sold(TEA=2)
        kind = {"reason": "sorry", "amount": {"amount": 1500, "currency": "EUR"}}
        await placed.send("refunds", kind, by=operator, key="kind")

        done = await act(await back(placed, (1, 2)), "receipt")

        assert done.json()["refund"]["amount"] == 498
        assert done.json()["goods"]["amount"] == 1998
        assert refunded() == 1998

    async def test_writes_off_what_cannot_be_sold_again(
        self, sold, back, act, level, database, refunded
    ):
        placed = await sold(TEA=3)
        found = await back(placed, (1, 3))
        body = {"lines": [{"position": 1, "quantity": 2, "written_off": 1}]}

        done = await act(found, "receipt", body)

        assert done.json()["lines"][0]["received_quantity"] == 2
        assert await level("TEA") == (8, 0)
        moves = await database.fetch(
            "SELECT kind, delta FROM stock_movements WHERE reference = $1 ORDER BY id",
            found["id"],
        )
        assert sorted(tuple(row) for row in moves) == [
            *(("adjustment", -1), ("return", 1), ("return", 1)),
        ]
        assert refunded() == 1998

    async def test_that_arrived_in_part_can_be_returned_again_for_the_rest(
        self, sold, back, act, ask
    ):
        placed = await sold(TEA=3)
        found = await back(placed, (1, 3))
        some = {"lines": [{"position": 1, "quantity": 2}]}
        await act(found, "receipt", some)

        again = await act(found, "receipt")

        assert again.json()["type"] == "/problems/return-not-open"
        assert (await ask(placed, (1, 2))).status_code == 409
        assert (await ask(placed, (1, 1))).status_code == 201


class TestAsking:
    async def test_is_for_what_was_shipped(self, place, ask):
        placed = await place(TEA=2)

        answer = await ask(placed, (1, 1))

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/lines-not-open"
        assert answer.json()["positions"] == [1]

    async def test_is_for_units_that_no_other_return_is_about(self, sold, ask, act):
        placed = await sold(TEA=3)
        first = (await ask(placed, (1, 2))).json()

        refused = await ask(placed, (1, 2))
        await act(first, "rejection", {"explanation": "Worn."})
        allowed = await ask(placed, (1, 3))

        assert refused.json()["positions"] == [1]
        assert allowed.status_code == 201

    async def test_at_once_by_many_returns_a_unit_once(self, sold, ask):
        placed = await sold(TEA=3)

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(placed, (1, 1))) for _ in range(12)]

        statuses = sorted(task.result().status_code for task in asked)
        assert statuses == [201] * 3 + [409] * 9

    async def test_twice_with_a_key_is_one_return(self, sold, ask, client):
        placed = await sold(TEA=3)

        first = await ask(placed, (1, 1), key="once")
        second = await ask(placed, (1, 1), key="once")
        other = await ask(placed, (1, 2), key="once")

        assert first.content == second.content
        assert second.headers["Idempotent-Replayed"] == "true"
        assert other.json()["type"] == "/problems/idempotency-key-reused"
        listed = await placed.send("returns", method="GET")
        assert [n["id"] for n in listed.json()["items"]] == [first.json()["id"]]

    @cases(
        ("body", "pointer"),
        [
            ({"lines": []}, "/lines"),
            ({"reason": "because"}, "/reason"),
            ({"kind": "exchange"}, "/exchange_lines"),
            ({"exchange_lines": [{"sku": "TEA", "quantity": 1}]}, "/exchange_lines"),
            ({"lines": [{"position": 1, "quantity": 1}] * 2}, "/lines/1/position"),
        ],
    )
    async def test_names_what_makes_no_sense(self, sold, ask, body, pointer):
        answer = await ask(await sold(TEA=2), (1, 1), **body)

        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_is_not_for_strangers(self, sold, place, ask):
        placed, other = await sold(TEA=2), await place(TEA=1)

        answer = await ask(placed, (1, 1), by=other.owner)

        assert answer.json()["type"] == "/problems/order-not-found"


class TestReceiving:
    async def test_at_once_by_many_pays_back_once(
        self, sold, back, act, level, refunded
    ):
        found = await back(await sold(TEA=2), (1, 2))

        async with asyncio.TaskGroup() as group:
            tries = [group.create_task(act(found, "receipt")) for _ in range(8)]

        statuses = sorted(task.result().status_code for task in tries)
        assert statuses == [200] + [409] * 7
        assert await level("TEA") == (10, 0)
        assert refunded() == 1998

    async def test_is_refused_before_it_was_approved(self, sold, ask, act, level):
        found = (await ask(await sold(TEA=2), (1, 2))).json()

        answer = await act(found, "receipt")

        assert answer.json()["return_status"] == "requested"
        assert await level("TEA") == (8, 0)

    @pytest.mark.parametrize("lines", [[(1, 3)], [(2, 1)], [(1, 1), (9, 1)]])
    async def test_takes_only_what_was_announced(self, sold, back, act, level, lines):
        found = await back(await sold(), (1, 2))
        body = {"lines": [{"position": p, "quantity": q} for p, q in lines]}

        answer = await act(found, "receipt", body)

        assert answer.json()["type"] == "/problems/lines-not-open"
        assert await level("TEA") == (8, 0)

    async def test_needs_who_may_give_money_back_for_more_than_the_goods(
        self, sold, back, act, an_operator
    ):
        found = await back(await sold(TEA=2), (1, 1))
        packer = await an_operator("orders:fulfil", "orders:read")
        fee = {"restocking_fee": {"amount": 1, "currency": "EUR"}}

        refused = await act(found, "receipt", fee, by=packer)
        allowed = await act(found, "receipt", by=packer)

        assert refused.status_code == 403
        assert allowed.status_code == 200

    @cases(
        ("body", "slug"),
        [
            ({"location": "nowhere"}, "location-not-found"),
            ({"restocking_fee": {"amount": 1, "currency": "GBP"}}, "invalid-request"),
            (
                {"lines": [{"position": 1, "quantity": 1, "written_off": 2}]},
                "invalid-request",
            ),
            ({"lines": [{"position": 1, "quantity": 1}] * 2}, "invalid-request"),
        ],
    )
    async def test_names_what_makes_no_sense(self, sold, back, act, body, slug):
        found = await back(await sold(TEA=2), (1, 1))

        answer = await act(found, "receipt", body)

        assert answer.json()["type"] == f"/problems/{slug}"


class TestCallingOff:
    async def test_is_for_the_buyer_until_something_arrived(
        self, sold, back, act, ask, types
    ):
        placed = await sold(TEA=2)
        found = await back(placed, (1, 2))

        called_off = await act(found, "cancellation", by=placed.owner)

        assert called_off.json()["status"] == "canceled"
        assert (await act(found, "receipt")).json()["return_status"] == "canceled"
        again = await act(found, "cancellation", by=placed.owner)
        assert again.json()["type"] == "/problems/return-not-open"
        assert (await ask(placed, (1, 2))).status_code == 201
        assert "ordering.return.canceled" in await types()

    async def test_is_not_for_strangers(self, sold, place, back, act, client):
        found = await back(await sold(TEA=2), (1, 1))
        other = await place(TEA=1)

        answer = await act(found, "cancellation", by=other.owner)

        assert answer.json()["type"] == "/problems/return-not-found"


class TestList:
    async def test_is_by_state_and_kind_page_by_page(
        self, sold, ask, act, client, operator
    ):
        placed = await sold(TEA=3)
        ids = [(await ask(placed, (1, 1))).json()["id"] for _ in range(3)]
        await act({"id": ids[1]}, "approval")

        async def listed(query):
            answer = await client.get(f"/v1/returns{query}", headers=operator)
            return answer, [n["id"] for n in answer.json()["items"]]

        first, newest = await listed("?limit=2")
        rest = await client.get(
            first.headers["Link"].split(">")[0].lstrip("<"), headers=operator
        )
        assert newest == [ids[2], ids[1]]
        assert [n["id"] for n in rest.json()["items"]] == [ids[0]]
        assert (await listed("?status=approved"))[1] == [ids[1]]
        assert (await listed("?kind=exchange"))[1] == []
