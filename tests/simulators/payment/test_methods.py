"""How the payment provider misbehaves, by payment method and by scenario."""

import asyncio
import json
from importlib import resources

import pytest

from holdfast import simulators
from holdfast.simulators.payment.methods import METHODS


class TestPaymentMethods:
    def test_each_is_documented(self):
        page = resources.files(simulators).joinpath("README.md").read_text()

        assert [method for method in METHODS if f"`{method}`" not in page] == []

    @pytest.mark.parametrize(
        ("method", "reason"),
        [
            (name, method.decline_reason)
            for name, method in METHODS.items()
            if method.decline_reason and not method.challenge
        ],
    )
    async def test_a_decline_says_why(self, charge, ledger, method, reason):
        response = await charge(payment_method=method)

        assert response.status_code == 200
        assert response.json()["status"] == "declined"
        assert response.json()["decline_reason"] == reason
        assert ledger.count("captured") == 0

    async def test_one_is_told_to_come_back_later(self, charge, ledger):
        response = await charge(payment_method="pm_rate_limited")

        assert response.status_code == 429
        assert response.headers["retry-after"] == "1"
        assert len(ledger) == 0

    @pytest.mark.parametrize(
        ("method", "charged"), [("pm_timeout_before", 0), ("pm_timeout_after", 1)]
    )
    async def test_a_timeout_never_answers(self, charge, ledger, method, charged):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await charge(payment_method=method)

        assert ledger.count("captured") == charged

    @pytest.mark.parametrize(
        ("method", "charged"), [("pm_error", 0), ("pm_error_after", 1)]
    )
    async def test_an_error_is_a_500(self, charge, ledger, method, charged):
        response = await charge(payment_method=method)

        assert response.status_code == 500
        assert ledger.count("captured") == charged

    @pytest.mark.parametrize(
        ("method", "charged"), [("pm_garbage", 0), ("pm_garbage_after", 3)]
    )
    async def test_garbage_is_a_200_with_nonsense(
        self, charge, ledger, method, charged
    ):
        answers = [await charge(f"k{n}", payment_method=method) for n in range(3)]

        assert [answer.status_code for answer in answers] == [200, 200, 200]
        with pytest.raises(UnicodeDecodeError):
            answers[0].content.decode()
        with pytest.raises(json.JSONDecodeError):
            answers[1].json()
        assert answers[2].json()["status"] == "purple"
        assert ledger.count("captured") == charged

    async def test_slow_takes_two_seconds(self, charge, nap):
        response = await charge(payment_method="pm_slow")

        assert response.json()["status"] == "captured"
        assert nap.seconds == [2]

    async def test_misbehaves_again_when_called_again_but_charges_once(
        self, charge, ledger
    ):
        answers = [await charge(payment_method="pm_error_after") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [500, 500, 500]
        assert ledger.count("captured") == 1


class TestScenario:
    @pytest.mark.parametrize(
        ("fail", "charged"),
        [("error", 0), ("error_after", 1), ("garbage", 0), ("garbage_after", 1)],
    )
    async def test_answers_as_told_and_charges_only_after(
        self, payment, charge, ledger, fail, charged
    ):
        await payment.put("/control/scenario", json={"fail": fail, "count": 1})

        struck = await charge("a")
        spared = await charge("b")

        assert struck.status_code == (500 if fail.startswith("error") else 200)
        assert "id" not in struck.text or fail.startswith("garbage")
        assert spared.status_code == 201
        assert ledger.count("captured") == charged + 1

    @pytest.mark.parametrize(("fail", "charged"), [("hang", 0), ("hang_after", 1)])
    async def test_hangs_as_told(self, payment, charge, ledger, fail, charged):
        await payment.put("/control/scenario", json={"fail": fail})

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await charge()

        assert ledger.count("captured") == charged

    async def test_a_reset_charges_nothing(self, payment, charge, ledger):
        await payment.put("/control/scenario", json={"fail": "reset"})

        with pytest.raises(ConnectionResetError):
            await charge()

        assert len(ledger) == 0

    async def test_overrules_a_payment_method_that_misbehaves(self, payment, charge):
        await payment.put("/control/scenario", json={"fail": "error", "count": 1})

        response = await charge(payment_method="pm_garbage")

        assert response.status_code == 500

    async def test_does_not_touch_lookups_and_cancellations(self, payment, charge):
        await charge("a")
        await payment.put("/control/scenario", json={"fail": "hang"})

        found = await payment.get("/v1/charges/by-key/a")
        canceled = await payment.post("/v1/charges/by-key/b/cancel")

        assert found.json()["status"] == "captured"
        assert canceled.json()["status"] == "canceled"
