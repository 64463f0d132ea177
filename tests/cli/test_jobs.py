"""``holdfast jobs`` shows what was given up, and does it again."""

import json

import pytest


@pytest.fixture
async def held_id(database):
    payload = (
        b'{"task": "confirm_order", "event_id": "01a20591-948b-7d4e-a6aa-d3737ac1c41d",'
        b' "event_type": "ordering.order.confirmed", "payload": {"order_id": "x"}}'
    )
    async with database.transaction() as tx:
        return await tx.fetchval(
            "INSERT INTO pgqueuer (priority, status, entrypoint, payload, attempts) "
            "VALUES (0, 'failed', 'holdfast', $1, 2) RETURNING id",
            payload,
        )


class TestJobs:
    async def test_lists_what_was_given_up(self, holdfast, held_id):
        said = await holdfast("jobs", "list")

        assert said.out.startswith("0 queued, 0 running, 1 failed\n")
        assert "confirm_order" in said.out

    async def test_lists_it_for_programs(self, holdfast, held_id):
        listed = json.loads((await holdfast("jobs", "list", "--json")).out)

        (item,) = listed["items"]
        assert (listed["queued"], listed["failed"]) == (0, 1)
        assert item["id"] == held_id
        assert item["task"] == "confirm_order"
        assert item["payload"] == {"order_id": "x"}
        assert item["attempts"] == 3

    async def test_says_when_nothing_was(self, holdfast):
        said = await holdfast("jobs", "list")

        assert said.out == "0 queued, 0 running, 0 failed\n"

    async def test_queues_it_again(self, holdfast, held_id, database):
        said = await holdfast("jobs", "retry", str(held_id))

        row = await database.fetchrow("SELECT status, attempts FROM pgqueuer")
        assert said == (0, "1 queued again\n", "")
        assert tuple(row) == ("queued", 0)

    async def test_queues_all_again(self, holdfast, held_id):
        assert (await holdfast("jobs", "retry", "--all")).out == "1 queued again\n"

    async def test_says_which_was_not_given_up(self, holdfast, held_id):
        said = await holdfast("jobs", "retry", str(held_id), "999")

        assert said.code == 1
        assert said.err == "holdfast jobs: not among the given up: 999\n"

    @pytest.mark.parametrize("arguments", [(), ("1", "--all")])
    async def test_wants_to_know_which(self, holdfast, arguments):
        assert (await holdfast("jobs", "retry", *arguments)).code == 2
