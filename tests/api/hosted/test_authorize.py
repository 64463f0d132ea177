"""Signing in for a client, from its request to the code."""

import pytest
from cases import cases
from visitors import sign_in

from holdfast.kernel import tokens


class TestAuthorize:
    async def test_signs_in_asks_and_returns_with_a_code(self, browser, ada, app):
        await browser.open(app.asks())
        assert browser.path == "/sign-in"
        assert "Weather" in browser.answer.text

        await browser.submit(email=ada.email, password=ada.password)
        assert browser.page.heading == "Weather asks for access"
        assert ada.email in browser.answer.text
        for words in ("Know who you are", "See your e-mail address", "See your orders"):
            assert words in browser.answer.text
        assert "app.test" in browser.answer.text

        await browser.submit(button="allow")
        assert browser.location.startswith("https://app.test/callback?")
        assert tokens.plausible(browser.sent["code"], tokens.AUTHORIZATION_CODE)
        assert browser.sent["state"] == "the-state"
        assert browser.sent["iss"] == "http://shop.test"

    async def test_asks_once_only(self, browser, ada, app):
        await sign_in(browser, ada, app.asks())
        await browser.submit(button="allow")

        await browser.open(app.asks())

        assert "code" in browser.sent

    async def test_saying_no_is_told_to_the_client(self, browser, ada, app):
        await sign_in(browser, ada, app.asks())

        await browser.submit(button="deny")

        assert browser.sent["error"] == "access_denied"
        assert browser.sent["state"] == "the-state"
        assert browser.sent["iss"] == "http://shop.test"
        await browser.open(app.asks())
        assert browser.page.heading == "Weather asks for access"

    async def test_asks_nothing_for_the_shops_own(self, browser, ada, an_app):
        own = await an_app(first_party=True)

        await sign_in(browser, ada, own.asks())

        assert "code" in browser.sent

    async def test_fills_in_whom_the_client_expects(self, browser, app):
        await browser.open(app.asks(login_hint="ada@example.com"))

        assert browser.page.forms[0].fields["email"] == "ada@example.com"

    async def test_takes_the_request_as_a_form_of_another_site(self, browser, ada, app):
        await sign_in(browser, ada)
        query = app.asks().partition("?")[2]

        answer = await browser.client.post(
            "/oauth/authorize",
            content=query,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Sec-Fetch-Site": "cross-site",
                "Origin": "https://app.test",
            },
        )

        assert answer.status_code == 303
        await browser.open(answer.headers["location"])
        assert browser.page.heading == "Weather asks for access"

    @cases(
        ("change", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"code_challenge": None}, "invalid_request"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"scope": "orders:refund-all"}, "invalid_scope"),
        ],
    )
    async def test_a_wrong_request_is_told_to_the_client(
        self, browser, app, change, error
    ):
        await browser.open(app.asks(**change))

        assert browser.location.startswith(app.redirect_uri)
        assert browser.sent["error"] == error
        assert browser.sent["state"] == "the-state"
        assert browser.sent["iss"] == "http://shop.test"

    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "nobody"},
            {"redirect_uri": "https://evil.test/callback"},
            {"redirect_uri": None},
        ],
    )
    async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(
        self, browser, app, change
    ):
        await browser.open(app.asks(**change))

        assert browser.location is None
        assert browser.status == 422
        assert browser.answer.headers["content-type"].startswith("text/html")


class TestPrompt:
    async def test_none_shows_no_page_to_sign_in(self, browser, app):
        await browser.open(app.asks(prompt="none"))

        assert browser.sent["error"] == "login_required"

    async def test_none_shows_no_page_to_agree(self, browser, ada, app):
        await sign_in(browser, ada)

        await browser.open(app.asks(prompt="none"))

        assert browser.sent["error"] == "consent_required"

    async def test_none_goes_through_when_nothing_is_to_be_asked(
        self, browser, ada, app
    ):
        await sign_in(browser, ada, app.asks())
        await browser.submit(button="allow")

        await browser.open(app.asks(prompt="none"))

        assert "code" in browser.sent

    @pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
    async def test_login_asks_for_the_password_once_more_and_only_once(
        self, browser, ada, app, clock, prompt
    ):
        await sign_in(browser, ada)
        clock.advance(minutes=1)

        await browser.open(app.asks(prompt=prompt))
        assert browser.path == "/sign-in"
        await browser.submit(email=ada.email, password=ada.password)

        assert browser.page.heading == "Weather asks for access"
        await browser.submit(button="allow")
        assert "code" in browser.sent

    async def test_consent_asks_again(self, browser, ada, app):
        await sign_in(browser, ada, app.asks())
        await browser.submit(button="allow")

        await browser.open(app.asks(prompt="consent"))

        assert browser.page.heading == "Weather asks for access"

    async def test_max_age_asks_those_who_signed_in_before(
        self, browser, ada, an_app, clock
    ):
        own = await an_app(first_party=True)
        await sign_in(browser, ada)
        clock.advance(minutes=5)

        await browser.open(own.asks(max_age="600"))
        assert "code" in browser.sent

        await browser.open(own.asks(max_age="60"))
        assert browser.path == "/sign-in"
        clock.advance(seconds=1)
        await browser.submit(email=ada.email, password=ada.password)
        assert "code" in browser.sent

    async def test_max_age_of_zero_is_satisfied_by_a_fresh_sign_in(
        self, browser, ada, an_app, clock
    ):
        own = await an_app(first_party=True)
        await sign_in(browser, ada)
        clock.advance(seconds=5)

        await browser.open(own.asks(max_age="0"))
        await browser.submit(email=ada.email, password=ada.password)

        assert "code" in browser.sent

    async def test_a_browser_left_open_cannot_claim_a_fresh_sign_in(
        self, browser, ada, an_app, clock
    ):
        own = await an_app(first_party=True)
        await sign_in(browser, ada)
        clock.advance(minutes=1)

        await browser.open(own.asks(prompt="login", signed_in_after="AAAA"))

        assert browser.path == "/sign-in"

    async def test_who_skips_the_sign_in_is_asked_again(
        self, browser, ada, an_app, clock
    ):
        own = await an_app(first_party=True)
        await sign_in(browser, ada)
        clock.advance(minutes=1)
        await browser.open(own.asks(prompt="login"))

        await browser.open(browser.page.forms[0].fields["return_to"])

        assert browser.path == "/sign-in"

    async def test_one_sign_in_does_not_answer_the_demand_for_ever(
        self, browser, ada, an_app, clock
    ):
        own = await an_app(first_party=True)
        await browser.open(own.asks(prompt="login"))
        answered = browser.page.forms[0].fields["return_to"]
        await browser.submit(email=ada.email, password=ada.password)
        await browser.open(answered)
        assert "code" in browser.sent

        clock.advance(minutes=16)
        await browser.open(answered)

        assert browser.path == "/sign-in"
