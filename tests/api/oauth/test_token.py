import base64
from datetime import timedelta

import pytest
from cases import cases

from holdfast.domain import accounts, oauth
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.workflows import clients

SERVICE = {
    "grant_types": ("client_credentials",),
    "redirect_uris": (),
    "scopes": ("orders:read", "inventory:read"),
}


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
def claims(shop, clock):
    """What an access token says."""

    async def read(token):
        issuer = shop.settings.public_url
        return await oauth.verify(token, keys=shop.keyring, issuer=issuer, at=clock())

    return read


class TestAuthorizationCode:
    async def test_gives_all_that_was_granted(self, app, person, claims):
        answer = await app.redeem(await app.code(person))

        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        said = answer.json()
        assert said["token_type"] == "Bearer"
        assert said["expires_in"] == 600
        assert said["scope"].split() == sorted(app.client.scopes)
        assert tokens.plausible(said["refresh_token"], tokens.REFRESH)
        told = await claims(said["access_token"])
        assert told.account_id == person.account_id
        assert told.client_id == app.id
        assert told.scopes == set(app.client.scopes)

    async def test_gives_no_more_than_the_person_may_do(self, registered, person):
        app = await registered(scopes=("orders:own", "orders:read", "users:write"))

        assert (await app.sign_in(person))["scope"] == "orders:own"

    async def test_gives_an_id_token_on_openid_alone(self, app, person):
        assert "id_token" in await app.sign_in(person)
        assert "id_token" not in await app.sign_in(person, scope="orders:own")

    async def test_gives_no_refresh_token_unasked(self, app, person, clock, client):
        said = await app.sign_in(person, scope="openid email")
        headers = {"Authorization": f"Bearer {said['access_token']}"}

        assert "refresh_token" not in said
        assert (await client.get("/oauth/userinfo", headers=headers)).is_success

    async def test_gives_the_shops_own_a_refresh_token_always(self, registered, person):
        app = await registered(first_party=True)

        assert "refresh_token" in await app.sign_in(person, scope="openid")

    async def test_gives_none_to_a_client_without_that_grant(self, registered, person):
        app = await registered(grant_types=("authorization_code",))

        assert "refresh_token" not in await app.sign_in(person)

    async def test_takes_a_public_client_by_its_id(self, registered, person):
        app = await registered(kind="public")

        assert "access_token" in await app.sign_in(person)

    async def test_is_refused_once_the_browser_signed_out(
        self, app, person, shop, clock
    ):
        code = await app.code(person)
        async with shop.db.transaction() as tx:
            await accounts.end_session(
                tx, person.session.id, reason="signed_out", at=clock()
            )

        assert (await app.redeem(code)).json()["error"] == "invalid_grant"

    @pytest.mark.parametrize("missing", ["code", "redirect_uri", "code_verifier"])
    async def test_says_what_is_missing(self, app, person, missing):
        answer = await app.redeem(await app.code(person), **{missing: None})

        assert answer.status_code == 400
        assert answer.json() == {
            "error": "invalid_request",
            "error_description": f"{missing} is missing",
        }

    async def test_ignores_what_it_does_not_know(self, app, person):
        answer = await app.redeem(await app.code(person), resource="https://x.example")

        assert answer.status_code == 200


class TestRefresh:
    async def test_gives_new_tokens(self, app, person, claims, clock):
        first = await app.sign_in(person)
        clock.advance(minutes=9)

        answer = await app.refresh(first["refresh_token"])

        said = answer.json()
        assert said["refresh_token"] != first["refresh_token"]
        assert said["scope"] == first["scope"]
        before, after = [await claims(t["access_token"]) for t in (first, said)]
        assert after.session_id == before.session_id
        assert after.issued_at - before.issued_at == timedelta(minutes=9)

    async def test_may_ask_for_less_and_later_for_all_again(self, app, person):
        first = await app.sign_in(person)

        less = (await app.refresh(first["refresh_token"], scope="orders:own")).json()
        again = (await app.refresh(less["refresh_token"])).json()

        assert less["scope"] == "orders:own"
        assert "id_token" not in less
        assert again["scope"] == first["scope"]

    async def test_slides_for_a_month_from_each_use(self, app, person, clock):
        token = (await app.sign_in(person))["refresh_token"]
        for _ in range(2):
            clock.advance(days=29)
            token = (await app.refresh(token)).json()["refresh_token"]
        clock.advance(days=30)

        assert (await app.refresh(token)).json()["error"] == "invalid_grant"

    async def test_ends_after_90_days_whatever_happens(self, app, person, clock):
        token = (await app.sign_in(person))["refresh_token"]
        for _ in range(3):
            clock.advance(days=29)
            token = (await app.refresh(token)).json()["refresh_token"]
        clock.advance(days=3)

        assert (await app.refresh(token)).json()["error"] == "invalid_grant"

    async def test_gives_what_the_client_may_still_have(self, app, person, shop):
        token = (await app.sign_in(person))["refresh_token"]
        await clients.change(
            *(shop.db, shop.vault, app.id),
            clients.Changes(scopes=("openid", "email")),
            giver=None,
            origin=Origin(),
            clock=shop.clock,
        )

        assert (await app.refresh(token)).json()["scope"] == "email openid"

    async def test_is_refused_when_the_account_is_disabled(
        self, app, person, shop, clock
    ):
        token = (await app.sign_in(person))["refresh_token"]
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, person.account_id, clock())

        assert (await app.refresh(token)).json()["error"] == "invalid_grant"


