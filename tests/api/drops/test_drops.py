"""Operators announce drops, and everybody sees what is true of them."""

import hashlib
from datetime import timedelta

import pytest


class TestAnnounce:
    async def test_tells_everybody_what_is_sold_when(self, client, announce) -> None:
        run = await announce(max_units=2)

        seen = (await client.get(run.path)).json()

        assert seen["skus"] == ["DROP"]
        assert (seen["status"], seen["max_units"]) == ("announced", 2)
        assert seen["seed"] is None

    async def test_proves_later_that_the_lots_were_fixed_before(
        self, client, announce
    ) -> None:
        run = await announce()
        before = (await client.get(run.path)).json()

        await run.open()
        after = (await client.get(run.path)).json()

        assert after["status"] == "open"
        digest = hashlib.sha256(bytes.fromhex(after["seed"])).hexdigest()
        assert digest == before["commitment"] == after["commitment"]

    @pytest.mark.parametrize(
        ("changes", "status", "problem"),
        [
            ({"opens_at": "2020-01-01T00:00:00Z"}, 422, "drop-invalid"),
            ({"opens_at": "2126-01-01T00:00:00Z"}, 422, "drop-invalid"),
            ({"closes_at": "2020-01-01T00:00:00Z"}, 422, "drop-invalid"),
            ({"closes_at": "2027-06-01T00:00:00Z"}, 422, "drop-invalid"),
            ({"opens_at": "2026-11-27T09:00:00"}, 422, "invalid-request"),
            ({"skus": ["DROP", "DROP"]}, 422, "drop-invalid"),
            ({"skus": ["NONE"]}, 422, "unknown-sku"),
            ({"skus": []}, 422, "invalid-request"),
            ({"max_units": 0}, 422, "invalid-request"),
            ({"per_minute": -1}, 422, "invalid-request"),
            ({"per_minute": 10**30}, 422, "invalid-request"),
            ({"pass_seconds": 1}, 422, "invalid-request"),
            ({"surprise": 1}, 422, "invalid-request"),
        ],
    )
    async def test_refuses_what_cannot_be(
        self, client, steward, a_product, clock, changes, status, problem
    ) -> None:
        await a_product("DROP")
        body = {
            "name": "Winter",
            "skus": ["DROP"],
            "opens_at": (clock() + timedelta(minutes=1)).isoformat(),
            **changes,
        }

        answer = await client.post("/v1/drops", json=body, headers=steward)

        assert (answer.status_code, answer.json()["type"]) == (
            status,
            f"/problems/{problem}",
        )

    async def test_puts_a_product_behind_one_door_only(
        self, client, announce, clock, steward
    ) -> None:
        await announce()
        body = {
            "name": "Again",
            "skus": ["DROP"],
            "opens_at": (clock() + timedelta(minutes=5)).isoformat(),
        }

        answer = await client.post("/v1/drops", json=body, headers=steward)

        assert answer.json()["type"] == "/problems/variant-in-another-drop"


class TestBrowse:
    async def test_lists_the_newest_first_and_how_far_lines_are(
        self, client, announce, steward
    ) -> None:
        first, second = await announce("ONE"), await announce("TWO")
        await first.tickets(3)

        listed = (await client.get("/v1/drops", headers=steward)).json()["items"]

        assert [n["drop"]["id"] for n in listed] == [
            second.drop["id"],
            first.drop["id"],
        ]
        assert listed[1]["line"]["tickets"] == 3


class TestChange:
    async def test_makes_the_line_faster_while_people_wait(
        self, client, announce, steward
    ) -> None:
        run = await announce(per_minute=60)
        await run.tickets(50)
        await run.open()
        await run.pass_(2)
        slow = (await client.get("/v1/drops", headers=steward)).json()["items"][0]

        answer = await client.patch(
            run.path, json={"per_minute": 1200}, headers=steward
        )
        await run.pass_(2)
        fast = (await client.get("/v1/drops", headers=steward)).json()["items"][0]

        assert answer.json()["line"]["per_minute"] == 1200
        assert slow["line"]["admitted"] <= 3
        assert fast["line"]["admitted"] >= 40

    async def test_of_one_that_has_ended_is_gone(self, client, announce, steward):
        run = await announce()
        await client.delete(run.path, headers=steward)

        answer = await client.patch(run.path, json={"per_minute": 5}, headers=steward)

        assert answer.json()["type"] == "/problems/drop-ended"

    @pytest.mark.parametrize(
        "closes_at", ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"]
    )
    async def test_cannot_close_before_it_opens_or_never(
        self, client, announce, steward, closes_at
    ):
        run = await announce()

        body = {"closes_at": closes_at}
        answer = await client.patch(run.path, json=body, headers=steward)

        assert answer.json()["type"] == "/problems/drop-invalid"


class TestEnd:
    async def test_sells_what_is_left_to_anybody(
        self, client, announce, steward, a_bag
    ) -> None:
        run = await announce()
        bag = await a_bag(DROP=1)
        refused = await bag.check_out("before")

        ended = await client.delete(run.path, headers=steward)
        sold = await bag.check_out("after")

        assert refused.json()["type"] == "/problems/drop-not-open"
        assert refused.json()["tickets"] == f"{run.path}/tickets"
        assert ended.status_code == 204
        assert sold.status_code == 201

    async def test_comes_by_itself_at_its_time(self, client, announce, clock) -> None:
        closes = (clock() + timedelta(minutes=3)).isoformat()
        run = await announce(closes_at=closes)
        await run.open()

        clock.advance(minutes=3)
        await run.pass_(1)

        assert (await client.get(run.path)).json()["status"] == "ended"
        assert (await run.join()).json()["type"] == "/problems/drop-ended"

    async def test_of_none_is_not_found(self, client, steward) -> None:
        path = "/v1/drops/01a205d7-7ed0-71a0-a490-e2450f0d678c"
        answers = [
            await client.get(path),
            await client.delete(path, headers=steward),
            await client.patch(path, json={}, headers=steward),
            await client.post(f"{path}/tickets"),
            await client.get(f"{path}/place", headers={"Waiting-Room-Ticket": "x"}),
        ]

        assert {answer.json()["type"] for answer in answers} == {
            "/problems/drop-not-found"
        }
