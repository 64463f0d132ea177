"""What clients send and get, in any line of a log."""

import base64
import io
import json

import httpx
import pytest
from relying import App

from holdfast.api.app import serving
from holdfast.platform.telemetry import AccessLog


class TestLogs:
    @pytest.mark.parametrize("kind", ["confidential", "public"])
    async def test_hold_nothing_that_clients_send_or_get(
        self, shop, log, registered, somebody, kind
    ):
        lines = io.BytesIO()
        shop.access_log = AccessLog("json", lines)
        known, person = await registered(kind=kind), await somebody()
        transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test"
        ) as http:
            app = App(http, shop, known.client, known.secret)
            code = await app.code(person)
            wrong = {"code": code, "refresh_token": "a-wrong-one", "token": code}
            for grant in ("authorization_code", "refresh_token", "x"):
                await app.post("/oauth/token", grant_type=grant, **wrong)
                await http.post("/oauth/token", params={"grant_type": grant, **wrong})
            first = (await app.redeem(code)).json()
            second = (await app.refresh(first["refresh_token"])).json()
            await app.redeem(code)
            for said in (first, second):
                for name in ("access_token", "refresh_token", "id_token"):
                    await app.post("/oauth/introspect", token=said[name])
                    await app.post("/oauth/revoke", token=said[name])
                    await http.get("/oauth/authorize", params={"code": said[name]})
        shop.access_log.flush()
        written = lines.getvalue().decode() + json.dumps(log())

        secrets = [code, app.VERIFIER, "a-wrong-one", person.cookie, person.email]
        secrets += [said["refresh_token"] for said in (first, second)]
        for said in (first, second):
            secrets += [*said["access_token"].split("."), *said["id_token"].split(".")]
        if app.secret is not None:
            secrets += [
                app.secret,
                base64.b64encode(":".join(app.auth).encode()).decode(),
            ]
        assert written.count('"path"') >= 20
        assert [each for each in secrets if each in written] == []
