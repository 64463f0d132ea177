"""Attacks by requests of clients that are odd, edited, or carried to another place."""

from urllib.parse import quote
from uuid import UUID

import pytest
from cases import cases
from visitors import sign_in

from holdfast.domain import oauth
from holdfast.kernel.ids import new_id

FORMS = ("/sign-in", "/sign-up", "/sign-up/confirm", "/password/forgot")


class TestOddRequest:
    @cases("path", FORMS)
    @cases(
        "query",
        [
            "client_id=%00&redirect_uri=x",
            "client_id={app}&redirect_uri=%00",
            "client_id=%ff&redirect_uri=x",
            "client_id=x&client_id={app}",
            "&".join(f"p{n}=1" for n in range(100)),
        ],
    )
    async def test_carried_to_another_page_names_nobody_and_breaks_nothing(
        self, browser, app, path, query
    ):
        to = "/oauth/authorize?" + query.format(app=app.id)
        answer = await browser.client.get(f"{path}?return_to={quote(to, safe='')}")

        assert answer.status_code == 200
        assert "Weather" not in answer.text

    async def test_of_any_length_is_not_sent_on(self, browser, app):
        fields = {"client_id": app.id, "state": "x" * 10_000}

        answer = await browser.post("/oauth/authorize", fields)

        assert answer.status_code == 414


class TestNoteOfADemand:
    async def test_of_another_request_proves_no_fresh_sign_in(
        self, a_browser, ada, an_app, clock
    ):
        mallory, hers = await a_browser(), await a_browser()
        own = await an_app(first_party=True)
        await mallory.open(own.asks(prompt="login", state="of-mallory"))
        note = mallory.page.forms[0].fields["return_to"].partition("signed_in_after=")
        clock.advance(minutes=1)
        await sign_in(hers, ada)
        clock.advance(minutes=1)

        # Ada left her browser open, and the client makes a request of its own there.
        request = own.asks(prompt="login", state="of-ada")
        await hers.open(f"{request}&signed_in_after={note[2]}")

        assert note[2]
        assert hers.path == "/sign-in"


class TestNativeClient:
    """Any application can listen on this machine, or take a scheme for its own."""

    @pytest.mark.parametrize("target", ["http://127.0.0.1/back", "com.example.app:/"])
    @pytest.mark.parametrize("first_party", [False, True])
    async def test_gets_nothing_that_nobody_agreed_to_just_now(
        self, browser, ada, an_app, target, first_party
    ):
        native = await an_app(redirect_uri=target, first_party=first_party)
        await sign_in(browser, ada, native.asks())
        await browser.submit(button="allow")
        assert "code" in browser.sent

        await browser.open(native.asks())
        assert browser.page.heading == "Weather asks for access"
        await browser.open(native.asks(prompt="none"))
        assert browser.sent["error"] == "consent_required"


class TestSomebodyElse:
    @pytest.fixture
    def hint(self, shop, clock):
        """An id token of *about* for a client, as they are kept for weeks."""

        async def make(about, app, *, issuer="http://shop.test"):
            return oauth.sign_id_token(
                await shop.keyring.signer(),
                issuer=issuer,
                client_id=app.id,
                account_id=about,
                nonce=None,
                access_token=None,
                authenticated_at=clock(),
                methods=("pwd",),
                session_id=new_id(),
                claims={},
                at=clock(),
            )

        return make

    @pytest.fixture
    async def own(self, an_app):
        return await an_app(first_party=True)

    async def test_than_the_client_means_is_nobody(
        self, browser, ada, a_person, own, hint
    ):
        bob = await a_person("bob@example.com")
        await sign_in(browser, ada)
        meant = await hint(bob.account_id, own)

        await browser.open(own.asks(prompt="none", id_token_hint=meant))
        assert browser.sent["error"] == "login_required"

        await browser.open(own.asks(id_token_hint=meant))
        assert browser.path == "/sign-in"
        await browser.submit(email=ada.email, password=ada.password)
        assert browser.sent["error"] == "login_required"

        await browser.open(own.asks(id_token_hint=meant))
        await browser.submit(email=bob.email, password=bob.password)
        assert "code" in browser.sent

    async def test_is_told_by_a_token_of_long_ago_too(
        self, browser, ada, own, hint, clock
    ):
        meant = await hint(ada.account_id, own)
        clock.advance(days=1)
        await sign_in(browser, ada)

        await browser.open(own.asks(prompt="none", id_token_hint=meant))

        assert "code" in browser.sent

    @pytest.mark.parametrize("fault", ["client", "issuer", "signature", "kind"])
    async def test_is_not_told_by_what_is_no_id_token_of_this_client(
        self, browser, ada, an_app, own, hint, shop, clock, fault
    ):
        await sign_in(browser, ada)
        meant = await hint(ada.account_id, own)
        if fault == "client":
            meant = await hint(ada.account_id, await an_app())
        elif fault == "issuer":
            meant = await hint(ada.account_id, own, issuer="https://evil.test")
        elif fault == "signature":
            other = await hint(UUID(int=1), own)
            meant = meant.rpartition(".")[0] + "." + other.rpartition(".")[2]
        else:
            meant = oauth.sign_access_token(
                await shop.keyring.signer(),
                issuer="http://shop.test",
                account_id=ada.account_id,
                client_id=own.id,
                session_id=new_id(),
                scopes=("openid",),
                authenticated_at=None,
                methods=(),
                token_id=new_id(),
                at=clock(),
            )

        await browser.open(own.asks(prompt="none", id_token_hint=meant))

        assert browser.sent["error"] == "invalid_request"
