"""Authorizing first, and taking or releasing the money later."""

import asyncio

import pytest


@pytest.fixture
def capture(payment):
    async def send(key: str = "key-1", **body: object):
        return await payment.post(f"/v1/charges/by-key/{key}/capture", json=body)

    return send


@pytest.fixture
def void(payment):
    async def send(key: str = "key-1"):
        return await payment.post(f"/v1/charges/by-key/{key}/void")

    return send


class TestAuthorize:
    async def test_takes_no_money_yet(self, payment, charge):
        made = await charge(capture="manual")

        summary = (await payment.get("/v1/summary")).json()
        assert made.status_code == 201
        assert made.json()["status"] == "authorized"
        assert made.json()["captured_amount"] == 0
        assert summary["captured"]["count"] == 0
        authorized = {"count": 1, "amount_by_currency": {"EUR": 1999}}
        assert summary["authorized"] == authorized

    async def test_declines_as_a_charge_does(self, charge):
        made = await charge(capture="manual", payment_method="pm_do_not_honor")

        assert (made.status_code, made.json()["status"]) == (200, "declined")

    async def test_the_same_key_to_be_captured_at_once_is_another_charge(self, charge):
        await charge(capture="manual")

        assert (await charge()).status_code == 422


class TestCapture:
    async def test_takes_all_of_it(self, payment, charge, capture):
        await charge(capture="manual")

        response = await payment.post("/v1/charges/by-key/key-1/capture")

        assert response.status_code == 200
        assert response.json()["status"] == "captured"
        assert response.json()["captured_amount"] == 1999
        summary = (await payment.get("/v1/summary")).json()
        captured = {"count": 1, "amount_by_currency": {"EUR": 1999}}
        assert summary["captured"] == captured
        assert summary["authorized"] == {"count": 0, "amount_by_currency": {}}

    async def test_takes_a_part_once_and_releases_the_rest(
        self, payment, charge, capture
    ):
        await charge(capture="manual")

        first = await capture(amount=500)
        second = await capture(amount=600)

        assert (first.json()["captured_amount"], first.json()["amount"]) == (500, 1999)
        assert second.status_code == 409
        assert second.json()["type"] == "/problems/charge-not-capturable"
        summary = (await payment.get("/v1/summary")).json()
        assert summary["captured"]["amount_by_currency"] == {"EUR": 500}

    async def test_is_the_same_again(self, charge, capture):
        await charge(capture="manual")
        first = await capture(amount=500)

        again, without_amount = await capture(amount=500), await capture()

        assert again.json() == without_amount.json() == first.json()
        assert again.status_code == 200

    async def test_of_many_at_once_one_takes_the_money(self, payment, charge, capture):
        await charge(capture="manual")

        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(capture(amount=100 + number)) for number in range(20)
            ]

        statuses = sorted(call.result().status_code for call in calls)
        assert statuses == [200] + [409] * 19

    async def test_never_takes_more_than_was_authorized(self, charge, capture):
        await charge(capture="manual")

        response = await capture(amount=2000)

        assert response.status_code == 409
        assert response.json()["type"] == "/problems/capture-exceeds-charge"
        assert (await capture()).json()["captured_amount"] == 1999

    @pytest.mark.parametrize("method", ["pm_card_declined", "pm_card_3ds"])
    async def test_refuses_what_was_not_authorized(self, charge, capture, method):
        await charge(capture="manual", payment_method=method)

        response = await capture()

        assert response.status_code == 409
        assert response.json()["charge_status"] in {"declined", "requires_action"}

    async def test_an_unknown_key_is_not_found(self, capture):
        assert (await capture("never")).status_code == 404

    @pytest.mark.parametrize(
        "amount", [0, -1, 10**16, 10**40, 1.5, "5", [], True, float("1e400")]
    )
    async def test_refuses_what_is_no_amount(self, charge, payment, amount):
        await charge(capture="manual")

        response = await payment.post(
            "/v1/charges/by-key/key-1/capture", content=f'{{"amount": {amount!r}}}'
        )

        assert response.status_code in {400, 422}
        found = await payment.get("/v1/charges/by-key/key-1")
        assert found.json()["status"] == "authorized"


class TestVoid:
    async def test_releases_what_was_authorized_and_is_the_same_again(
        self, charge, void, capture, payment
    ):
        await charge(capture="manual")

        first, second = await void(), await void()

        assert first.status_code == second.status_code == 200
        assert first.json() == second.json()
        assert first.json()["status"] == "canceled"
        assert first.json()["amount"] == 1999
        assert (await capture()).status_code == 409
        summary = (await payment.get("/v1/summary")).json()
        assert (summary["canceled"], summary["authorized"]["count"]) == (1, 0)

    async def test_refuses_what_was_captured(self, charge, void):
        await charge()

        response = await void()

        assert response.status_code == 409
        assert response.json()["type"] == "/problems/charge-not-voidable"

    async def test_an_unknown_key_is_not_found(self, void):
        assert (await void("never")).status_code == 404

    async def test_the_key_of_a_voided_charge_is_for_that_charge_only(
        self, charge, void
    ):
        await charge(capture="manual")
        await void()

        assert (await charge(capture="manual")).json()["status"] == "canceled"
        assert (await charge(capture="manual", amount=5)).status_code == 422


class TestCancel:
    @pytest.mark.parametrize(
        ("wish", "status"),
        [
            ({"capture": "manual"}, "canceled"),
            ({"payment_method": "pm_card_3ds"}, "canceled"),
            ({}, "captured"),
            ({"payment_method": "pm_fraud"}, "declined"),
        ],
    )
    async def test_ends_what_has_taken_no_money(self, payment, charge, wish, status):
        await charge(**wish)

        response = await payment.post("/v1/charges/by-key/key-1/cancel")

        assert response.status_code == 200
        assert response.json()["status"] == status
        assert response.json()["next_action"] is None


class TestWebhooks:
    async def test_tell_each_step(self, hooked, charge, capture, void, receiver):
        await hooked.put("/control/webhook/scenario", json={"before_answer": True})

        await charge(capture="manual")
        await capture(amount=5)
        await charge("key-2", capture="manual")
        await void("key-2")
        await charge("key-3", capture="manual")
        await hooked.post("/v1/charges/by-key/key-3/cancel")

        assert receiver.types == [
            *("charge.authorized", "charge.captured"),
            *("charge.authorized", "charge.canceled") * 2,
        ]
        assert receiver.received[1].event["data"]["captured_amount"] == 5
