"""Stock counts: the books are put right, and sales in between stay sold."""

import asyncio

import pytest
from cases import cases

from holdfast.kernel.ids import new_id

PATH = "/v1/stock-counts"


@pytest.fixture
def a_count(keep):
    async def begin(location="main"):
        body = {"location": location, "reference": "November"}
        answer = await keep("POST", PATH, body)
        assert answer.status_code == 201
        return f"{PATH}/{answer.json()['id']}"

    return begin


def found(**counted):
    return {"lines": [{"sku": sku, "counted": n} for sku, n in counted.items()]}


class TestCount:
    async def test_writes_the_difference_to_the_ledger(
        self, keep, a_count, a_product, numbers, balanced
    ):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=10)
        path = await a_count()

        counted = await keep("PUT", f"{path}/lines", found(TEA=8, CUP=10))
        assert [n["difference"] for n in counted.json()["lines"]] == [0, -2]
        assert await numbers("TEA") == {"main": (10, 0)}
        applied = await keep("POST", f"{path}/apply")

        assert applied.json()["status"] == "applied"
        assert await numbers("TEA") == {"main": (8, 0)}
        ledger = (await keep("GET", "/v1/stock-movements?kind=count")).json()["items"]
        assert [(n["sku"], n["delta"], n["reason"]) for n in ledger] == [
            ("TEA", -2, "November")
        ]
        assert await balanced()

    async def test_does_not_undo_what_was_sold_after_it_was_counted(
        self, keep, a_count, a_product, numbers, balanced
    ):
        await a_product("TEA", on_hand=10)
        path = await a_count()
        await keep("PUT", f"{path}/lines", found(TEA=9))
        line = {"sku": "TEA", "delta": -4}
        await keep(
            "POST", "/v1/inventory/adjustments", {"reason": "used", "lines": [line]}
        )

        await keep("POST", f"{path}/apply")

        # 9 were there, 4 of them were used.
        assert await numbers("TEA") == {"main": (5, 0)}
        assert await balanced()

    async def test_counting_again_counts_anew(self, keep, a_count, a_product, numbers):
        await a_product("TEA", on_hand=10)
        path = await a_count()
        await keep("PUT", f"{path}/lines", found(TEA=1))

        await keep("PUT", f"{path}/lines", found(TEA=12))

        await keep("POST", f"{path}/apply")
        assert await numbers("TEA") == {"main": (12, 0)}

    async def test_finds_what_no_level_knew(
        self, keep, a_count, a_product, berlin, numbers
    ):
        await a_product("TEA", on_hand=0)
        path = await a_count(berlin)

        await keep("PUT", f"{path}/lines", found(TEA=3))
        await keep("POST", f"{path}/apply")

        assert await numbers("TEA") == {"main": (0, 0), "berlin": (3, 0)}

    async def test_fewer_than_are_promised_are_refused_whole(
        self, keep, a_count, a_product, order_of, numbers
    ):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=10)
        await order_of("TEA", 5)
        path = await a_count()
        await keep("PUT", f"{path}/lines", found(TEA=4, CUP=1))

        answer = await keep("POST", f"{path}/apply")

        assert answer.json()["type"] == "/problems/stock-below-reserved"
        assert (await keep("GET", path)).json()["status"] == "open"
        assert await numbers("CUP") == {"main": (10, 0)}

    async def test_is_applied_once(self, keep, a_count, a_product, numbers):
        await a_product("TEA", on_hand=10)
        path = await a_count()
        await keep("PUT", f"{path}/lines", found(TEA=8))

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(keep("POST", f"{path}/apply")) for _ in range(5)]

        codes = sorted(task.result().status_code for task in asked)
        assert codes == [200, 409, 409, 409, 409]
        assert await numbers("TEA") == {"main": (8, 0)}
        late = await keep("PUT", f"{path}/lines", found(TEA=7))
        assert late.json()["type"] == "/problems/stock-count-closed"

    async def test_one_that_is_canceled_changes_nothing(
        self, keep, a_count, a_product, numbers
    ):
        await a_product("TEA", on_hand=10)
        path = await a_count()
        await keep("PUT", f"{path}/lines", found(TEA=8))

        answer = await keep("POST", f"{path}/cancel")

        assert answer.json()["status"] == "canceled"
        assert await numbers("TEA") == {"main": (10, 0)}
        assert (await keep("POST", f"{path}/apply")).status_code == 409

    @cases(
        ("lines", "slug"),
        [
            ([], "invalid-request"),
            ([{"sku": "TEA", "counted": -1}], "invalid-request"),
            ([{"sku": "TEA", "counted": 10**18}], "invalid-request"),
            ([{"sku": "TEA"}], "invalid-request"),
            ([{"sku": "POT", "counted": 1}], "unknown-stock"),
            ([{"sku": "TEA", "counted": 1}] * 2, "stock-line-repeated"),
        ],
    )
    async def test_lines_at_fault_are_refused(self, keep, a_count, tea, lines, slug):
        path = await a_count()

        answer = await keep("PUT", f"{path}/lines", {"lines": lines})

        assert answer.json()["type"] == f"/problems/{slug}"
        assert (await keep("GET", path)).json()["lines"] == []

    async def test_one_that_is_not_there_is_not_found(self, keep):
        answer = await keep("POST", f"{PATH}/{new_id()}/apply")
        nowhere = await keep("POST", PATH, {"location": "nowhere"})

        assert answer.json()["type"] == "/problems/stock-count-not-found"
        assert nowhere.json()["type"] == "/problems/location-not-found"

    async def test_are_listed_by_status(self, keep, a_count):
        await keep("POST", f"{await a_count()}/cancel")
        await a_count()

        for query, count in (("", 2), ("?status=open", 1), ("?location=main", 2)):
            listed = (await keep("GET", PATH + query)).json()["items"]
            assert len(listed) == count, query
