"""How long a password has to be is for the shop to say, and said wherever one is."""

import dataclasses

import pytest
from visitors import ADA, a_browser, browser, mailed_link

from holdfast.workflows import first_operator

__all__ = ["a_browser", "browser", "mailed_link"]

FOURTEEN, FIFTEEN = "x7Kq.m2v, yes!", "x7Kq.m2v, yes!!"
TOO_SHORT = ["It has fewer than 15 characters."]


@pytest.fixture
def settings(settings):
    return dataclasses.replace(settings, password_shortest=15)


class TestShortest:
    async def test_holds_at_sign_up_and_reset_and_change(
        self, client, deliver, token_in, signed_up, shop, a_client
    ):
        await client.post("/v1/accounts", json={"email": ADA})
        signing_up = {"token": token_in((await deliver())[0])}
        path = "/v1/accounts/confirm"
        refused = await client.post(path, json={**signing_up, "password": FOURTEEN})
        taken = await client.post(path, json={**signing_up, "password": FIFTEEN})
        assert refused.json()["reasons"] == TOO_SHORT
        assert taken.status_code == 201

        await client.post("/v1/password-resets", json={"email": ADA})
        reset = {"token": token_in((await deliver())[0])}
        path = "/v1/password-resets/confirm"
        refused = await client.post(path, json={**reset, "password": FOURTEEN})
        taken = await client.post(path, json={**reset, "password": FIFTEEN})
        assert refused.json()["reasons"] == TOO_SHORT
        assert taken.status_code == 204

        body = {"email": ADA, "password": FIFTEEN}
        body["client_id"] = await a_client("account:write")
        session = (await client.post("/v1/sessions", json=body)).json()
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        change = {"current_password": FIFTEEN, "new_password": FOURTEEN}
        refused = await client.put("/v1/me/password", json=change, headers=headers)
        assert refused.json()["reasons"] == TOO_SHORT

    async def test_is_said_on_the_pages(self, browser, mailed_link):
        await browser.open("/sign-up")
        await browser.submit(email=ADA)
        await browser.open(await mailed_link(ADA))
        assert "At least 15 characters" in browser.answer.text

        await browser.submit(password=FOURTEEN)

        assert "fewer than 15 characters" in browser.page.alert
        await browser.submit(password=FIFTEEN)
        assert browser.page.heading == "Your account is ready"


class TestNewPassword:
    @pytest.mark.parametrize("shortest", [8, 20, 21, 22, 23, 24, 63, 64])
    def test_is_as_long_as_it_must_be_and_never_short(self, shortest):
        made = first_operator.new_password(shortest)

        assert max(20, shortest) <= len(made) <= max(20, shortest) + 1
