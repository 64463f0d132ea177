"""Attacks on the authorization code and refresh token grants, each by its name.

RFC 6749 10, RFC 6819, RFC 7636 7 and RFC 9700 4 describe them.
"""

import asyncio
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from holdfast.domain.identity import Origin
from holdfast.domain.oauth import AuthorizationError, AuthorizationRefused
from holdfast.kernel import tokens
from holdfast.workflows import authorization, clients

CALLBACK = "https://app.example/callback"
LOOPBACK = "http://127.0.0.1/callback"


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


class TestRedirectManipulation:
    @pytest.mark.parametrize(
        "target",
        [
            pytest.param(CALLBACK + "x", id="suffix"),
            pytest.param(CALLBACK + "/more", id="longer-path"),
            pytest.param(CALLBACK + "/", id="slash"),
            pytest.param(CALLBACK[:-1], id="prefix"),
            pytest.param("https://app.example", id="origin"),
            pytest.param("https://app.example/Callback", id="case-of-path"),
            pytest.param("https://APP.example/callback", id="case-of-host"),
            pytest.param("HTTPS://app.example/callback", id="case-of-scheme"),
            pytest.param("http://app.example/callback", id="http"),
            pytest.param("https://app.example/x/../callback", id="path-traversal"),
            pytest.param("https://app.example/%63allback", id="escaped"),
            pytest.param("https://app.example@evil.example/callback", id="user"),
            pytest.param("https://evil.example@app.example/callback", id="as-user"),
            pytest.param("https://app.example.evil.example/callback", id="subdomain"),
            pytest.param("https://evil.example/https://app.example/callback", id="in"),
            pytest.param("https://app.example\\@evil.example/callback", id="backslash"),
            pytest.param(CALLBACK + "#", id="empty-fragment"),
            pytest.param(CALLBACK + "#@evil.example", id="fragment"),
            pytest.param("https://app.example:443/callback", id="default-port"),
            pytest.param("https://app.example:8443/callback", id="port"),
            pytest.param(CALLBACK + "?next=https://evil.example", id="query"),
            pytest.param(CALLBACK + "?", id="empty-query"),
            pytest.param(" " + CALLBACK, id="space"),
            pytest.param(CALLBACK + "\n", id="line"),
            pytest.param("//evil.example/callback", id="no-scheme"),
            pytest.param("javascript:alert(1)", id="script"),
            pytest.param("https://evil.example/", id="open-redirect"),
        ],
    )
    async def test_is_shown_and_sent_nowhere(self, app, target):
        with pytest.raises(AuthorizationRefused):
            await app.ask(redirect_uri=target)

    async def test_by_leaving_it_out_is_refused(self, app):
        with pytest.raises(AuthorizationRefused):
            await app.ask(redirect_uri=None)

    async def test_with_another_fault_is_sent_nowhere_either(self, app):
        with pytest.raises(AuthorizationRefused):
            await app.ask(redirect_uri="https://evil.example/", scope="everything")

    @pytest.mark.parametrize(
        "target",
        [
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:999999/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:8000/other",
            "https://127.0.0.1:8000/callback",
            "http://localhost:8000/callback",
            "http://127.1:8000/callback",
            "http://[::1]:8000/callback",
        ],
    )
    async def test_of_the_free_port_of_a_loopback_is_refused(self, registered, target):
        app = await registered(kind="public", redirect_uris=(LOOPBACK,))

        with pytest.raises(AuthorizationRefused):
            await app.ask(redirect_uri=target)

    async def test_of_the_port_is_for_public_clients_on_loopback_alone(
        self, registered
    ):
        native = await registered(kind="public", redirect_uris=(LOOPBACK,))
        server = await registered(redirect_uris=(LOOPBACK,))

        moved = "http://127.0.0.1:49152/callback"
        assert (await native.ask(redirect_uri=moved)).redirect_uri == moved
        with pytest.raises(AuthorizationRefused):
            await server.ask(redirect_uri=moved)

    async def test_by_the_state_stays_a_parameter(self, app, person):
        state = "x&code=stolen#@evil.example\r\nSet-Cookie: a=b"

        request = await app.ask(state=state)
        url = authorization.refuse(request)

        assert url.startswith(CALLBACK + "?")
        assert dict(parse_qsl(urlsplit(url).query))["state"] == state
        assert "\r" not in url


