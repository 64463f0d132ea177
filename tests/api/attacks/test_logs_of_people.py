"""What people and programs say to be let in, in any line of a log of the API."""

import io
import json

import httpx
import pyotp
import pytest
from visitors import PASSWORD

from holdfast.api.app import serving
from holdfast.kernel import tokens
from holdfast.platform.telemetry import AccessLog
from holdfast.workflows import keys

NEW_PASSWORD = "another horse altogether"


@pytest.fixture
def lines(shop):
    """The access log, from now on."""
    written = io.BytesIO()
    shop.access_log = AccessLog("json", written)
    return written


@pytest.fixture
async def http(shop, lines):
    transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as h:
        yield h


@pytest.fixture
def found(shop, lines, log):
    """Those of some secrets that are in a line of either log."""

    async def look(secrets, *, at_least):
        await shop.noted()
        shop.access_log.flush()
        written = lines.getvalue().decode() + json.dumps(log())
        assert written.count('"path"') >= at_least
        return [each for each in secrets if each in written]

    return look


class TestLogs:
    async def test_hold_no_code_of_a_second_factor(
        self, http, a_person, a_client, shop, clock, found
    ):
        ada = await a_person()
        client_id = await a_client("account:read", "account:write")
        who = {"email": ada.email, "password": PASSWORD, "client_id": client_id}
        session = (await http.post("/v1/sessions", json=who)).json()
        bearer = {"Authorization": f"Bearer {session['access_token']}"}
        path = "/v1/me/second-factor"
        said = {"password": PASSWORD}
        secret = (await http.post(path, json=said, headers=bearer)).json()["secret"]
        device = pyotp.TOTP(secret)
        first, wrong = device.at(clock()), device.at(clock(), counter_offset=9)
        for code in (wrong, first):
            answer = await http.post(
                f"{path}/confirm", json={"code": code}, headers=bearer
            )
        recovery = answer.json()["recovery_codes"]
        clock.advance(minutes=1)
        later = device.at(clock())
        challenges = []
        for code in (wrong, recovery[0], recovery[0], later):
            asked = await http.post("/v1/sessions", json=who)
            challenges.append(asked.json()["challenge"])
            step = {"client_id": client_id, "challenge": challenges[-1], "code": code}
            await http.post("/v1/sessions/second-factor", json=step)
            await http.post("/v1/sessions/second-factor", params=step)
        both = {"password": "wrong one", "code": recovery[1]}
        await http.request("DELETE", path, json=both, headers=bearer)

        secrets = [secret, *recovery, *challenges, PASSWORD, "wrong one", ada.email]
        secrets += [session[name] for name in ("access_token", "place")]
        assert await found(secrets, at_least=14) == []
        # Six digits may stand in an id or a time: only a value of its own counts.
        codes = [f'"{code}"' for code in (first, wrong, later)]
        assert await found(codes, at_least=14) == []

    async def test_hold_no_link_of_an_email_and_no_password(
        self, http, mailed_link, found
    ):
        email, secrets = "bob@example.com", [PASSWORD, NEW_PASSWORD, "bob@"]
        for ask, confirm, password in (
            ("/v1/accounts", "/v1/accounts/confirm", PASSWORD),
            ("/v1/password-resets", "/v1/password-resets/confirm", NEW_PASSWORD),
        ):
            await http.post(ask, json={"email": email})
            link = await mailed_link(email)
            token = link.partition("token=")[2]
            secrets.append(token)
            page = link.removeprefix("http://shop.test")
            assert (await http.get(page)).status_code == 200
            for chosen in ("password", password, password):
                body = {"token": token, "password": chosen}
                await http.post(confirm, json=body)
                await http.post(confirm, params=body)
            await http.post("/v1/email-changes/confirm", json={"token": token})

        assert await found(secrets, at_least=18) == []

    async def test_hold_no_key_of_an_operator_and_no_token_of_a_cart(
        self, http, shop, a_product, clock, found
    ):
        await a_product("TEA", on_hand=5)
        key, token = await keys.create_key(
            shop.db, shop.vault, name="Ada", scopes=["carts:write"], clock=clock
        )
        body = {"lines": [{"sku": "TEA", "quantity": 1}]}
        cart = (await http.post("/v1/carts", json=body)).json()
        nobodys = tokens.new_token(tokens.API_KEY)
        path = f"/v1/carts/{cart['id']}"
        for bearer in (token, nobodys, cart["token"], "hfk_broken"):
            headers = {"Authorization": f"Bearer {bearer}"}
            for place in (path, "/v1/carts/nowhere", "/v1/orders"):
                await http.get(place, headers=headers)
                await http.get(place, params={"token": bearer})
        await keys.revoke_key(shop.db, shop.vault, key.id, clock=clock)
        shop.routes = ()
        await http.get(path, headers={"Authorization": f"Bearer {token}"})

        secrets = [token, nobodys, cart["token"], "hfk_broken"]
        assert await found(secrets, at_least=25) == []
