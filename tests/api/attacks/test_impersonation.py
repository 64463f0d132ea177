"""Attacks by clients that pretend to be others, or more than they are."""

import httpx
import pytest

from holdfast.domain.identity import Origin
from holdfast.domain.oauth import AuthorizationRefused
from holdfast.kernel import tokens
from holdfast.workflows import clients


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def thief(registered):
    """Another client, as good as any."""
    return await registered(name="Thief")


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
def works(client):
    """Whether an access token still opens anything."""

    async def ask(token):
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.get("/oauth/userinfo", headers=headers)).is_success

    return ask


class TestClientImpersonation:
    async def test_by_guessing_the_secret_is_refused(self, app, person):
        code = await app.code(person)
        right = app.secret
        for guess in ("", "x", right[:-1], right + "x", tokens.new_token("hfs_")):
            app.auth = (app.id, guess)
            answer = await app.redeem(code)
            assert answer.status_code == 401, guess
            assert answer.json()["error"] == "invalid_client"

        app.auth = (app.id, right)
        assert (await app.redeem(code)).status_code == 200

    async def test_tells_unknown_clients_like_wrong_secrets(self, app, client):
        said = []
        for who in (app.id, "client_of_nobody"):
            app.auth = (who, tokens.new_token(tokens.CLIENT_SECRET))
            answer = await app.token(grant_type="client_credentials")
            said.append((answer.status_code, answer.json()))

        assert said[0] == said[1]

    async def test_by_the_id_alone_is_refused(self, app, person):
        code = await app.code(person)
        app.auth = None

        assert (await app.redeem(code)).json()["error"] == "invalid_client"

    async def test_by_a_public_client_that_pretends_is_refused(self, registered):
        app = await registered(kind="public")
        app.auth = (app.id, tokens.new_token(tokens.CLIENT_SECRET))

        answer = await app.token(grant_type="refresh_token", refresh_token="x")

        assert answer.json()["error"] == "invalid_client"

    async def test_by_two_ways_at_once_is_refused(self, app, person):
        answer = await app.redeem(await app.code(person), client_secret=app.secret)

        assert answer.json()["error"] == "invalid_request"

    async def test_by_two_headers_is_refused_in_the_words_of_oauth(self, app, client):
        one = httpx.BasicAuth(*app.auth).auth_flow(httpx.Request("GET", "http://x/"))
        header = ("authorization", next(one).headers["authorization"])
        for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
            answer = await client.post(path, data={"a": "b"}, headers=[header, header])

            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_request"

    async def test_by_two_names_is_refused(self, app, thief, person):
        answer = await app.redeem(await app.code(person), client_id=thief.id)

        assert answer.json()["error"] == "invalid_request"

    @pytest.mark.parametrize("name", ["client_secret", "code", "refresh_token"])
    async def test_with_a_secret_in_the_address_is_refused(self, app, name):
        answer = await app.post(f"/oauth/token?{name}=x", grant_type="refresh_token")

        assert answer.status_code == 400
        assert answer.json()["error_description"] == f"{name} belongs into the body"

    async def test_after_the_secret_was_changed_is_refused(self, app, shop, person):
        code = await app.code(person)
        await clients.rotate_secret(
            shop.db, shop.vault, app.id, giver=None, origin=Origin(), clock=shop.clock
        )

        assert (await app.redeem(code)).json()["error"] == "invalid_client"


class TestClientOnItsOwn:
    async def test_asking_for_a_persons_scope_is_refused(self, registered):
        app = await registered(
            grant_types=("client_credentials", "authorization_code"),
            scopes=("openid", "orders:own", "orders:read"),
        )

        for scope in ("orders:own", "openid", "orders:read orders:own"):
            answer = await app.token(grant_type="client_credentials", scope=scope)
            assert answer.json()["error"] == "invalid_scope"

    async def test_asking_for_more_than_registered_is_refused(self, registered):
        app = await registered(
            grant_types=("client_credentials",),
            scopes=("orders:read",),
            redirect_uris=(),
        )

        answer = await app.token(grant_type="client_credentials", scope="keys:write")

        assert answer.json()["error"] == "invalid_scope"


class TestDisabledClient:
    @pytest.fixture
    def disable(self, app, shop):
        async def end():
            await clients.disable(
                *(shop.db, shop.vault, app.id),
                actor="test",
                origin=Origin(),
                clock=shop.clock,
            )

        return end

    async def test_signs_nobody_in(self, app, disable):
        await disable()

        with pytest.raises(AuthorizationRefused):
            await app.ask()

    async def test_gets_no_tokens(self, app, person, disable):
        code, said = await app.code(person), await app.sign_in(person)
        await disable()

        assert (await app.redeem(code)).json()["error"] == "invalid_client"
        answer = await app.refresh(said["refresh_token"])
        assert answer.json()["error"] == "invalid_client"

    async def test_has_tokens_that_open_nothing(self, app, person, disable, works):
        said = await app.sign_in(person)
        await disable()

        assert not await works(said["access_token"])


class TestStolenRegistration:
    async def test_an_address_that_was_taken_away_gets_no_tokens(
        self, app, person, shop
    ):
        code = await app.code(person)
        await clients.change(
            *(shop.db, shop.vault, app.id),
            clients.Changes(redirect_uris=("https://new.example/callback",)),
            giver=None,
            origin=Origin(),
            clock=shop.clock,
        )

        assert (await app.redeem(code)).json()["error"] == "invalid_grant"


class TestScopeTakenFromTheClient:
    @pytest.fixture
    def leave(self, app, shop):
        async def change(*scopes):
            await clients.change(
                *(shop.db, shop.vault, app.id),
                clients.Changes(scopes=scopes),
                giver=None,
                origin=Origin(),
                clock=shop.clock,
            )

        return change

    async def test_tells_it_no_more_of_the_person(
        self, app, person, leave, client, clock
    ):
        said = await app.sign_in(person)
        headers = {"Authorization": f"Bearer {said['access_token']}"}
        before = await client.get("/oauth/userinfo", headers=headers)
        await leave("openid")
        clock.advance(seconds=5)
        after = await client.get("/oauth/userinfo", headers=headers)

        assert before.json()["email"] == person.email
        assert after.json() == {"sub": str(person.account_id)}

    async def test_is_not_had_for_a_code_of_before(self, app, person, leave):
        code = await app.code(person)
        await leave("openid", "orders:own")

        said = (await app.redeem(code)).json()

        assert set(said["scope"].split()) == {"openid", "orders:own"}
        assert "refresh_token" not in said

    async def test_leaves_nothing_of_a_code_for_it_alone(self, app, person, leave):
        code = await app.code(person, scope="orders:own")
        await leave("openid")

        assert (await app.redeem(code)).json()["error"] == "invalid_scope"