class TestCodeReplay:
    async def test_ends_what_the_code_had_opened(self, app, person, works, recorded):
        code = await app.code(person)
        said = (await app.redeem(code)).json()

        again = await app.redeem(code)

        assert again.status_code == 400
        assert again.json()["error"] == "invalid_grant"
        assert not await works(said["access_token"])
        assert (await app.refresh(said["refresh_token"])).status_code == 400
        assert (await recorded())[-1] == "authorization_code.reused"

    async def test_is_recorded_once(self, app, person, recorded):
        code = await app.code(person)
        for _ in range(4):
            await app.redeem(code)

        assert (await recorded()).count("authorization_code.reused") == 1

    async def test_without_the_verifier_is_noticed_too(self, app, person, works):
        code = await app.code(person)
        said = (await app.redeem(code)).json()

        await app.redeem(code, code_verifier="x" * 43)

        assert not await works(said["access_token"])

    async def test_at_once_gives_tokens_once(self, app, person):
        code = await app.code(person)

        async with asyncio.TaskGroup() as tries:
            answers = [tries.create_task(app.redeem(code)) for _ in range(8)]

        statuses = sorted(answer.result().status_code for answer in answers)
        assert statuses == [200] + [400] * 7

    async def test_after_its_minute_is_refused(self, app, person, clock):
        code = await app.code(person)
        clock.advance(seconds=60)

        assert (await app.redeem(code)).json()["error"] == "invalid_grant"


class TestCodeInjection:
    async def test_into_another_client_is_refused(self, app, thief, person):
        code = await app.code(person)

        assert (await thief.redeem(code)).json()["error"] == "invalid_grant"
        assert (await app.redeem(code)).status_code == 200

    async def test_of_a_used_code_by_another_client_ends_nothing(
        self, app, thief, person, works
    ):
        code = await app.code(person)
        said = (await app.redeem(code)).json()

        await thief.redeem(code)

        assert await works(said["access_token"])

    async def test_with_another_redirect_uri_is_refused(self, registered, person):
        other = "https://app.example/other"
        app = await registered(redirect_uris=(CALLBACK, other))
        code = await app.code(person)

        answer = await app.redeem(code, redirect_uri=other)

        assert answer.json()["error"] == "invalid_grant"

    @pytest.mark.parametrize(
        "verifier",
        [
            "another-verifier-that-is-long-enough-to-be-one",
            "short",
            "x" * 129,
            "ä" * 43,
        ],
    )
    async def test_with_another_verifier_is_refused(self, app, person, verifier):
        answer = await app.redeem(await app.code(person), code_verifier=verifier)

        assert answer.json()["error"] == "invalid_grant"

    async def test_with_the_challenge_as_verifier_is_refused(self, app, person):
        challenge = (await app.ask()).code_challenge

        answer = await app.redeem(await app.code(person), code_verifier=challenge)

        assert answer.json()["error"] == "invalid_grant"

    async def test_without_a_verifier_is_refused(self, app, person):
        answer = await app.redeem(await app.code(person), code_verifier=None)

        assert answer.json()["error"] == "invalid_request"

    @pytest.mark.parametrize("prefix", [tokens.REFRESH, tokens.API_KEY])
    async def test_of_another_kind_of_token_is_refused(self, app, prefix):
        answer = await app.redeem(tokens.new_token(prefix))

        assert answer.json()["error"] == "invalid_grant"


class TestPkceDowngrade:
    @pytest.mark.parametrize(
        "changed",
        [
            pytest.param({"code_challenge_method": "plain"}, id="plain"),
            pytest.param({"code_challenge_method": None}, id="no-method"),
            pytest.param({"code_challenge_method": "s256"}, id="small-letters"),
            pytest.param({"code_challenge": None}, id="no-challenge"),
            pytest.param({"code_challenge": ""}, id="empty"),
            pytest.param({"code_challenge": "x" * 42}, id="short"),
            pytest.param({"code_challenge": "x" * 129}, id="long"),
            pytest.param({"code_challenge": "=" * 43}, id="padding"),
            pytest.param(
                {"code_challenge": None, "code_challenge_method": None}, id="none"
            ),
        ],
    )
    @pytest.mark.parametrize("kind", ["public", "confidential"])
    async def test_is_refused(self, registered, kind, changed):
        app = await registered(kind=kind)

        with pytest.raises(AuthorizationError) as refusal:
            await app.ask(**changed)

        assert refusal.value.error == "invalid_request"


