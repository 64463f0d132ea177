"""Giving money back: never more than was taken, each key once."""

import asyncio

import httpx
import pytest

from holdfast.simulators.journal import Journal
from holdfast.simulators.payment import Ledger, Line, build


class TestRefund:
    async def test_gives_back_and_says_what(self, payment, charge, refund):
        await charge()

        response = await refund()

        assert response.status_code == 201
        body = response.json()
        assert body.pop("id").startswith("re_")
        assert body == {
            "key": "refund-1",
            "charge_key": "key-1",
            "status": "succeeded",
            "amount": 500,
            "currency": "EUR",
            "reason": "damaged",
            "failure_reason": None,
            "created_at": "2026-11-27T08:00:00.000000Z",
        }
        made = (await payment.get("/v1/charges/by-key/key-1")).json()
        assert (made["status"], made["refunded_amount"]) == ("captured", 500)
        summary = (await payment.get("/v1/summary")).json()
        assert summary["refunded"] == {"count": 1, "amount_by_currency": {"EUR": 500}}
        assert summary["captured"]["amount_by_currency"] == {"EUR": 1999}

    async def test_the_same_key_again_is_the_same_refund(self, payment, charge, refund):
        await charge()

        first, second = await refund(amount=1999), await refund(amount=1999)

        assert (first.status_code, second.status_code) == (201, 200)
        assert first.content == second.content

    @pytest.mark.parametrize(
        "change",
        [{"amount": 501}, {"currency": "USD"}, {"reason": ""}, {"charge_key": "key-2"}],
    )
    async def test_the_same_key_for_another_refund_is_refused(
        self, charge, refund, change
    ):
        await charge()
        await refund()

        response = await refund(**change)

        assert response.status_code == 422
        assert response.json()["type"] == "/problems/idempotency-key-reused"

    async def test_never_gives_back_more_than_was_captured(
        self, payment, charge, refund
    ):
        await charge(capture="manual")
        await payment.post("/v1/charges/by-key/key-1/capture", json={"amount": 700})

        answers = [
            await refund("a", amount=701),
            await refund("b", amount=600),
            await refund("c", amount=101),
            await refund("d", amount=100),
            await refund("e", amount=1),
        ]

        statuses = [answer.status_code for answer in answers]
        assert statuses == [409, 201, 409, 201, 409]
        assert answers[0].json()["type"] == "/problems/refund-exceeds-charge"

    async def test_of_many_at_once_no_more_succeed_than_the_money_allows(
        self, payment, charge, refund
    ):
        await charge()

        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(refund(f"r-{number}", amount=100))
                for number in range(40)
            ]

        statuses = [call.result().status_code for call in calls]
        assert (statuses.count(201), statuses.count(409)) == (19, 21)

    @pytest.mark.parametrize(
        "wish", [{"capture": "manual"}, {"payment_method": "pm_fraud"}]
    )
    async def test_refuses_a_charge_that_took_nothing(self, charge, refund, wish):
        await charge(**wish)

        response = await refund()

        assert response.status_code == 409
        assert response.json()["type"] == "/problems/charge-not-refundable"

    async def test_refuses_a_charge_there_is_not(self, payment, refund):
        unknown = await refund()
        await payment.post("/v1/charges/by-key/key-1/cancel")
        tombstone = await refund()

        assert (unknown.status_code, tombstone.status_code) == (404, 409)

    async def test_refuses_another_currency(self, charge, refund):
        await charge()

        response = await refund(currency="USD")

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/currency"

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("amount", 0),
            ("amount", -1),
            ("amount", 10**16),
            ("amount", "5"),
            ("amount", 5.0),
            ("currency", "eur"),
            ("charge_key", ""),
            ("charge_key", "a b"),
            ("charge_key", "k" * 256),
            ("reason", "r" * 256),
            ("reason", None),
            ("simulate", {"fail": "explode"}),
        ],
    )
    async def test_a_wrong_value_is_refused_and_pointed_at(
        self, charge, refund, field, value
    ):
        await charge()

        response = await refund(**{field: value})

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"].startswith(f"/{field}")

    async def test_bytes_that_are_no_text_are_malformed(self, payment):
        response = await payment.post(
            "/v1/refunds",
            content=b'{"charge_key": "\xff\xfe"}',
            headers={"Idempotency-Key": "r"},
        )

        assert response.status_code == 400
        assert response.headers["content-type"] == "application/problem+json"

    async def test_needs_a_key(self, payment):
        response = await payment.post("/v1/refunds", json={})

        assert response.status_code == 400
        assert response.json()["type"] == "/problems/idempotency-key-missing"


