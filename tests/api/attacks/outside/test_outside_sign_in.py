"""Attacks on signing in by another site's word, one test an attack."""

import pytest
from cases import cases
from elsewhere import CLIENT_ID, SECRET
from joserfc.jwk import ECKey
from visitors import ADA, PASSWORD

from holdfast.domain import accounts

REFUSED = "The other site did not sign you in"


async def accounts_of(shop):
    page = await accounts.browse(shop.db, shop.vault, after=None, limit=10)
    return page.items


class TestHonest:
    async def test_the_same_answer_without_a_lie_is_believed(self, liar, traveller):
        await liar.come_back(traveller)

        assert traveller.path == "/sign-in/join"

    async def test_sends_the_secret_as_the_provider_wants_it(self, liar, traveller):
        await liar.come_back(traveller)
        header, form = liar.redeemed
        assert header.startswith("Basic ")
        assert "client_secret" not in form
        assert len(form["code_verifier"]) >= 43

    async def test_sends_it_in_the_form_where_that_is_the_only_way(
        self, liar, traveller
    ):
        methods = ["client_secret_post"]
        liar.metadata = {"token_endpoint_auth_methods_supported": methods}

        await liar.come_back(traveller)

        header, form = liar.redeemed
        assert header == ""
        assert form["client_secret"] == SECRET
        assert traveller.path == "/sign-in/join"


class TestState:
    @pytest.mark.parametrize("state", ["", "x", "the-state"])
    async def test_an_answer_to_no_question_is_refused(self, liar, traveller, state):
        await liar.come_back(traveller, state=state)

        assert traveller.status == 403
        assert traveller.page.heading.startswith(REFUSED)
        assert "/token" not in liar.asked

    async def test_the_state_of_another_browser_opens_nothing(
        self, liar, traveller, a_browser
    ):
        # Mallory signs in as himself and has Ada follow the link back: she would go
        # on in his account.
        await liar.come_back(traveller, state="x")
        victim = await a_browser()

        await victim.open(
            "/sign-in/with/elsewhere/callback",
            code="a-code",
            state=liar.requests["state"],
        )

        assert victim.status == 403
        assert victim.cookie("session") is None
        assert "/token" not in liar.asked

    async def test_an_answer_does_for_one_sign_in(self, liar, traveller):
        await liar.come_back(traveller)

        await traveller.open(
            "/sign-in/with/elsewhere/callback",
            code="a-code",
            state=liar.requests["state"],
        )

        assert traveller.status == 403

    async def test_an_answer_that_took_too_long_is_refused(
        self, liar, traveller, clock
    ):
        await liar.come_back(traveller, state="x")
        clock.advance(minutes=11)

        await traveller.open(
            "/sign-in/with/elsewhere/callback",
            code="a-code",
            state=liar.requests["state"],
        )

        assert traveller.status == 403


class TestMixUp:
    async def test_the_answer_of_another_issuer_is_refused(self, liar, traveller):
        await liar.come_back(traveller, iss="https://honest.example")

        assert traveller.status == 403
        assert "/token" not in liar.asked

    async def test_an_answer_without_the_issuer_that_was_promised_is_refused(
        self, liar, traveller
    ):
        liar.metadata = {"authorization_response_iss_parameter_supported": True}

        await liar.come_back(traveller)

        assert traveller.status == 403
        assert "/token" not in liar.asked

    async def test_metadata_of_another_issuer_are_not_believed(self, liar, traveller):
        liar.metadata = {"issuer": "https://honest.example"}

        await traveller.open("/sign-in/with/elsewhere")

        assert traveller.status == 503

    @pytest.mark.parametrize(
        "endpoint", ["token_endpoint", "jwks_uri", "authorization_endpoint"]
    )
    async def test_secrets_go_over_no_odd_scheme(self, liar, traveller, endpoint):
        liar.metadata = {endpoint: "ftp://127.0.0.1/x"}

        await traveller.open("/sign-in/with/elsewhere")

        assert traveller.status == 503