class TestMixUp:
    async def test_is_told_by_the_issuer_of_a_success(self, app, person):
        assert (await app.answer(person))["iss"] == "http://shop.test"

    async def test_is_told_by_the_issuer_of_an_error(self, app):
        with pytest.raises(AuthorizationError) as refusal:
            await app.ask(response_type="token")

        url = urlsplit(refusal.value.redirect_to)
        assert f"{url.scheme}://{url.netloc}{url.path}" == CALLBACK
        assert dict(parse_qsl(url.query)) == {
            "error": "unsupported_response_type",
            "error_description": "response_type must be code",
            "state": "xyz",
            "iss": "http://shop.test",
        }

    async def test_is_told_by_the_issuer_of_a_refusal(self, app):
        url = urlsplit(authorization.refuse(await app.ask()))

        assert parse_qs(url.query)["iss"] == ["http://shop.test"]
        assert parse_qs(url.query)["error"] == ["access_denied"]


class TestRefreshReuse:
    async def test_ends_the_family(self, app, person, clock, works, recorded):
        first = await app.sign_in(person)
        second = (await app.refresh(first["refresh_token"])).json()
        clock.advance(seconds=11)

        stolen = await app.refresh(first["refresh_token"])

        assert stolen.status_code == 400
        assert stolen.json()["error"] == "invalid_grant"
        assert (await app.refresh(second["refresh_token"])).status_code == 400
        assert not await works(second["access_token"])
        assert (await recorded()).count("refresh_token.reused") == 1

    async def test_by_another_client_is_refused(self, app, thief, person):
        said = await app.sign_in(person)

        stolen = await thief.refresh(said["refresh_token"])

        assert stolen.json()["error"] == "invalid_grant"
        assert (await app.refresh(said["refresh_token"])).status_code == 200

    async def test_of_a_public_clients_is_noticed_too(self, registered, person, clock):
        app = await registered(kind="public")
        first = await app.sign_in(person)
        second = (await app.refresh(first["refresh_token"])).json()
        clock.advance(minutes=1)
        await app.refresh(first["refresh_token"])

        assert (await app.refresh(second["refresh_token"])).status_code == 400

    async def test_of_an_expired_token_is_refused(self, app, person, clock):
        said = await app.sign_in(person)
        clock.advance(days=30)

        assert (await app.refresh(said["refresh_token"])).status_code == 400


class TestRefreshRace:
    async def test_within_ten_seconds_is_no_attack(self, app, person, clock, recorded):
        first = await app.sign_in(person)

        async with asyncio.TaskGroup() as at_once:
            twice = [
                at_once.create_task(app.refresh(first["refresh_token"]))
                for _ in range(4)
            ]
        clock.advance(seconds=10)
        late = await app.refresh(first["refresh_token"])

        answers = [*(task.result() for task in twice), late]
        assert [answer.status_code for answer in answers] == [200] * 5
        children = {answer.json()["refresh_token"] for answer in answers}
        assert len(children) == 5
        assert "refresh_token.reused" not in await recorded()
        for child in children:
            assert (await app.refresh(child)).status_code == 200

    async def test_does_not_make_the_grace_longer(self, app, person, clock):
        token = (await app.sign_in(person))["refresh_token"]
        for _ in range(3):
            answer = await app.refresh(token)
            clock.advance(seconds=4)

        assert answer.status_code == 200
        assert (await app.refresh(token)).status_code == 400


class TestScopeWidening:
    async def test_at_refresh_is_refused_and_spends_nothing(self, app, person):
        token = (await app.sign_in(person, scope="orders:own offline_access"))[
            "refresh_token"
        ]

        wider = await app.refresh(token, scope="orders:own email")

        assert wider.json()["error"] == "invalid_scope"
        assert (await app.refresh(token)).status_code == 200

    async def test_beyond_the_client_is_refused(self, app):
        with pytest.raises(AuthorizationError) as refusal:
            await app.ask(scope="openid account:write")

        assert refusal.value.error == "invalid_scope"

    async def test_beyond_the_person_is_left_out(self, registered, person):
        app = await registered(scopes=("openid", "roles:write"))

        assert (await app.sign_in(person))["scope"] == "openid"

    async def test_with_nothing_left_gives_no_code(self, registered, person):
        app = await registered(scopes=("roles:write",))

        assert (await app.answer(person))["error"] == "access_denied"

    async def test_by_a_redemption_that_names_more_is_ignored(self, app, person):
        code = await app.code(person, scope="openid")

        answer = await app.redeem(code, scope="openid email orders:own")

        assert answer.json()["scope"] == "openid"


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
