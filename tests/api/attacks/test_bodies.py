"""What is put into a JSON body besides what it asks for: fields, and secrets.

Made from the routes, so that a new body is attacked without being named here.
"""

import inspect
import io
import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pyotp
import pytest

from holdfast.api.access import AccessLog
from holdfast.api.app import serving
from holdfast.api.policy import Route
from holdfast.api.routes import ROUTES

ADA, EVE = "ada.of.the.mill@example.com", "eve.of.the.moor@example.com"
PASSWORD, NEXT = "a tea for two at four", "scones for seven at nine"


def body_of(route: Route) -> Any:
    """What a route reads as JSON; None if nothing."""
    data = inspect.signature(route.handler, eval_str=True).parameters.get("data")
    return None if data is None else data.annotation


def structs_in(kind: Any) -> Iterator[msgspec.inspect.StructType]:
    """The structures of a type, however deep."""
    if isinstance(kind, msgspec.inspect.StructType):
        yield kind
        for field in kind.fields:
            yield from structs_in(field.type)
    for part in ("types", "item_types"):
        for each in getattr(kind, part, ()):
            yield from structs_in(each)
    for part in ("item_type", "key_type", "value_type", "type"):
        if (each := getattr(kind, part, None)) is not None:
            yield from structs_in(each)


def token_in(link: str) -> str:
    return link.partition("token=")[2]


TAKING_JSON = [route for route in ROUTES if isinstance(body_of(route), type)]


class TestMassAssignment:
    def test_is_tried_on_every_body(self):
        takes = {f"{route.method} {route.path}" for route in TAKING_JSON}

        assert {"POST /v1/users", "PATCH /v1/me", "POST /v1/sessions"} <= takes
        assert len(takes) > 30

    @pytest.mark.parametrize(
        "route", TAKING_JSON, ids=lambda route: f"{route.method} {route.path}"
    )
    def test_of_a_field_that_nobody_asked_for_is_refused(self, route):
        loose = [
            struct.cls.__name__
            for struct in structs_in(msgspec.inspect.type_info(body_of(route)))
            if not struct.forbid_unknown_fields
        ]

        assert loose == []


class TestLogs:
    @pytest.fixture
    async def written(self, shop, log):
        """Everything logged from now on."""
        lines = io.BytesIO()
        shop.access_log = AccessLog("json", lines)

        def read():
            shop.access_log.flush()
            return lines.getvalue().decode() + json.dumps(log())

        return read

    @pytest.fixture
    async def http(self, shop, written):
        transport = httpx.ASGITransport(serving(shop), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop.test"
        ) as opened:
            yield opened

    async def test_hold_no_secret_of_a_life_by_json(
        self, http, shop, written, mailed_link, registered
    ):
        app = await registered(first_party=True, scopes=("account:write",))
        secrets = {ADA, EVE, PASSWORD, NEXT, "a wrong guess"}

        async def send(method, path, status, bearer=None, **body):
            headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
            answer = await http.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, answer.text
            return answer.json() if answer.content else {}

        async def enter(password, status):
            told = await send(
                "POST",
                "/v1/sessions",
                status,
                email=ADA,
                password=password,
                client_id=app.id,
                client_secret=app.secret,
            )
            secrets.update(
                value
                for name, value in told.items()
                if name in ("access_token", "refresh_token", "place", "challenge")
                and value
            )
            return told

        await send("POST", "/v1/accounts", 202, email=ADA)
        secrets.add(token := token_in(await mailed_link(ADA)))
        confirm = "/v1/accounts/confirm"
        await send("POST", confirm, 422, token=token, password="password1")
        await send("POST", confirm, 201, token=token, password=PASSWORD)
        await enter("a wrong guess", 401)
        told = (await enter(PASSWORD, 201))["access_token"]
        change = {"current_password": PASSWORD, "new_password": NEXT}
        await send("PUT", "/v1/me/password", 204, told, **change)
        change = {"current_password": NEXT, "email": EVE}
        await send("POST", "/v1/me/email", 202, told, **change)
        secrets.add(token := token_in(await mailed_link(EVE)))
        await send("POST", "/v1/email-changes/confirm", 204, token=token)
        await send("POST", "/v1/email-changes/confirm", 422, token=token)
        await send("POST", "/v1/password-resets", 202, email=EVE)
        secrets.add(token_in(await mailed_link(EVE)))
        begun = await send("POST", "/v1/me/second-factor", 201, told, password=NEXT)
        secrets |= {begun["secret"], begun["otpauth_uri"]}
        code = pyotp.TOTP(begun["secret"]).at(shop.clock())
        done = await send("POST", "/v1/me/second-factor/confirm", 200, told, code=code)
        secrets.update(done["recovery_codes"])

        assert written().count('"path"') == 12
        assert [secret for secret in secrets if secret in written()] == []
