"""Many levels at once: all of them change, or none."""

import asyncio

import pytest
from cases import cases

from holdfast.domain.inventory import MAX_LEVEL

PATH = "/v1/inventory/adjustments"


def body(*lines, **more):
    return {"reason": "correction", "lines": list(lines), **more}


def line(sku="TEA", **more):
    return {"sku": sku, **more}


class TestAdjust:
    async def test_changes_by_or_to_a_number(
        self, keep, berlin, a_product, numbers, balanced
    ):
        for sku in ("TEA", "CUP"):
            await a_product(sku, on_hand=10)

        answer = await keep(
            "POST",
            PATH,
            body(
                line("CUP", on_hand=3),
                line("TEA", delta=-2),
                line("TEA", location="berlin", delta=7),
                reason="found",
                note="behind the door",
                reference="N-1",
            ),
        )

        assert answer.status_code == 201
        levels = answer.json()["levels"]
        assert [(n["sku"], n["location"], n["on_hand"]) for n in levels] == [
            ("CUP", "main", 3),
            ("TEA", "main", 8),
            ("TEA", "berlin", 7),
        ]
        assert await numbers("TEA") == {"main": (8, 0), "berlin": (7, 0)}
        ledger = await keep("GET", "/v1/stock-movements?sku=CUP")
        newest = ledger.json()["items"][0]
        assert (newest["delta"], newest["kind"]) == (-7, "adjustment")
        assert newest["reason"] == "found: behind the door"
        assert newest["reference"] == "N-1"
        assert newest["actor"].startswith("key:")
        assert await balanced()

    async def test_a_delivery_is_a_receipt(self, keep, a_product, numbers):
        await a_product("TEA", on_hand=10)

        answer = await keep(
            "POST", PATH, body(line(delta=5), kind="receipt", reason="received")
        )

        assert answer.status_code == 201
        ledger = await keep("GET", "/v1/inventory/TEA/movements?kind=receipt")
        assert [n["delta"] for n in ledger.json()["items"]] == [5]

    async def test_is_carried_out_only_for_the_level_it_was_made_for(
        self, keep, a_product, numbers
    ):
        await a_product("TEA", on_hand=10)
        await a_product("CUP", on_hand=10)
        lines = (
            line("CUP", delta=-1, expected_on_hand=10),
            line("TEA", on_hand=5, expected_on_hand=9),
        )

        answer = await keep("POST", PATH, body(*lines))

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/stock-changed"
        assert answer.json()["changes"] == [
            {"sku": "TEA", "location": "main", "expected": 9, "on_hand": 10}
        ]
        assert await numbers("CUP") == {"main": (10, 0)}

    async def test_of_many_for_the_same_level_one_is_carried_out(
        self, keep, a_product, numbers, balanced
    ):
        await a_product("TEA", on_hand=10)
        wanted = body(line(delta=-1, expected_on_hand=10))

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(keep("POST", PATH, wanted)) for _ in range(10)]

        codes = sorted(task.result().status_code for task in asked)
        assert codes == [201] + [409] * 9
        assert await numbers("TEA") == {"main": (9, 0)}
        assert await balanced()

    async def test_the_same_key_again_changes_nothing_and_answers_the_same(
        self, keep, a_product, numbers
    ):
        await a_product("TEA", on_hand=10)

        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(keep("POST", PATH, body(line(delta=-1)), key="k"))
                for _ in range(6)
            ]
        other = await keep("POST", PATH, body(line(delta=-2)), key="k")

        answers = [task.result() for task in asked]
        assert {n.status_code for n in answers} == {201}
        assert len({n.content for n in answers}) == 1
        assert sum("idempotent-replayed" in n.headers for n in answers) == 5
        assert await numbers("TEA") == {"main": (9, 0)}
        assert other.json()["type"] == "/problems/idempotency-key-reused"

    async def test_a_refused_change_leaves_its_key_free(self, keep, a_product):
        await a_product("TEA", on_hand=1)
        refused = await keep("POST", PATH, body(line(delta=-2)), key="k")
        await keep("POST", PATH, body(line(delta=5)))

        again = await keep("POST", PATH, body(line(delta=-2)), key="k")

        assert refused.status_code == 422
        assert again.status_code == 201

    async def test_needs_a_key(self, client, keeper, a_product):
        await a_product("TEA")

        answer = await client.post(PATH, json=body(line(delta=1)), headers=keeper)

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/idempotency-key-missing"

    @pytest.fixture
    async def stocked(self, a_product, order_of):
        """Ten of TEA, three of which are ordered, and ten of CUP."""
        await a_product("TEA", on_hand=10)
        await a_product("CUP", on_hand=10)
        await order_of("TEA", 3)

    @cases(
        ("fault", "slug", "status"),
        [
            ([line("CUP", delta=1), line("POT", delta=1)], "unknown-stock", 404),
            ([line(delta=1, location="nowhere")], "location-not-found", 404),
            ([line(delta=1), line(delta=2)], "stock-line-repeated", 422),
            ([line(delta=-11)], "stock-level-out-of-range", 422),
            ([line(delta=-8)], "stock-below-reserved", 409),
            ([line(on_hand=2)], "stock-below-reserved", 409),
            ([line(delta=MAX_LEVEL)], "stock-level-out-of-range", 422),
        ],
    )
    async def test_one_line_at_fault_keeps_all_from_being_changed(
        self, keep, stocked, numbers, fault, slug, status
    ):
        answer = await keep("POST", PATH, body(*fault))

        assert answer.status_code == status
        assert answer.json()["type"] == f"/problems/{slug}"
        assert await numbers("TEA") == {"main": (10, 3)}
        assert await numbers("CUP") == {"main": (10, 0)}

    @cases(
        "wrong",
        [
            {},
            {"lines": []},
            body(),
            body(line()),
            body(line(delta=0)),
            body(line(delta=1, on_hand=1)),
            body(line(on_hand=-1)),
            body(line(delta=10**18)),
            body(line(delta=1.5)),
            body(line(delta="1")),
            body(line(delta=1, expected_on_hand=-1)),
            body(line(delta=1, unknown=1)),
            body(line(delta=1), unknown=1),
            body(line(delta=1), reason="whim"),
            body(line(delta=1), kind="sale"),
            body(line(delta=-1), kind="receipt"),
            body(line(on_hand=5), kind="receipt"),
            body(line("", delta=1)),
            body(line("TEA\x00", delta=1)),
            body(line(delta=1), note="x" * 201),
            body(line(delta=1), reference="x" * 256),
            body(*[line(f"S{n}", delta=1) for n in range(1001)]),
        ],
    )
    async def test_a_body_at_fault_changes_nothing(self, keep, tea, numbers, wrong):
        answer = await keep("POST", PATH, wrong)

        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/invalid-request"
        assert await numbers("TEA") == {"main": (10, 0)}
