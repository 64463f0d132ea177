"""oauthlib's client where there is no secret to keep, and what it does with tokens.

Once as requests-oauthlib wraps it, in a thread as it is synchronous, and once by
itself: then it writes requests and reads answers, and the test carries them.
"""

import asyncio

import httpx
import pytest
from oauthlib.oauth2 import InvalidGrantError, WebApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from visitors import sign_in

CALLBACK = "com.example.app:/callback"
SCOPE = ["openid", "email", "offline_access"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def plain_http(monkeypatch):
    """Let it speak to a shop without TLS."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
async def app(registered):
    """An application on somebody's telephone."""
    return await registered(name="Weather", kind="public", redirect_uris=(CALLBACK,))


@pytest.fixture
def agreed(window, ada):
    """Have somebody sign in and agree; returns the address they are sent to."""

    async def agree(url):
        await sign_in(window, ada, url)
        await window.submit(button="allow")
        assert window.location.startswith(CALLBACK)
        return window.location

    return agree


class TestWrapped:
    @pytest.fixture
    def session(self, app):
        """A session with PKCE, as its documentation opens one."""
        with OAuth2Session(
            app.id, redirect_uri=CALLBACK, scope=SCOPE, pkce="S256"
        ) as session:
            yield session

    @pytest.mark.parametrize(
        "way", [{}, {"include_client_id": True}], ids=["empty secret", "id in the form"]
    )
    async def test_signs_somebody_in_and_refreshes(
        self, session, agreed, running, app, ada, way
    ):
        url, _ = session.authorization_url(f"{running}/oauth/authorize")

        token = await asyncio.to_thread(
            session.fetch_token,
            f"{running}/oauth/token",
            authorization_response=await agreed(url),
            **way,
        )
        told = await asyncio.to_thread(session.get, f"{running}/oauth/userinfo")
        fresh = await asyncio.to_thread(
            session.refresh_token, f"{running}/oauth/token", client_id=app.id
        )

        assert sorted(token["scope"]) == sorted(SCOPE)
        assert told.json()["email"] == ada.email
        assert fresh["refresh_token"] != token["refresh_token"]

    async def test_with_another_verifier_gets_nothing(self, session, agreed, running):
        url, _ = session.authorization_url(f"{running}/oauth/authorize")
        answer = await agreed(url)
        session._code_verifier = "x" * 64

        with pytest.raises(InvalidGrantError):
            await asyncio.to_thread(
                session.fetch_token,
                f"{running}/oauth/token",
                authorization_response=answer,
                include_client_id=True,
            )


class TestByItself:
    @pytest.fixture
    def library(self, app):
        return WebApplicationClient(app.id)

    @pytest.fixture
    async def http(self, running):
        async with httpx.AsyncClient(base_url=running, trust_env=False) as http:
            yield http

    @pytest.fixture
    async def token(self, library, agreed, http, running):
        """Sign somebody in, every request and answer the library's."""
        verifier = library.create_code_verifier(64)
        url, _, _ = library.prepare_authorization_request(
            f"{running}/oauth/authorize",
            state="a-state",
            redirect_url=CALLBACK,
            scope=SCOPE,
            code_challenge=library.create_code_challenge(verifier, "S256"),
            code_challenge_method="S256",
        )
        url, headers, body = library.prepare_token_request(
            f"{running}/oauth/token",
            authorization_response=await agreed(url),
            redirect_url=CALLBACK,
            state="a-state",
            code_verifier=verifier,
        )
        answer = await http.post(url, headers=headers, content=body)
        return library.parse_request_body_response(answer.text, scope=SCOPE)

    async def test_calls_with_the_token_and_refreshes_it(
        self, library, token, http, running, app, ada
    ):
        url, headers, _ = library.add_token(f"{running}/oauth/userinfo")
        told = await http.get(url, headers=headers)
        url, headers, body = library.prepare_refresh_token_request(
            f"{running}/oauth/token", scope=SCOPE, client_id=app.id
        )
        answer = await http.post(url, headers=headers, content=body)
        fresh = library.parse_request_body_response(answer.text, scope=SCOPE)

        assert told.json()["email"] == ada.email
        assert fresh["refresh_token"] != token["refresh_token"]

    async def test_revokes_it(self, library, token, http, running, app):
        # It insists on TLS here whatever it is told.
        url, headers, body = library.prepare_token_revocation_request(
            "https://shop.test/oauth/revoke",
            token["refresh_token"],
            "refresh_token",
            client_id=app.id,
        )

        done = await http.post(
            url.replace("https://shop.test", running), headers=headers, content=body
        )
        _, headers, _ = library.add_token(f"{running}/oauth/userinfo")
        told = await http.get("/oauth/userinfo", headers=headers)

        assert done.status_code == 200
        assert told.status_code == 401


class TestIntrospection:
    """The library has no words of its own for it; it authenticates and carries it."""

    async def test_of_a_token_by_the_client_that_got_it(
        self, registered, window, ada, running
    ):
        callback = "https://app.example/callback"
        app = await registered(name="Weather")
        with OAuth2Session(
            app.id, redirect_uri=callback, scope=SCOPE, pkce="S256"
        ) as session:
            url, _ = session.authorization_url(f"{running}/oauth/authorize")
            await sign_in(window, ada, url)
            await window.submit(button="allow")
            token = await asyncio.to_thread(
                session.fetch_token,
                f"{running}/oauth/token",
                authorization_response=window.location,
                client_secret=app.secret,
            )
            told = [
                await asyncio.to_thread(
                    session.post,
                    f"{running}/oauth/introspect",
                    data={"token": token[kind], "token_type_hint": kind},
                    headers=FORM,
                    auth=HTTPBasicAuth(app.id, app.secret),
                    withhold_token=True,
                )
                for kind in ("access_token", "refresh_token")
            ]

        assert [answer.json()["active"] for answer in told] == [True, True]
        assert {answer.json()["sub"] for answer in told} == {str(ada.account_id)}
