"""The page on which a buyer approves a charge."""

import re

import pytest


@pytest.fixture
def asked(charge):
    """A charge that waits for its buyer, and the address to send them to."""

    async def make(**wish: object):
        made = await charge(**{"payment_method": "pm_card_3ds", **wish})
        assert made.status_code == 202
        return made.json()["next_action"]["url"]

    return make


class TestCharge:
    async def test_waits_for_the_buyer(self, payment, charge, ledger):
        made, again = [await charge(payment_method="pm_card_3ds") for _ in range(2)]

        assert (made.status_code, again.status_code) == (202, 200)
        assert made.json() == again.json()
        assert made.json()["status"] == "requires_action"
        charge_id = made.json()["id"]
        assert made.json()["next_action"] == {
            "type": "redirect",
            "url": f"http://pay/3ds/{charge_id}",
        }
        assert ledger.captured_by_currency() == {}

    @pytest.mark.parametrize(
        "url",
        [
            "shop.test",
            "javascript:alert(1)",
            "http://shop.test/\r\nset-cookie: a=b",
            "http://shop.test;script-src/",
            "http://shop.test'/",
            "http://me@shop.test/",
            "//shop.test/",
            "http://shop.test/" + "x" * 2048,
        ],
    )
    async def test_refuses_to_lead_back_to_what_is_no_address(self, charge, url):
        response = await charge(payment_method="pm_card_3ds", return_url=url)

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/return_url"

    @pytest.mark.parametrize("host", ["a b", "a/b", 'a"b', "é"])
    async def test_does_not_repeat_a_host_that_is_none(self, payment, an_order, host):
        response = await payment.post(
            "/v1/charges",
            json=an_order(payment_method="pm_card_3ds"),
            headers={"Idempotency-Key": "k", "Host": host.encode("latin-1")},
        )

        assert response.status_code == 400


class TestPage:
    async def test_has_two_buttons_and_needs_no_script(self, payment, asked):
        url = await asked(return_url="https://shop.test:8443/paid?a=1")

        response = await payment.get(url)

        text = response.text
        assert re.findall(r'<button name="outcome" value="(\w+)">', text) == [
            "approve",
            "decline",
        ]
        assert 'method="post"' in text
        assert "<script" not in text
        # A browser that is not told so would not follow the form back to the shop.
        policy = response.headers["content-security-policy"]
        assert policy.endswith("form-action 'self' https://shop.test:8443")

    async def test_escapes_what_the_shop_wrote(self, payment, asked):
        url = await asked(reference="<script>alert(1)</script>")

        assert "<script" not in (await payment.get(url)).text

    @pytest.mark.parametrize(
        ("outcome", "status", "reason"),
        [
            ("approve", "captured", None),
            ("decline", "declined", "authentication_failed"),
        ],
    )
    async def test_leads_back_to_the_shop_once_it_is_decided(
        self, hooked, asked, receiver, outcome, status, reason
    ):
        await hooked.put("/control/webhook/scenario", json={"before_answer": True})
        url = await asked(return_url="http://shop.test/paid?order=1")

        response = await hooked.post(url, data={"outcome": outcome})

        found = (await hooked.get("/v1/charges/by-key/key-1")).json()
        assert response.status_code == 303
        assert response.headers["location"] == "http://shop.test/paid?order=1"
        assert (found["status"], found["decline_reason"]) == (status, reason)
        assert found["next_action"] is None
        assert receiver.types == ["charge.requires_action", f"charge.{status}"]

    async def test_a_second_click_leads_back_and_changes_nothing(self, payment, asked):
        url = await asked(return_url="http://shop.test/paid")
        await payment.post(url, data={"outcome": "approve"})

        response = await payment.post(url, data={"outcome": "decline"})

        found = (await payment.get("/v1/charges/by-key/key-1")).json()
        assert (response.status_code, found["status"]) == (303, "captured")

    async def test_without_a_shop_to_go_to_it_says_what_became_of_it(
        self, payment, asked
    ):
        url = await asked(capture="manual")

        response = await payment.post(url, data={"outcome": "approve"})

        assert response.status_code == 200
        assert "This payment is authorized" in response.text
        assert "<form" not in response.text

    @pytest.mark.parametrize(
        "body", [b"", b"outcome=perhaps", b"\xff\xfe=%ff", b"a=1&" * 200]
    )
    async def test_refuses_what_is_neither(self, payment, asked, body):
        url = await asked()

        response = await payment.post(url, content=body)

        assert response.status_code in {400, 422}
        found = (await payment.get("/v1/charges/by-key/key-1")).json()
        assert found["status"] == "requires_action"

    async def test_there_is_none_for_a_charge_that_needs_no_buyer(
        self, payment, charge
    ):
        made = (await charge()).json()

        assert (await payment.get(f"/3ds/{made['id']}")).status_code == 404


class TestComplete:
    async def test_decides_for_the_buyer(self, payment, asked):
        await asked()

        response = await payment.post(
            "/control/charges/key-1/complete", json={"outcome": "approve"}
        )

        assert response.status_code == 200
        assert response.json()["status"] == "captured"
        assert response.json()["captured_amount"] == 1999

    async def test_the_bank_may_decline_what_the_buyer_approves(self, payment, asked):
        await asked(payment_method="pm_card_3ds_declined")

        response = await payment.post(
            "/control/charges/key-1/complete", json={"outcome": "approve"}
        )

        assert response.json()["decline_reason"] == "card_declined"

    async def test_refuses_what_was_never_asked_for(self, payment):
        await payment.post("/v1/charges/by-key/key-1/cancel")

        response = await payment.post(
            "/control/charges/key-1/complete", json={"outcome": "approve"}
        )

        assert response.status_code == 409

    async def test_refuses_what_is_decided(self, payment, asked):
        await asked()
        await payment.post("/v1/charges/by-key/key-1/cancel")

        response = await payment.post(
            "/control/charges/key-1/complete", json={"outcome": "approve"}
        )

        assert response.status_code == 409
        assert response.json()["type"] == "/problems/charge-not-waiting"