LIES = {
    "of another issuer": {"iss": "https://honest.example"},
    "for somebody else": {"aud": "other-client"},
    "for several, given to another": {"aud": [CLIENT_ID, "b"], "azp": "b"},
    "for several, given to nobody": {"aud": [CLIENT_ID, "b"]},
    "given to another": {"azp": "b"},
    "expired": {"exp": 1},
    "from the future": {"iat": 9_999_999_999},
    "of another sign-in": {"nonce": "another"},
    "of no sign-in": {"nonce": None},
    "about nobody": {"sub": ""},
    "about everybody": {"sub": "x" * 300},
    "without an end": {"exp": None},
    "with text for a time": {"exp": "tomorrow"},
}


class TestIdToken:
    @cases("claims", LIES.values())
    async def test_is_refused(self, liar, traveller, shop, claims):
        liar.claims = claims

        await liar.come_back(traveller)

        assert traveller.status == 403
        assert traveller.page.heading.startswith(REFUSED)
        assert traveller.cookie("session") is traveller.cookie("pending") is None

    async def test_of_a_sign_in_before_is_refused(self, liar, traveller):
        await liar.come_back(traveller)
        liar.token = liar.id_token()
        traveller.client.cookies.clear()

        await liar.come_back(traveller)

        assert traveller.status == 403, "its nonce is that of the sign-in before"

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    async def test_signed_by_nobody_is_refused(self, liar, traveller, algorithm):
        liar.header = {"alg": algorithm}

        await liar.come_back(traveller)

        assert traveller.status == 403

    async def test_signed_by_a_key_that_it_brings_is_refused(self, liar, traveller):
        liar.key = ECKey.generate_key("P-256", {"kid": "liar"})
        liar.header = {"jwk": liar.key.as_dict(private=False)}

        await liar.come_back(traveller)

        assert traveller.status == 403

    @cases("token", ["", "x", "a.b.c", "é.é.é", "x" * 20_000])
    async def test_that_is_none_is_refused(self, liar, traveller, token):
        liar.token = token or " "

        await liar.come_back(traveller)

        assert traveller.status == 403


class TestTakeover:
    @pytest.mark.parametrize(
        "claims",
        [
            {"email": ADA, "email_verified": False},
            {"email": ADA, "email_verified": None},
            {"email": None},
            {"email": "not an address"},
        ],
        ids=["not verified", "not said", "no address", "no proper address"],
    )
    async def test_an_address_that_was_not_verified_is_nobodys(
        self, liar, traveller, ada, shop, claims
    ):
        liar.claims = claims

        await liar.come_back(traveller)

        assert traveller.status == 403
        assert traveller.cookie("pending") is None
        assert await accounts.linked_identities_of(shop.db, ada.account_id) == []

    async def test_a_verified_address_alone_does_not_open_its_account(
        self, liar, traveller, ada, shop
    ):
        liar.claims = {"email": ADA.upper()}

        await liar.come_back(traveller)

        assert traveller.path == "/sign-in/link"
        assert traveller.cookie("session") is None
        assert await accounts.linked_identities_of(shop.db, ada.account_id) == []

    async def test_the_page_for_newcomers_makes_no_second_account(
        self, liar, traveller, a_person, shop
    ):
        liar.claims = {"email": ADA}
        await liar.come_back(traveller)
        await a_person()

        await traveller.submit()

        assert traveller.cookie("session") is None
        assert len(await accounts_of(shop)) == 1

    async def test_the_page_for_owners_cannot_be_skipped(
        self, liar, traveller, ada, shop
    ):
        liar.claims = {"email": ADA}
        await liar.come_back(traveller)
        token = traveller.page.forms[0].fields["form_token"]

        answer = await traveller.post("/sign-in/join", {"form_token": token})

        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
        assert traveller.cookie("session") is None

    async def test_what_a_provider_said_cannot_be_edited(
        self, liar, traveller, ada, shop
    ):
        await liar.come_back(traveller)
        sealed = traveller.cookie("pending")

        for changed in (sealed[:-4] + "AAAA", "AAAA", sealed[4:]):
            traveller.client.cookies.set(
                "holdfast_pending", changed, domain="shop.test", path="/"
            )
            await traveller.open("/sign-in/join")
            assert traveller.path == "/sign-in"

    async def test_it_cannot_be_used_an_hour_later(self, liar, traveller, clock):
        await liar.come_back(traveller)
        clock.advance(minutes=16)

        await traveller.submit()

        assert traveller.path == "/sign-in"
        assert traveller.cookie("session") is None

    async def test_userinfo_of_another_person_is_refused(self, liar, traveller):
        liar.metadata = {"userinfo_endpoint": f"{liar.issuer}/userinfo"}
        liar.claims = {"email": None}
        victim = b'{"sub": "ada", "email": "ada@example.com", "email_verified": true}'
        liar.answers["/userinfo"] = (200, victim)

        await liar.come_back(traveller)

        assert traveller.status == 403

    async def test_one_identity_opens_one_account(
        self, liar, traveller, a_person, a_browser, shop
    ):
        ada = await a_person()
        bob = await a_person("bob@example.com")
        liar.claims = {"email": bob.email}
        await liar.come_back(traveller)
        async with shop.db.transaction() as tx:
            await accounts.link_identity(
                tx,
                shop.vault,
                issuer=liar.issuer,
                subject="mallory",
                account_id=ada.account_id,
                at=shop.clock(),
            )

        await traveller.submit(password=PASSWORD)

        assert traveller.status == 403
        assert traveller.cookie("session") is None


