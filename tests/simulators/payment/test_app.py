"""The payment provider, as its callers see it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from holdfast.simulators.journal import Journal
from holdfast.simulators.payment import Ledger, Line, build


class TestCharge:
    async def test_captures_and_says_what(self, charge):
        response = await charge("key-7")

        assert response.status_code == 201
        body = response.json()
        assert body.pop("id").startswith("ch_")
        assert body == {
            "key": "key-7",
            "status": "captured",
            "amount": 1999,
            "currency": "EUR",
            "reference": "order-1",
            "decline_reason": None,
            "created_at": "2026-11-27T08:00:00.000000Z",
            "captured_amount": 1999,
            "refunded_amount": 0,
            "next_action": None,
        }

    @pytest.mark.parametrize(
        ("method", "reason"),
        [
            ("pm_card_declined", "card_declined"),
            ("pm_insufficient_funds", "insufficient_funds"),
        ],
    )
    async def test_a_decline_is_an_answer_not_an_error(self, charge, method, reason):
        response = await charge(payment_method=method)

        assert response.status_code == 200
        assert response.json()["status"] == "declined"
        assert response.json()["decline_reason"] == reason

    async def test_the_same_key_again_is_the_same_charge(self, charge, ledger):
        first = await charge()
        second = await charge()

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.content == second.content
        assert ledger.captured_by_currency() == {"EUR": 1999}

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": 2000},
            {"currency": "USD"},
            {"reference": "order-2"},
            {"payment_method": "pm_card_declined"},
        ],
    )
    async def test_the_same_key_for_another_charge_is_refused(
        self, charge, ledger, change
    ):
        await charge()

        response = await charge(**change)

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/idempotency-key-reused"
        assert ledger.captured_by_currency() == {"EUR": 1999}

    async def test_of_many_at_once_with_one_key_one_charges(
        self, payment, charge, nap, ledger
    ):
        await payment.put("/control/scenario", json={"latency_ms": {"fixed": 10}})
        nap.wake.clear()

        async with asyncio.TaskGroup() as group:
            calls = [group.create_task(charge()) for _ in range(50)]
            await nap.fallen_asleep.wait()
            nap.wake.set()

        answers = [call.result() for call in calls]
        assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
        assert len({answer.content for answer in answers}) == 1
        assert ledger.count("captured") == 1

    async def test_a_quoted_key_and_a_bare_one_are_the_same(self, charge):
        first = await charge("key-1")
        second = await charge('"key-1"')

        assert second.json() == first.json()

    async def test_a_charge_without_a_key_is_refused(self, payment, an_order):
        response = await payment.post("/v1/charges", json=an_order())

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/idempotency-key-missing"

    @pytest.mark.parametrize("key", ["a b", "k" * 256, '"', '"open', "back\\slash"])
    async def test_a_key_that_is_not_one_is_refused(self, charge, key, ledger):
        response = await charge(key)

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/idempotency-key-invalid"
        assert len(ledger) == 0

    @pytest.mark.parametrize("amount", [1, 10**15])
    async def test_takes_the_smallest_and_the_largest_amount(self, charge, amount):
        assert (await charge(amount=amount)).json()["amount"] == amount

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("amount", 0),
            ("amount", -5),
            ("amount", 10**15 + 1),
            ("amount", 10**30),
            ("amount", 1.5),
            ("amount", 19.0),
            ("amount", "1999"),
            ("amount", True),
            ("amount", None),
            ("currency", "eur"),
            ("currency", "EURO"),
            ("currency", "EUR\n"),
            ("currency", ""),
            ("payment_method", ""),
            ("reference", ""),
            ("reference", "r" * 256),
            ("reference", 7),
        ],
    )
    async def test_a_wrong_value_is_refused_and_pointed_at(
        self, charge, ledger, field, value
    ):
        response = await charge(**{field: value})

        assert response.status_code == 422
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["type"] == "/problems/invalid-request"
        assert response.json()["errors"][0]["pointer"] == f"/{field}"
        assert len(ledger) == 0

    async def test_an_unknown_field_is_refused(self, charge, ledger):
        response = await charge(tip=5)

        assert response.status_code == 422
        assert "tip" in response.json()["detail"]
        assert len(ledger) == 0

    async def test_a_missing_field_is_refused(self, payment):
        response = await payment.post(
            "/v1/charges", json={}, headers={"Idempotency-Key": "k"}
        )

        assert response.status_code == 422

    async def test_an_unknown_payment_method_is_refused(self, charge, ledger):
        response = await charge(payment_method="pm_seashells")

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/unknown-payment-method"
        assert "pm_card_ok" in response.json()["known"]
        assert len(ledger) == 0

    async def test_a_full_ledger_refuses_and_keeps_what_it_has(self, an_order):
        transport = httpx.ASGITransport(build(Ledger(max_charges=1)))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://pay"
        ) as client:
            answers = [
                await client.post(
                    "/v1/charges", json=an_order(), headers={"Idempotency-Key": key}
                )
                for key in ("a", "b", "a")
            ]
            cancel = await client.post("/v1/charges/by-key/c/cancel")

        assert [answer.status_code for answer in answers] == [201, 503, 200]
        assert answers[1].json()["type"] == "/problems/charge-not-recorded"
        assert cancel.status_code == 503


class TestByKey:
    async def test_tells_what_became_of_a_charge_that_was_never_answered(
        self, payment, charge
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await charge("key-1", payment_method="pm_timeout_after")

        response = await payment.get("/v1/charges/by-key/key-1")

        assert response.status_code == 200
        assert response.json()["status"] == "captured"

    async def test_an_unknown_key_is_not_found(self, payment):
        response = await payment.get("/v1/charges/by-key/never")

        assert response.status_code == 404
        assert response.json()["type"] == "/problems/charge-not-found"

    async def test_a_key_may_contain_slashes(self, payment, charge):
        made = await charge("a/b/cancel")

        found = await payment.get("/v1/charges/by-key/a%2Fb%2Fcancel")

        assert found.json() == made.json()


class TestCancel:
    @pytest.mark.parametrize("method", ["pm_card_ok", "pm_card_declined"])
    async def test_leaves_what_has_happened_as_it_is(self, payment, charge, method):
        made = await charge("key-1", payment_method=method)

        response = await payment.post("/v1/charges/by-key/key-1/cancel")

        assert response.status_code == 200
        assert response.json() == made.json()

    async def test_an_unknown_key_gets_a_tombstone_that_no_charge_overrules(
        self, payment, charge, ledger
    ):
        canceled = await payment.post("/v1/charges/by-key/key-1/cancel")
        again = await payment.post("/v1/charges/by-key/key-1/cancel")
        late = await charge("key-1")
        found = await payment.get("/v1/charges/by-key/key-1")

        assert canceled.status_code == 200
        body = canceled.json()
        assert body["status"] == "canceled"
        assert (body["amount"], body["currency"], body["reference"]) == (0, "XXX", "")
        assert again.json() == late.json() == found.json() == canceled.json()
        assert late.status_code == 200
        assert ledger.count("captured") == 0

    async def test_wins_over_a_charge_that_is_still_under_way(
        self, payment, charge, nap, ledger
    ):
        nap.wake.clear()

        async with asyncio.TaskGroup() as group:
            slow = group.create_task(charge("key-1", payment_method="pm_slow"))
            await nap.fallen_asleep.wait()
            await payment.post("/v1/charges/by-key/key-1/cancel")
            nap.wake.set()

        assert slow.result().json()["status"] == "canceled"
        assert ledger.captured_by_currency() == {}

    async def test_refuses_a_key_that_is_not_one(self, payment):
        response = await payment.post("/v1/charges/by-key/a%20b/cancel")

        assert response.status_code == 400


class TestSummary:
    async def test_adds_up_by_outcome_and_currency(self, payment, charge):
        await charge("a", amount=100)
        await charge("b", amount=50)
        await charge("c", amount=7, currency="JPY")
        await charge("d", payment_method="pm_card_declined")
        await payment.post("/v1/charges/by-key/e/cancel")

        response = await payment.get("/v1/summary")

        assert response.json() == {
            "captured": {"count": 3, "amount_by_currency": {"EUR": 150, "JPY": 7}},
            "authorized": {"count": 0, "amount_by_currency": {}},
            "refunded": {"count": 0, "amount_by_currency": {}},
            "declined": 1,
            "canceled": 1,
            "requires_action": 0,
            "refunds_pending": 0,
            "refunds_failed": 0,
            "refunds_canceled": 0,
        }


class TestCharges:
    async def test_pages_through_every_charge_once_in_order(self, payment, charge):
        keys = [f"key-{number}" for number in range(5)]
        for key in keys:
            await charge(key)

        seen, path = [], "/v1/charges?limit=2"
        while path:
            response = await payment.get(path)
            seen += [item["key"] for item in response.json()["items"]]
            path = response.links.get("next", {}).get("url")

        assert seen == keys
        assert response.json()["next"] is None

    async def test_an_empty_ledger_is_an_empty_page(self, payment):
        response = await payment.get("/v1/charges")

        assert response.json() == {"items": [], "next": None}
        assert "link" not in response.headers

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=many", "/limit"),
            ("after=1", "/after"),
            ("after=-1", "/after"),
            ("after=" + "9" * 5000, "/after"),
        ],
    )
    async def test_refuses_a_page_there_cannot_be(self, payment, query, pointer):
        response = await payment.get(f"/v1/charges?{query}")

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == pointer


class TestReset:
    async def test_makes_every_key_new_again(self, payment, charge):
        await charge("key-1")

        await payment.post("/control/reset")

        assert (await payment.get("/v1/charges/by-key/key-1")).status_code == 404
        assert (await charge("key-1", amount=1)).status_code == 201

    async def test_forgets_charges_and_scenario_for_good(
        self, tmp_path: Path, an_order
    ):
        path = tmp_path / "payment.jsonl"
        journal = Journal(path, Line)
        transport = httpx.ASGITransport(build(Ledger(journal)))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://pay"
        ) as client:
            await client.post(
                "/v1/charges", json=an_order(), headers={"Idempotency-Key": "k"}
            )
            await client.put("/control/scenario", json={"fail": "error"})

            response = await client.post("/control/reset")

            summary = await client.get("/v1/summary")
            state = await client.get("/control/state")
        journal.close()
        assert response.status_code == 204
        assert summary.json()["captured"] == {"count": 0, "amount_by_currency": {}}
        assert state.json()["scenario"] is None
        assert path.read_bytes() == b""
