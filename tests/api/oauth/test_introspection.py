import pytest

from holdfast.kernel import tokens

INACTIVE = {"active": False}


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
async def said(app, person):
    return await app.sign_in(person)


@pytest.fixture
def asked(client, an_operator):
    """What an operator with these scopes is told of a token."""

    async def ask(token, *scopes):
        headers = await an_operator(*scopes)
        return await client.post(
            "/oauth/introspect", data={"token": token}, headers=headers
        )

    return ask


class TestAccessToken:
    async def test_is_told_of_to_its_client(self, app, said, person, clock):
        answer = await app.post("/oauth/introspect", token=said["access_token"])

        now = int(clock().timestamp())
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json() == {
            "active": True,
            "scope": "email offline_access openid orders:own profile",
            "client_id": app.id,
            "sub": str(person.account_id),
            "username": person.email,
            "token_type": "Bearer",
            "exp": now + 600,
            "iat": now,
            "iss": "http://shop.test",
            "aud": "http://shop.test",
        }

    async def test_names_the_person_only_to_who_may_know(self, app, person):
        said = await app.sign_in(person, scope="openid orders:own")

        answer = await app.post("/oauth/introspect", token=said["access_token"])

        assert "username" not in answer.json()

    async def test_of_a_client_itself_stands_for_the_client(self, registered):
        service = await registered(
            grant_types=("client_credentials",),
            scopes=("orders:read",),
            redirect_uris=(),
        )
        token = (await service.token(grant_type="client_credentials")).json()

        answer = await service.post("/oauth/introspect", token=token["access_token"])

        assert answer.json()["sub"] == service.id

    async def test_is_inactive_once_it_expired(self, app, said, clock):
        clock.advance(minutes=10)

        answer = await app.post("/oauth/introspect", token=said["access_token"])

        assert answer.json() == INACTIVE

    async def test_is_inactive_once_it_was_revoked(self, app, said):
        await app.post("/oauth/revoke", token=said["access_token"])

        answer = await app.post("/oauth/introspect", token=said["access_token"])

        assert answer.json() == INACTIVE

    @pytest.mark.parametrize("token", ["x", "a.b.c", tokens.mint("hfk_", b"\0" * 32)])
    async def test_that_is_none_is_inactive(self, app, token):
        answer = await app.post("/oauth/introspect", token=token)

        assert answer.json() == INACTIVE


class TestRefreshToken:
    async def test_is_told_of_to_its_client(self, app, said, person, clock):
        answer = await app.post("/oauth/introspect", token=said["refresh_token"])

        now = int(clock().timestamp())
        told = answer.json()
        assert told["active"] is True
        assert told["sub"] == str(person.account_id)
        assert told["exp"] == now + 30 * 86_400
        assert "token_type" not in told

    async def test_is_not_used_by_asking(self, app, said):
        await app.post("/oauth/introspect", token=said["refresh_token"])

        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_is_inactive_once_used(self, app, said):
        await app.refresh(said["refresh_token"])

        answer = await app.post("/oauth/introspect", token=said["refresh_token"])

        assert answer.json() == INACTIVE


class TestAsker:
    async def test_is_told_nothing_of_another_clients(self, registered, said):
        other = await registered()

        for name in ("access_token", "refresh_token"):
            answer = await other.post("/oauth/introspect", token=said[name])
            assert answer.json() == INACTIVE

    async def test_may_be_a_service_of_the_shops_own(self, registered, said):
        own = await registered(first_party=True)

        answer = await own.post("/oauth/introspect", token=said["access_token"])

        assert answer.json()["active"] is True

    async def test_may_be_an_operator_who_may_see_sessions(self, asked, said):
        answer = await asked(said["access_token"], "users:read")

        assert answer.json()["active"] is True

    async def test_whose_key_is_used_is_on_record(self, asked, said, shop):
        await asked(said["access_token"], "users:read")
        await shop.key_uses.close()

        events = await shop.db.fetch(
            "SELECT kind FROM security_events WHERE kind = 'api_key.used'"
        )
        assert len(events) == 1

    async def test_is_refused_with_a_key_for_something_else(self, asked, said):
        answer = await asked(said["access_token"], "orders:read")

        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"

    async def test_is_no_public_client(self, registered, said):
        app = await registered(kind="public")

        answer = await app.post("/oauth/introspect", token=said["access_token"])

        assert answer.json()["error"] == "invalid_client"

    async def test_is_nobody_in_particular(self, client, said):
        token = said["access_token"]
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            answer = await client.post(
                "/oauth/introspect", data={"token": token}, headers=headers
            )
            assert answer.status_code == 401
