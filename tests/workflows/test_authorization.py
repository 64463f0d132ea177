from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from cases import cases
from relying import recorded, registered, somebody

from holdfast.domain.oauth import AuthorizationError, AuthorizationRefused
from holdfast.workflows import authorization

__all__ = ["recorded", "registered", "somebody"]


@pytest.fixture
async def app(registered):
    return await registered()


@pytest.fixture
async def person(somebody):
    return await somebody()


@pytest.fixture
def asked(app):
    """The error that a request with these parameters is answered with."""

    async def ask(**changed):
        with pytest.raises(AuthorizationError) as refusal:
            await app.ask(**changed)
        return refusal.value

    return ask


class TestRead:
    async def test_takes_what_a_client_asks_for(self, app):
        request = await app.ask(
            scope="openid  email openid", max_age="60", prompt="login consent"
        )

        assert request.scopes == ("openid", "email")
        assert request.state == "xyz"
        assert request.nonce == "n-0S6"
        assert request.max_age == timedelta(seconds=60)
        assert request.prompt == {"login", "consent"}
        assert not request.silent

    async def test_takes_parameters_without_value_as_left_out(self, app):
        request = await app.ask(state="", nonce="", prompt="", login_hint="")

        assert (request.state, request.nonce, request.login_hint) == (None, None, None)

    @cases(
        ("changed", "error"),
        [
            ({"request": "eyJ"}, "request_not_supported"),
            ({"request_uri": "https://x"}, "request_uri_not_supported"),
            ({"registration": "{}"}, "registration_not_supported"),
            ({"response_type": None}, "invalid_request"),
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": "code id_token"}, "unsupported_response_type"),
            ({"response_mode": "fragment"}, "invalid_request"),
            ({"response_mode": "form_post"}, "invalid_request"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "openid keys:write"}, "invalid_scope"),
            ({"nonce": "x" * 513}, "invalid_request"),
            ({"state": "x" * 2001}, "invalid_request"),
            ({"prompt": "none login"}, "invalid_request"),
            ({"prompt": "hurry"}, "invalid_request"),
            ({"max_age": "-1"}, "invalid_request"),
            ({"max_age": "1e3"}, "invalid_request"),
            ({"max_age": "٣"}, "invalid_request"),
            ({"max_age": "1" * 10}, "invalid_request"),
        ],
    )
    async def test_refuses_at_the_client(self, asked, changed, error):
        refusal = await asked(**changed)

        said = dict(parse_qsl(urlsplit(refusal.redirect_to).query))
        assert refusal.error == said["error"] == error
        assert said["iss"] == "http://shop.test"

    async def test_repeats_no_odd_characters(self, asked):
        refusal = await asked(scope='"\\<ä>\r\n')

        assert refusal.description == "Not a scope of this client: <>"

    async def test_refuses_a_client_that_signs_nobody_in(self, registered):
        app = await registered(
            grant_types=("client_credentials",), scopes=("orders:read",)
        )

        with pytest.raises(AuthorizationError) as refusal:
            await app.ask()
        assert refusal.value.error == "unauthorized_client"

    @pytest.mark.parametrize("client_id", [None, "client_of_nobody"])
    async def test_shows_what_comes_from_nobody_we_know(self, app, client_id):
        with pytest.raises(AuthorizationRefused):
            await app.ask(client_id=client_id)

    async def test_keeps_the_query_of_an_address(self, registered, person):
        app = await registered(redirect_uris=("https://app.example/cb?tenant=7",))

        answer = await app.answer(person)

        assert answer["tenant"] == "7"
        assert answer.keys() == {"tenant", "code", "state", "iss"}


class TestMustSignIn:
    @pytest.mark.parametrize(
        ("changed", "expected"),
        [
            ({}, False),
            ({"prompt": "consent"}, False),
            ({"prompt": "login"}, True),
            ({"prompt": "select_account"}, True),
            ({"max_age": "120"}, False),
            ({"max_age": "119"}, True),
            ({"max_age": "0"}, True),
        ],
    )
    async def test_depends_on_what_is_asked(
        self, app, person, clock, changed, expected
    ):
        request = await app.ask(**changed)
        clock.advance(minutes=2)

        assert authorization.must_sign_in(request, person.session, clock()) is expected

    async def test_is_so_for_a_stranger(self, app, clock):
        assert authorization.must_sign_in(await app.ask(), None, clock())


class TestScopesToConsent:
    @pytest.fixture
    def wanted(self, shop, person):
        async def ask(app, **changed):
            request = await app.ask(**changed)
            return await authorization.scopes_to_consent(
                shop.db, request, person.account_id
            )

        return ask

    async def test_are_all_at_first(self, app, wanted):
        assert await wanted(app, scope="openid orders:own") == ("openid", "orders:own")

    async def test_are_remembered_once_granted(self, app, person, wanted, recorded):
        await app.answer(person, scope="openid")
        await app.answer(person, scope="openid")
        await app.answer(person, scope="email")

        assert await wanted(app, scope="openid email") == ()
        assert await wanted(app, scope="openid profile") == ("openid", "profile")
        assert (await recorded()).count("consent.granted") == 2

    async def test_are_asked_again_if_the_client_wants(self, app, person, wanted):
        await app.answer(person, scope="openid")

        assert await wanted(app, scope="openid", prompt="consent") == ("openid",)

    async def test_are_none_for_the_shops_own(self, registered, wanted):
        app = await registered(first_party=True)

        assert await wanted(app, prompt="consent") == ()

    async def test_are_those_that_the_person_can_give(self, registered, wanted):
        app = await registered(scopes=("openid", "orders:own", "orders:read"))

        assert await wanted(app) == ("openid", "orders:own")
