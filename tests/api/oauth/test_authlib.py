"""Authlib's client, as it is, against a running shop."""

import warnings

import authlib.deprecate
import pytest
from authlib.integrations.base_client import BaseApp
from authlib.integrations.base_client.async_app import AsyncOAuth2Mixin
from authlib.integrations.base_client.async_openid import AsyncOpenIDMixin
from visitors import sign_in

with warnings.catch_warnings():
    # It would rather have another HTTP library, and says so at every import.
    warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import AsyncOAuth2Client

CALLBACK = "https://app.example/callback"
SCOPE = "openid profile email offline_access orders:own"


class App(AsyncOAuth2Mixin, AsyncOpenIDMixin, BaseApp):
    """What Authlib's integrations for web frameworks are made of."""

    client_cls = AsyncOAuth2Client


@pytest.fixture
def authlib(running):
    """The client library set up for a client, knowing the issuer's address alone."""

    def make(app, **options):
        return App(
            None,
            client_id=app.id,
            client_secret=app.secret,
            server_metadata_url=f"{running}/.well-known/openid-configuration",
            client_kwargs={
                "scope": SCOPE,
                "code_challenge_method": "S256",
                "trust_env": False,
                **options,
            },
        )

    return make


@pytest.fixture
def granted(window, ada):
    """Have somebody sign in and agree to what a client asks for."""

    async def agree(relying):
        asked = await relying.create_authorization_url(CALLBACK)
        await sign_in(window, ada, asked["url"])
        assert "Weather" in window.answer.text
        await window.submit(button="allow")
        assert window.location.startswith(f"{CALLBACK}?code=")
        assert window.sent["state"] == asked["state"]
        token = await relying.fetch_access_token(
            redirect_uri=CALLBACK,
            code=window.sent["code"],
            code_verifier=asked["code_verifier"],
        )
        return asked, token

    return agree


class TestAuthorizationCode:
    async def test_signs_somebody_in(self, registered, authlib, granted, window, ada):
        relying = authlib(await registered(name="Weather"))

        asked, token = await granted(relying)

        metadata = await relying.load_server_metadata()
        assert window.sent["iss"] == metadata["issuer"]
        claims = await relying.parse_id_token(token, nonce=asked["nonce"])
        assert claims["sub"] == str(ada.account_id)
        assert claims["aud"] == relying.client_id
        told = await relying.userinfo(token=token)
        assert told["sub"] == claims["sub"]
        assert told["email"] == ada.email
        assert told["given_name"] == "Ada"

    async def test_signs_somebody_in_for_a_public_client(
        self, registered, authlib, granted, ada
    ):
        app = await registered(name="Weather", kind="public")
        relying = authlib(app, token_endpoint_auth_method="none")

        asked, token = await granted(relying)

        claims = await relying.parse_id_token(token, nonce=asked["nonce"])
        assert claims["sub"] == str(ada.account_id)

    async def test_refuses_an_id_token_for_another_nonce(
        self, registered, authlib, granted
    ):
        relying = authlib(await registered(name="Weather"))
        _, token = await granted(relying)

        with pytest.raises(Exception, match="nonce"):
            await relying.parse_id_token(token, nonce="another")


class TestDeployed:
    @pytest.fixture
    def running(self, deployed):
        """The shop as ``holdfast serve`` runs it."""
        return deployed

    async def test_signs_somebody_in(self, registered, authlib, granted, ada):
        relying = authlib(await registered(name="Weather"))

        asked, token = await granted(relying)

        claims = await relying.parse_id_token(token, nonce=asked["nonce"])
        assert claims["sub"] == str(ada.account_id)


class TestTokens:
    @pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
    async def test_are_refreshed_introspected_and_revoked(
        self, registered, authlib, granted, running, way
    ):
        app = await registered(name="Weather")
        _, first = await granted(authlib(app, token_endpoint_auth_method=way))
        async with AsyncOAuth2Client(
            app.id,
            app.secret,
            token_endpoint_auth_method=way,
            revocation_endpoint_auth_method=way,
            token=dict(first),
            trust_env=False,
        ) as client:
            second = await client.refresh_token(f"{running}/oauth/token")
            introspection = await client.introspect_token(
                f"{running}/oauth/introspect", token=second["access_token"]
            )
            revoked = await client.revoke_token(
                f"{running}/oauth/revoke", token=second["refresh_token"]
            )
            ended = await client.introspect_token(
                f"{running}/oauth/introspect", token=second["access_token"]
            )

        assert second["refresh_token"] != first["refresh_token"]
        assert introspection.json()["active"] is True
        assert introspection.json()["client_id"] == app.id
        assert revoked.status_code == 200
        assert ended.json() == {"active": False}

    async def test_of_a_public_client_are_refreshed_and_revoked(
        self, registered, authlib, granted, running
    ):
        app = await registered(name="Weather", kind="public")
        _, first = await granted(authlib(app, token_endpoint_auth_method="none"))
        async with AsyncOAuth2Client(
            app.id,
            token_endpoint_auth_method="none",
            revocation_endpoint_auth_method="none",
            token=dict(first),
            trust_env=False,
        ) as client:
            second = await client.refresh_token(f"{running}/oauth/token")
            revoked = await client.revoke_token(
                f"{running}/oauth/revoke", token=second["refresh_token"]
            )
            refused = await client.get(f"{running}/oauth/userinfo")

        assert second["refresh_token"] != first["refresh_token"]
        assert (revoked.status_code, refused.status_code) == (200, 401)

    async def test_are_refreshed_by_themselves(
        self, registered, authlib, granted, running
    ):
        app = await registered(name="Weather")
        _, token = await granted(authlib(app))
        kept = []

        async def keep(new, refresh_token=None, access_token=None):
            kept.append(new)

        async with AsyncOAuth2Client(
            app.id,
            app.secret,
            token={**token, "expires_at": 1},
            token_endpoint=f"{running}/oauth/token",
            update_token=keep,
            trust_env=False,
        ) as client:
            answer = await client.get(f"{running}/oauth/userinfo")

        assert answer.status_code == 200
        assert kept[0]["access_token"] != token["access_token"]


class TestClientCredentials:
    async def test_open_what_the_client_was_registered_for(self, registered, running):
        app = await registered(
            grant_types=("client_credentials",),
            scopes=("inventory:read",),
            redirect_uris=(),
        )
        async with AsyncOAuth2Client(app.id, app.secret, trust_env=False) as client:
            token = await client.fetch_token(
                f"{running}/oauth/token", grant_type="client_credentials"
            )
            answer = await client.get(f"{running}/v1/inventory/NOTHING")

        assert token["scope"] == "inventory:read"
        assert answer.json()["type"] == "/problems/unknown-stock"
