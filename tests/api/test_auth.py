import pytest

from holdfast.api.auth import REMEMBERED_SECONDS, Keys
from holdfast.domain import identity
from holdfast.kernel import tokens
from holdfast.workflows import keys as workflows


async def whoami(caller: identity.Caller):
    return caller.actor


KEY_OF_NOBODY = tokens.mint(tokens.API_KEY, b"0" * 32)
CART_TOKEN = tokens.mint(tokens.CART, b"0" * 32)


@pytest.fixture
def site(edge, route):
    return edge(
        route("GET", "/v1/open", whoami),
        route("GET", "/v1/closed", whoami, scope="orders:read"),
        route("GET", "/v1/cart", whoami, scope="carts:write", guest=True),
    )


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class TestAnonymous:
    async def test_may_use_what_is_public(self, site):
        assert (await site.client.get("/v1/open")).json() == "anonymous"

    async def test_is_asked_for_credentials_elsewhere(self, site):
        for path in ("/v1/closed", "/v1/cart"):
            answer = await site.client.get(path)
            assert answer.status_code == 401
            assert answer.json()["type"] == "/problems/credentials-missing"
            assert answer.headers["www-authenticate"] == "Bearer"


class TestGuest:
    async def test_may_use_what_is_for_guests(self, site):
        for path in ("/v1/open", "/v1/cart"):
            answer = await site.client.get(path, headers=bearer(CART_TOKEN))
            assert answer.json().startswith("guest:")

    async def test_may_not_use_what_is_for_operators(self, site):
        answer = await site.client.get("/v1/closed", headers=bearer(CART_TOKEN))

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/missing-scope"
        assert answer.json()["scope"] == "orders:read"


class TestCredentials:
    @pytest.mark.parametrize(
        "value",
        [
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "hfk_abc",
            f"Bearer {KEY_OF_NOBODY}",
            f"Bearer {KEY_OF_NOBODY}x",
            f"Bearer {CART_TOKEN[:-1]}",
            "Bearer \xff\xfe",
        ],
    )
    async def test_that_are_wrong_are_refused_even_where_none_are_needed(
        self, site, value
    ):
        for path in ("/v1/open", "/v1/closed"):
            answer = await site.client.get(
                path, headers={"Authorization": value.encode("latin-1")}
            )
            assert answer.status_code == 401
            assert answer.json()["type"] == "/problems/invalid-credentials"
            assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'

    async def test_may_write_bearer_in_any_case(self, site):
        for scheme in ("bearer", "BEARER"):
            headers = {"Authorization": f"{scheme}  {CART_TOKEN} "}
            assert (
                await site.client.get("/v1/cart", headers=headers)
            ).status_code == 200

    async def test_given_twice_are_refused(self, site):
        twice = [("Authorization", f"Bearer {CART_TOKEN}")] * 2

        assert (await site.client.get("/v1/cart", headers=twice)).status_code == 401


class TestOperator:
    async def test_may_what_the_scopes_of_the_key_say(self, client, an_operator):
        headers = await an_operator("keys:read")

        allowed = await client.get("/v1/api-keys", headers=headers)
        refused = await client.post(
            "/v1/api-keys",
            headers=headers,
            json={"name": "x", "scopes": ["orders:read"]},
        )

        assert allowed.status_code == 200
        assert refused.status_code == 403
        assert refused.json()["scope"] == "keys:write"
        assert 'scope="keys:write"' in refused.headers["www-authenticate"]


class TestKeys:
    async def test_are_remembered_and_revoked_ones_forgotten_in_time(
        self, database, vault, clock
    ):
        now = 100.0
        keys = Keys(database, timer=lambda: now)
        key, token = await workflows.create_key(
            database, vault, name="Ada", scopes=["orders:read"], clock=clock
        )
        known = await keys.find(token)
        await workflows.revoke_key(database, vault, key.id, clock=clock)

        now += REMEMBERED_SECONDS - 0.001
        assert await keys.find(token) == known
        now += 0.002
        assert await keys.find(token) is None

    async def test_remember_only_so_many(self, edge):
        site = edge()
        keys = Keys(site.database, limit=3)

        for n in range(10):
            await keys.find(f"hfk_{n}")

        assert len(keys) <= 3
        assert site.database.asked == 10
