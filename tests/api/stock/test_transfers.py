"""Transfers: units leave one location, are on no shelf for a while, and arrive."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/transfers"


@pytest.fixture
def a_transfer(keep, berlin, a_product):
    """Plan to send tea and cups from the main location to Berlin."""

    async def plan(tea=4, cups=6):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=10)
        body = {
            "source": "main",
            "destination": berlin,
            "lines": [
                {"sku": "TEA", "quantity": tea},
                {"sku": "CUP", "quantity": cups},
            ],
            "reference": "van 7",
        }
        answer = await keep("POST", PATH, body)
        assert answer.status_code == 201
        return f"{PATH}/{answer.json()['id']}"

    return plan


class TestTransfer:
    async def test_units_leave_are_nowhere_and_arrive(
        self, keep, a_transfer, numbers, balanced
    ):
        path = await a_transfer()

        planned = (await keep("GET", path)).json()
        assert (planned["status"], planned["reference"]) == ("pending", "van 7")
        assert await numbers("TEA") == {"main": (10, 0)}

        sent = await keep("POST", f"{path}/dispatch")
        assert sent.json()["status"] == "in_transit"
        assert await numbers("TEA") == {"main": (6, 0)}

        some = {"lines": [{"sku": "TEA", "quantity": 3}]}
        partly = await keep("POST", f"{path}/receipts", some)
        assert partly.json()["status"] == "partly_received"
        assert await numbers("TEA") == {"main": (6, 0), "berlin": (3, 0)}

        whole = await keep("POST", f"{path}/receipts")
        assert whole.json()["status"] == "received"
        assert whole.json()["closed_at"] is not None
        assert await numbers("TEA") == {"main": (6, 0), "berlin": (4, 0)}
        assert await numbers("CUP") == {"main": (4, 0), "berlin": (6, 0)}
        assert await balanced()

    async def test_what_is_canceled_on_its_way_goes_back(
        self, keep, a_transfer, numbers, balanced
    ):
        path = await a_transfer()
        await keep("POST", f"{path}/dispatch")
        some = {"lines": [{"sku": "TEA", "quantity": 3}]}
        await keep("POST", f"{path}/receipts", some)

        answer = await keep("POST", f"{path}/cancel")

        assert answer.json()["status"] == "canceled"
        assert await numbers("TEA") == {"main": (7, 0), "berlin": (3, 0)}
        assert await numbers("CUP") == {"main": (10, 0)}
        assert await balanced()

    async def test_what_is_canceled_before_moves_nothing(
        self, keep, a_transfer, numbers
    ):
        path = await a_transfer()

        await keep("POST", f"{path}/cancel")

        ledger = (await keep("GET", "/v1/stock-movements?kind=transfer")).json()
        assert ledger["items"] == []

    async def test_leaves_what_is_promised(self, keep, a_transfer, order_of, numbers):
        path = await a_transfer(tea=4)
        await order_of("TEA", 7)

        answer = await keep("POST", f"{path}/dispatch")

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/not-enough-on-hand"
        assert (answer.json()["requested"], answer.json()["on_hand"]) == (4, 3)
        assert await numbers("CUP") == {"main": (10, 0)}

    @pytest.mark.parametrize("step", ["dispatch", "receipts", "cancel"])
    async def test_each_step_happens_once(
        self, keep, a_transfer, numbers, balanced, step
    ):
        path = await a_transfer()
        if step != "dispatch":
            await keep("POST", f"{path}/dispatch")

        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(keep("POST", f"{path}/{step}")) for _ in range(5)
            ]

        codes = sorted(task.result().status_code for task in asked)
        assert codes == [200, 409, 409, 409, 409]
        late = next(t.result() for t in asked if t.result().status_code == 409)
        assert late.json()["type"] == "/problems/transfer-state"
        assert await balanced()

    @pytest.mark.parametrize(
        "lines",
        [
            [{"sku": "TEA", "quantity": 5}],
            [{"sku": "POT", "quantity": 1}],
        ],
    )
    async def test_more_than_was_sent_does_not_arrive(
        self, keep, a_transfer, numbers, lines
    ):
        path = await a_transfer()
        await keep("POST", f"{path}/dispatch")

        answer = await keep("POST", f"{path}/receipts", {"lines": lines})

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/transfer-invalid"
        assert await numbers("TEA") == {"main": (6, 0)}

    @cases(
        ("change", "slug"),
        [
            ({"destination": "main"}, "transfer-invalid"),
            ({"destination": "nowhere"}, "location-not-found"),
            ({"source": "nowhere"}, "location-not-found"),
            ({"lines": [{"sku": "POT", "quantity": 1}]}, "unknown-stock"),
            ({"lines": [{"sku": "TEA", "quantity": 1}] * 2}, "stock-line-repeated"),
            ({"lines": [{"sku": "TEA", "quantity": 0}]}, "invalid-request"),
            ({"lines": [{"sku": "TEA", "quantity": -1}]}, "invalid-request"),
            ({"lines": [{"sku": "TEA", "quantity": 10**13}]}, "invalid-request"),
            ({"lines": []}, "invalid-request"),
            ({"unknown": 1}, "invalid-request"),
        ],
    )
    async def test_a_plan_that_makes_no_sense_is_refused(
        self, keep, berlin, tea, change, slug
    ):
        lines = [{"sku": "TEA", "quantity": 1}]
        plan = {"source": "main", "destination": berlin, "lines": lines, **change}

        answer = await keep("POST", PATH, plan)

        assert answer.json()["type"] == f"/problems/{slug}"
        assert (await keep("GET", PATH)).json()["items"] == []

    async def test_one_that_is_not_there_is_not_found(self, keep):
        path = f"{PATH}/{new_id()}"

        for method, step in (("GET", ""), ("POST", "/dispatch"), ("POST", "/cancel")):
            answer = await keep(method, path + step)
            assert answer.json()["type"] == "/problems/transfer-not-found"

    async def test_are_listed_by_status_and_location(self, keep, a_transfer):
        path = await a_transfer()
        await keep("POST", f"{path}/dispatch")

        for query, count in (
            ("", 1),
            ("?status=in_transit", 1),
            ("?status=pending", 0),
            ("?location=berlin", 1),
            ("?location=main&limit=1", 1),
        ):
            listed = (await keep("GET", PATH + query)).json()
            assert len(listed["items"]) == count, query
