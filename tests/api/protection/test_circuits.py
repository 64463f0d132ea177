"""Operators see the circuits and decide over them; each change is on record."""

from datetime import timedelta

import pytest
from cases import cases

from holdfast.domain import identity
from holdfast.kernel.clock import monotonic
from holdfast.platform.circuits import CONTROL
from holdfast.resilience.circuit import Outcome, State

PATH = "/v1/protection/circuits"


@pytest.fixture
async def watcher(an_operator) -> dict[str, str]:
    return await an_operator("protection:read")


@pytest.fixture
async def operator(an_operator) -> dict[str, str]:
    return await an_operator("protection:read", "protection:write")


@pytest.fixture
def circuit(client, watcher):
    """One circuit as the API shows it."""

    async def read(name):
        answer = await client.get(PATH, headers=watcher)
        items = answer.raise_for_status().json()["items"]
        return next(item for item in items if item["dependency"] == name)

    return read


def breaks(shop, name):
    breaker = shop.circuits[name].breaker
    for _ in range(5):
        breaker.record(breaker.admit(1.0), Outcome.UNREACHABLE, monotonic())
    assert breaker.state is State.OPEN


class TestBrowse:
    async def test_shows_every_dependency(self, client, watcher):
        answer = await client.get(PATH, headers=watcher)

        assert answer.status_code == 200
        assert [item["dependency"] for item in answer.json()["items"]] == [
            "payment",
            "carrier",
            "mail",
            "keys",
            "storage",
            "redis",
        ]

    async def test_shows_what_this_process_has_seen(self, shop, circuit):
        well = await circuit("carrier")
        assert (well["state"], well["alias"]) == ("closed", "shipping")
        assert (well["override"], well["reported_open"]) == (None, False)
        assert (well["places"], well["retries_left"]) == (30, 3)

        breaks(shop, "carrier")

        found = await circuit("carrier")
        assert found["state"] == "open"
        assert 0 < found["open_for_seconds"] <= 2.4


class TestForce:
    async def test_puts_a_circuit_where_the_operator_wants_it(
        self, client, operator, shop, circuit
    ):
        answer = await client.put(
            f"{PATH}/carrier", json={"mode": "forced_open"}, headers=operator
        )

        assert answer.status_code == 200
        assert answer.json() == {"mode": "forced_open", "until": None}
        await shop.controls.reread()
        found = await circuit("carrier")
        assert (found["state"], found["override"]) == ("forced_open", answer.json())

    async def test_ends_by_itself_when_it_was_said_until_when(
        self, client, operator, shop, circuit, clock
    ):
        until = (clock() + timedelta(minutes=5)).isoformat()
        await client.put(
            f"{PATH}/payment",
            json={"mode": "disabled", "until": until},
            headers=operator,
        )
        await shop.controls.reread()
        assert (await circuit("payment"))["state"] == "disabled"
        clock.advance(minutes=5)
        shop.circuits.tick(0.0)

        found = await circuit("payment")
        assert (found["state"], found["override"]) == ("closed", None)

    async def test_is_on_record(self, client, operator, shop):
        await client.put(
            f"{PATH}/carrier", json={"mode": "metrics_only"}, headers=operator
        )

        page = await identity.events(shop.db, shop.vault, after=None, limit=5)
        # The first use of the key is on record, too, sooner or later.
        (event,) = [one for one in page.items if one.kind == "protection.changed"]
        assert event.detail == {
            "control": CONTROL + "carrier",
            "from": "null",
            "to": '{"mode":"metrics_only"}',
        }

    @cases(
        ("body", "status"),
        [
            ({"mode": "open"}, 422),
            ({"mode": "closed"}, 422),
            ({}, 422),
            ({"mode": "disabled", "until": "2020-01-01T00:00:00Z"}, 422),
            ({"mode": "disabled", "until": "2026-12-01T00:00:00"}, 422),
            ({"mode": "disabled", "until": "9999-12-31T23:59:59-05:00"}, 422),
            ({"mode": "disabled", "for": 5}, 422),
        ],
    )
    async def test_refuses_what_makes_no_sense(
        self, client, operator, shop, body, status
    ):
        answer = await client.put(f"{PATH}/carrier", json=body, headers=operator)

        assert answer.status_code == status
        await shop.controls.reread()
        assert shop.controls.under(CONTROL) == {}

    async def test_knows_no_other_dependency(self, client, operator):
        answer = await client.put(
            f"{PATH}/fax", json={"mode": "disabled"}, headers=operator
        )

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/circuit-not-found"

    async def test_is_not_for_those_who_may_only_watch(self, client, watcher):
        answer = await client.put(
            f"{PATH}/carrier", json={"mode": "disabled"}, headers=watcher
        )

        assert answer.status_code == 403


class TestRelease:
    async def test_leaves_the_circuit_to_itself(self, client, operator, shop, circuit):
        await client.put(f"{PATH}/carrier", json={"mode": "disabled"}, headers=operator)
        await shop.controls.reread()

        answer = await client.delete(f"{PATH}/carrier", headers=operator)

        assert answer.status_code == 204
        await shop.controls.reread()
        assert (await circuit("carrier"))["state"] == "closed"

    async def test_of_what_was_left_alone_changes_nothing(self, client, operator):
        assert (
            await client.delete(f"{PATH}/carrier", headers=operator)
        ).status_code == 204
        assert (await client.delete(f"{PATH}/fax", headers=operator)).status_code == 404