class TestPaymentMethods:
    async def test_one_whose_refunds_fail_keeps_the_money(
        self, payment, charge, refund
    ):
        await charge(payment_method="pm_refund_fails")

        response = await refund()

        assert response.status_code == 201
        assert response.json()["status"] == "failed"
        assert response.json()["failure_reason"] == "refund_declined"
        made = (await payment.get("/v1/charges/by-key/key-1")).json()
        assert made["refunded_amount"] == 0

    @pytest.mark.parametrize(
        ("method", "outcome", "given_back"),
        [
            ("pm_refund_pending", "succeeded", 1999),
            ("pm_refund_pending_fails", "failed", 0),
        ],
    )
    async def test_one_whose_refunds_wait_settles_them_after_an_hour(
        self, payment, charge, refund, method, outcome, given_back
    ):
        await charge(payment_method=method)
        statuses = [(await refund(amount=1999)).json()["status"]]
        held = await refund("refund-2")

        for seconds in (3599, 1):
            await payment.post("/control/clock/advance", json={"seconds": seconds})
            found = await payment.get("/v1/refunds/by-key/refund-1")
            statuses.append(found.json()["status"])

        assert statuses == ["pending", "pending", outcome]
        assert held.status_code == 409
        made = (await payment.get("/v1/charges/by-key/key-1")).json()
        assert made["refunded_amount"] == given_back

    @pytest.mark.parametrize(
        ("outcome", "status"), [("succeed", "succeeded"), ("fail", "failed")]
    )
    async def test_or_when_told_to(self, hooked, charge, refund, outcome, status):
        await charge(payment_method="pm_refund_pending")
        await refund()
        path = "/control/refunds/refund-1/complete"

        first = await hooked.post(path, json={"outcome": outcome})
        again = await hooked.post(path, json={"outcome": outcome})
        other = "fail" if outcome == "succeed" else "succeed"
        opposite = await hooked.post(path, json={"outcome": other})

        assert first.json()["status"] == status
        assert again.json() == first.json()
        assert opposite.status_code == 409

    async def test_tell_each_step(self, hooked, charge, refund, receiver):
        await hooked.put("/control/webhook/scenario", json={"before_answer": True})
        await charge(payment_method="pm_refund_pending")
        await refund()
        await hooked.post("/control/clock/advance", json={"seconds": 3600})

        await receiver.until(3)

        assert receiver.types[1:] == ["refund.pending", "refund.succeeded"]
        assert receiver.received[1].event["data"]["key"] == "refund-1"


class TestCancel:
    async def test_an_unknown_key_can_never_refund(self, payment, charge, refund):
        await charge()

        tombstone = await payment.post("/v1/refunds/by-key/refund-1/cancel")
        late = await refund()

        assert tombstone.json()["status"] == "canceled"
        assert (tombstone.json()["amount"], tombstone.json()["charge_key"]) == (0, "")
        assert (late.status_code, late.json()) == (200, tombstone.json())
        summary = (await payment.get("/v1/summary")).json()
        assert summary["refunded"]["count"] == 0

    async def test_a_pending_one_frees_the_money(self, payment, charge, refund):
        await charge(payment_method="pm_refund_pending")
        await refund(amount=1999)

        canceled = await payment.post("/v1/refunds/by-key/refund-1/cancel")
        await payment.post("/control/clock/advance", json={"seconds": 7200})

        assert canceled.json()["status"] == "canceled"
        found = await payment.get("/v1/refunds/by-key/refund-1")
        assert found.json()["status"] == "canceled"
        assert (await refund("refund-2", amount=1999)).status_code == 201

    async def test_what_has_succeeded_stays(self, payment, charge, refund):
        await charge()
        made = await refund()

        response = await payment.post("/v1/refunds/by-key/refund-1/cancel")

        assert response.json() == made.json()


class TestRefunds:
    async def test_pages_through_every_refund_once_in_order(
        self, payment, charge, refund
    ):
        await charge()
        keys = [f"r-{number}" for number in range(5)]
        for key in keys:
            await refund(key, amount=1)

        seen, path = [], "/v1/refunds?limit=2"
        while path:
            response = await payment.get(path)
            seen += [item["key"] for item in response.json()["items"]]
            path = response.links.get("next", {}).get("url")

        assert seen == keys

    async def test_an_unknown_key_is_not_found(self, payment):
        response = await payment.get("/v1/refunds/by-key/never")

        assert response.status_code == 404
        assert response.json()["type"] == "/problems/refund-not-found"

    async def test_outlive_the_process_with_what_they_hold(
        self, tmp_path, stopped_clock, an_order
    ):
        path = tmp_path / "payment.jsonl"
        statuses = []

        for run in range(2):
            journal = Journal(path, Line)
            ledger = Ledger(journal, clock=stopped_clock)
            transport = httpx.ASGITransport(build(ledger))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://pay"
            ) as client:
                await client.post(
                    "/v1/charges",
                    json=an_order(payment_method="pm_refund_pending"),
                    headers={"Idempotency-Key": "key-1"},
                )
                refund = {"charge_key": "key-1", "amount": 1500, "currency": "EUR"}
                answer = await client.post(
                    "/v1/refunds", json=refund, headers={"Idempotency-Key": f"r-{run}"}
                )
                statuses.append(answer.status_code)
                if run:
                    body = {"seconds": 3600}
                    await client.post("/control/clock/advance", json=body)
                found = (await client.get("/v1/refunds/by-key/r-0")).json()["status"]
                statuses.append(found)
            journal.close()

        assert statuses == [201, "pending", 409, "succeeded"]