class TestBroken:
    @pytest.mark.parametrize(
        "path", ["/.well-known/openid-configuration", "/token", "/jwks"]
    )
    async def test_a_provider_that_hangs_is_a_page_soon(self, liar, traveller, path):
        liar.hangs = path

        if path.startswith("/.well-known"):
            await traveller.open("/sign-in/with/elsewhere")
        else:
            await liar.come_back(traveller)

        assert traveller.status == 503
        assert "Try again" in traveller.answer.text

    @pytest.mark.parametrize(
        "answer",
        [(500, b""), (200, b"<html>"), (200, b"[]"), (302, b""), (200, b"x" * 70_000)],
        ids=["500", "html", "list", "redirect", "too long"],
    )
    @pytest.mark.parametrize("path", ["/token", "/jwks"])
    async def test_nonsense_is_a_page(self, liar, traveller, path, answer):
        liar.answers[path] = answer

        await liar.come_back(traveller)

        assert traveller.status == 503
        assert traveller.answer.headers["content-type"].startswith("text/html")

    async def test_a_code_that_it_does_not_take_is_a_refusal(self, liar, traveller):
        liar.answers["/token"] = (400, b'{"error": "invalid_grant"}')

        await liar.come_back(traveller)

        assert traveller.status == 403

    async def test_there_is_no_provider_of_that_name(self, traveller):
        await traveller.open("/sign-in/with/nobody")

        assert traveller.status == 404

    async def test_its_words_are_not_repeated(self, liar, traveller):
        await liar.come_back(
            traveller, error="access_denied", error_description="<b>Call 555-1</b>"
        )

        assert traveller.status == 403
        assert "555-1" not in traveller.answer.text


class TestKeys:
    async def test_a_new_key_is_asked_for_at_most_once_a_minute(
        self, liar, traveller, clock
    ):
        await liar.come_back(traveller)
        liar.key = ECKey.generate_key("P-256", {"kid": "new", "use": "sig"})
        liar.published.append(liar.key.as_dict(private=False))
        liar.header = {"kid": "new"}

        await liar.come_back(traveller)
        assert traveller.status == 403
        assert liar.asked.count("/jwks") == 1

        clock.advance(seconds=61)
        await liar.come_back(traveller)
        assert traveller.path == "/sign-in/join"
        assert liar.asked.count("/jwks") == 2
        assert liar.asked.count("/.well-known/openid-configuration") == 1
