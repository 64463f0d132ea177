"""oauthlib's client, as requests-oauthlib wraps it, against a running shop.

It is synchronous: its part runs in a thread, the browser's here.
"""

import asyncio

import pytest
from oauthlib.oauth2 import (
    BackendApplicationClient,
    InvalidGrantError,
    WebApplicationClient,
)
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from visitors import sign_in

CALLBACK = "https://app.example/callback"
SCOPE = ["openid", "email", "offline_access"]


@pytest.fixture(autouse=True)
def plain_http(monkeypatch):
    """Let it speak to a shop without TLS."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def app(registered):
    return await registered(name="Weather")


@pytest.fixture
def session(app):
    """A session with PKCE, as its documentation opens one."""
    with OAuth2Session(
        app.id, redirect_uri=CALLBACK, scope=SCOPE, pkce="S256"
    ) as session:
        yield session


@pytest.fixture
def granted(window, ada, session, running):
    """Have somebody sign in and agree; returns the address they are sent to."""

    async def agree():
        url, state = session.authorization_url(f"{running}/oauth/authorize")
        await sign_in(window, ada, url)
        await window.submit(button="allow")
        assert window.sent["state"] == state
        return window.location.replace("http://", "https://")

    return agree


class TestAuthorizationCode:
    async def test_signs_somebody_in_and_refreshes(
        self, session, granted, running, app, ada
    ):
        answer = await granted()

        token = await asyncio.to_thread(
            session.fetch_token,
            f"{running}/oauth/token",
            authorization_response=answer,
            client_secret=app.secret,
        )
        told = await asyncio.to_thread(session.get, f"{running}/oauth/userinfo")
        fresh = await asyncio.to_thread(
            session.refresh_token,
            f"{running}/oauth/token",
            auth=HTTPBasicAuth(app.id, app.secret),
        )

        assert sorted(token["scope"]) == sorted(SCOPE)
        assert token["id_token"].count(".") == 2
        assert told.json()["email"] == ada.email
        assert fresh["refresh_token"] != token["refresh_token"]

    async def test_takes_the_secret_in_the_form_too(
        self, session, granted, running, app
    ):
        answer = await granted()

        token = await asyncio.to_thread(
            session.fetch_token,
            f"{running}/oauth/token",
            authorization_response=answer,
            include_client_id=True,
            client_secret=app.secret,
            auth=False,
        )

        assert token["token_type"] == "Bearer"

    async def test_is_told_when_a_code_is_used_up(self, session, granted, running, app):
        answer = await granted()
        for _ in range(2):
            fetching = asyncio.to_thread(
                session.fetch_token,
                f"{running}/oauth/token",
                authorization_response=answer,
                client_secret=app.secret,
            )
            if session.token:
                with pytest.raises(InvalidGrantError):
                    await fetching
            else:
                await fetching


class TestRevocation:
    async def test_is_asked_for_as_the_library_writes_it(
        self, session, granted, running, app
    ):
        token = await asyncio.to_thread(
            session.fetch_token,
            f"{running}/oauth/token",
            authorization_response=await granted(),
            client_secret=app.secret,
        )
        client = WebApplicationClient(app.id)
        # It insists on TLS here whatever it is told.
        url, headers, body = client.prepare_token_revocation_request(
            running.replace("http:", "https:") + "/oauth/revoke",
            token["refresh_token"],
            "refresh_token",
        )

        answer = await asyncio.to_thread(
            session.post,
            url.replace("https:", "http:"),
            data=body,
            headers=headers,
            auth=HTTPBasicAuth(app.id, app.secret),
            withhold_token=True,
        )
        told = await asyncio.to_thread(session.get, f"{running}/oauth/userinfo")

        assert answer.status_code == 200
        assert told.status_code == 401


class TestClientCredentials:
    async def test_open_what_the_client_was_registered_for(self, registered, running):
        app = await registered(
            grant_types=("client_credentials",),
            scopes=("inventory:read",),
            redirect_uris=(),
        )
        with OAuth2Session(client=BackendApplicationClient(app.id)) as session:
            token = await asyncio.to_thread(
                session.fetch_token,
                f"{running}/oauth/token",
                client_id=app.id,
                client_secret=app.secret,
            )
            answer = await asyncio.to_thread(
                session.get, f"{running}/v1/inventory/NOTHING"
            )

        assert token["scope"] == ["inventory:read"]
        assert answer.json()["type"] == "/problems/unknown-stock"