class TestClientCredentials:
    async def test_gives_a_token_of_the_clients_own(self, registered, claims, client):
        app = await registered(**SERVICE)

        said = (await app.token(grant_type="client_credentials")).json()

        assert said.keys() == {"access_token", "token_type", "expires_in", "scope"}
        assert said["scope"] == "inventory:read orders:read"
        told = await claims(said["access_token"])
        assert told.account_id is None
        headers = {"Authorization": f"Bearer {said['access_token']}"}
        answer = await client.get("/v1/inventory/NOTHING", headers=headers)
        assert answer.json()["type"] == "/problems/unknown-stock"

    async def test_gives_what_is_asked_for(self, registered):
        app = await registered(**SERVICE)

        answer = await app.token(grant_type="client_credentials", scope="orders:read")

        assert answer.json()["scope"] == "orders:read"

    async def test_is_nothing_for_a_client_that_only_serves_people(self, registered):
        app = await registered(
            grant_types=("authorization_code", "client_credentials"),
            scopes=("openid",),
        )

        answer = await app.token(grant_type="client_credentials")

        assert answer.json()["error"] == "invalid_scope"


class TestClients:
    async def test_may_send_their_secret_in_the_form(self, app, person, client):
        code = await app.code(person)
        app.auth = None

        answer = await app.redeem(code, client_secret=app.secret)

        assert answer.status_code == 200

    async def test_may_name_themselves_twice_alike(self, app, person):
        answer = await app.redeem(await app.code(person), client_id=app.id)

        assert answer.status_code == 200

    async def test_write_both_parts_of_the_header_as_in_a_form(self, app, client):
        odd = "".join(f"%{byte:02X}" for byte in app.id.encode())
        header = base64.b64encode(f"{odd}:{app.secret}".encode()).decode()

        answer = await client.post(
            "/oauth/token",
            data={"grant_type": "refresh_token", "refresh_token": "x"},
            headers={"Authorization": f"Basic {header}"},
        )

        assert answer.json()["error"] == "invalid_grant"

    async def test_that_used_the_header_are_told_how(self, app):
        app.auth = (app.id, "wrong")

        answer = await app.token(grant_type="refresh_token", refresh_token="x")

        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        assert answer.headers["www-authenticate"].startswith("Basic realm=")

    @cases(
        "header",
        ["Basic", "Basic !", "Basic eA==", "Bearer x", "Basic /w==", "Basic JTAwOng="],
    )
    async def test_are_refused_with_a_header_that_names_nobody(self, client, header):
        answer = await client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            headers={"Authorization": header},
        )

        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"

    async def test_are_refused_without_a_name(self, client):
        answer = await client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}
        )

        assert answer.status_code == 401
        assert "www-authenticate" not in answer.headers

    async def test_use_the_grants_they_were_registered_for(self, app):
        answer = await app.token(grant_type="client_credentials")

        assert answer.status_code == 400
        assert answer.json()["error"] == "unauthorized_client"


class TestRequests:
    @pytest.mark.parametrize("grant", ["password", "implicit", "magic"])
    async def test_for_another_grant_are_refused(self, app, grant):
        answer = await app.token(grant_type=grant, username="ada", password="x")

        assert answer.json()["error"] == "unsupported_grant_type"

    async def test_with_a_parameter_twice_are_refused(self, client):
        answer = await client.post(
            "/oauth/token",
            content="grant_type=refresh_token&grant_type=password",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert answer.status_code == 400
        assert answer.json() == {
            "error": "invalid_request",
            "error_description": "grant_type: Given more than once",
        }

    @cases(
        ("body", "kind"),
        [
            ("{}", "application/json"),
            ("a=%ff", "application/x-www-form-urlencoded"),
            ("grant_type=", "application/x-www-form-urlencoded"),
            ("", "application/x-www-form-urlencoded"),
        ],
    )
    async def test_that_are_no_form_are_refused(self, client, body, kind):
        answer = await client.post(
            "/oauth/token?client_id=x", content=body, headers={"Content-Type": kind}
        )

        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ("invalid_request", "invalid_client")
        assert answer.headers["content-type"] == "application/json"

    async def test_are_put_off_while_the_database_is_away(self, app, shop):
        await shop.db.close()

        answer = await app.token(grant_type="client_credentials")

        assert answer.status_code == 503
        assert answer.json()["error"] == "temporarily_unavailable"
        assert answer.headers["retry-after"] == "1"


class TestForgetting:
    async def test_leaves_what_can_still_be_sent(self, app, person, shop, clock):
        said = await app.sign_in(person)
        clock.advance(days=29)

        async with shop.db.transaction() as tx:
            codes = await oauth.forget_codes(tx, now=clock(), limit=9)
            refresh = await oauth.forget_refresh_tokens(tx, now=clock(), limit=9)

        assert (codes, refresh) == (1, 0)
        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_takes_what_has_expired(self, app, person, shop, clock):
        await app.sign_in(person)
        clock.advance(days=31)

        async with shop.db.transaction() as tx:
            assert await oauth.forget_refresh_tokens(tx, now=clock(), limit=9) == 1
