"""Attacks on the authorization code and refresh token grants, each by its name.

RFC 6749 10, RFC 6819, RFC 7636 7 and RFC 9700 4 describe them.
"""

import asyncio
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from cases import cases

from holdfast.domain import accounts
from holdfast.domain.oauth import AuthorizationError, AuthorizationRefused
from holdfast.kernel import tokens
from holdfast.workflows import authorization

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
    @cases(
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

    @cases(
        "target",
        [
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:999999/callback",
            "http://127.0.0.1:\uff18\uff10/callback",
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

    async def test_while_all_sessions_are_being_ended_opens_none(
        self, app, person, promised, shop, clock
    ):
        code, account_id = await app.code(person), person.account_id

        async def waits():
            return await shop.db.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE "
                "datname = current_database() AND wait_event_type = 'Lock')"
            )

        async with asyncio.TaskGroup() as group, shop.db.transaction() as tx:
            phc = await shop.hasher.hash("chosen by the owner")
            await accounts.set_password(tx, shop.vault, account_id, phc, clock())
            await accounts.end_sessions(
                tx, account_id, reason="password_reset", at=clock()
            )
            redeeming = group.create_task(app.redeem(code))
            await promised(waits)

        assert redeeming.result().json()["error"] == "invalid_grant"
        left = await accounts.sessions_of(shop.db, shop.vault, account_id, clock())
        assert left == []

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
    @cases(
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
    @cases("kind", ["public", "confidential"])
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
