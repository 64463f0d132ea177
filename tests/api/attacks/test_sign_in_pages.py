"""Attacks on who is signed in, where one is sent, and what a page gives away."""

import io
import json
import re

import pytest
from cases import cases
from visitors import ADA, PASSWORD, sign_in

from holdfast.platform.telemetry import AccessLog

ELSEWHERE = [
    "https://evil.test/",
    "//evil.test/",
    "/\\evil.test/",
    "\\\\evil.test/",
    "https:evil.test",
    "/oauth/authorize\\@evil.test?",
    "/oauth/authorizeX?x=1",
    "/account@evil.test",
    "/account.evil.test",
    "//account",
    " /account",
    "/account\r\nLocation: https://evil.test",
    "/account\thttps://evil.test",
    "/oauth/authorize?x\rLocation: https://evil.test",
    "/oauth/authorize?x\\@evil.test",
    "/oauth/authorize?é",
    "/account/x y",
    "javascript:alert(1)",
    "data:text/html,x",
    "/sign-out",
    "/v1/me",
    "/oauth/authorize?" + "x" * 5000,
]
PAYLOAD = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
WHAT_VARIES = re.compile(r'value="[^"]*"|[^ ]*@example\.com')


class TestOpenRedirect:
    @cases("to", ELSEWHERE)
    async def test_nobody_is_sent_elsewhere_after_signing_in(self, browser, ada, to):
        await browser.open("/sign-in", return_to=to)
        assert "return_to" not in browser.page.forms[0].fields

        filled = browser.page.forms[0].fields
        answer = await browser.post(
            "/sign-in",
            {**filled, "email": ada.email, "password": PASSWORD, "return_to": to},
        )

        assert answer.status_code == 303
        assert answer.headers["location"] == "/account"

    @pytest.mark.parametrize("to", ["/account", "/account/sessions"])
    async def test_what_is_ours_may_follow(self, browser, ada, to):
        await browser.open("/sign-in", return_to=to)

        assert browser.page.forms[0].fields["return_to"] == to


class TestFixation:
    async def test_a_session_that_was_planted_opens_nothing(
        self, browser, a_browser, ada
    ):
        mallory = await a_browser()
        await sign_in(mallory, ada)
        planted = mallory.cookie("session")
        await mallory.open("/sign-out")
        await mallory.submit()
        browser.client.cookies.set("holdfast_session", planted, domain="shop.test")

        await sign_in(browser, ada)

        assert browser.cookie("session") != planted

    async def test_each_sign_in_has_a_value_of_its_own_and_ends_the_one_before(
        self, browser, a_browser, ada
    ):
        await sign_in(browser, ada)
        before = browser.cookie("session")
        await sign_in(browser, ada)

        assert browser.cookie("session") != before
        thief = await a_browser()
        thief.client.cookies.set("holdfast_session", before, domain="shop.test")
        await thief.open("/account")
        assert thief.path == "/sign-in"

    @cases("value", ["x", "hfb_", "'", "a" * 4000, "%00"])
    async def test_a_made_up_one_is_nobody(self, browser, value):
        browser.client.cookies.set("holdfast_session", value, domain="shop.test")

        await browser.open("/account")

        assert browser.path == "/sign-in"
        assert browser.status == 200


class TestScript:
    def check(self, browser):
        assert "<script" not in browser.answer.text
        assert "<img" not in browser.answer.text
        assert browser.page.scripts == 0

    @pytest.mark.parametrize("page", ["/sign-in", "/sign-up", "/password/forgot"])
    async def test_in_an_address_is_shown_and_not_run(self, browser, page):
        await browser.open(page)
        await browser.submit(email=PAYLOAD)

        assert browser.page.forms[0].fields["email"] == PAYLOAD
        self.check(browser)

    @pytest.mark.parametrize(
        ("page", "fields"),
        [
            ("/sign-up/confirm", {"password": "x", "given_name": PAYLOAD}),
            ("/password/reset", {"password": PAYLOAD}),
            ("/email/confirm", {}),
        ],
    )
    async def test_in_a_token_or_name(self, browser, page, fields):
        await browser.open(page, token=PAYLOAD)
        self.check(browser)
        await browser.submit(**fields)
        self.check(browser)

    @cases("page", ["/sign-in", "/sign-in/code", "/sign-up", "/account", "/sign-out"])
    @cases("name", ["return_to", "notice", "error", "email"])
    async def test_in_a_query(self, browser, page, name):
        await browser.open(page, **{name: PAYLOAD})

        self.check(browser)
        assert "alert(1)" not in browser.answer.text

    @pytest.mark.parametrize(
        "name", ["client_id", "redirect_uri", "login_hint", "state", "nonce"]
    )
    async def test_in_a_request_of_a_client(self, browser, ada, app, name):
        await sign_in(browser, ada)

        await browser.open(app.asks(**{name: PAYLOAD}))

        self.check(browser)

    async def test_in_the_address_that_a_client_expects(self, browser, app):
        await browser.open(app.asks(login_hint=PAYLOAD))

        assert browser.page.forms[0].fields["email"] == PAYLOAD
        self.check(browser)

    async def test_in_the_name_of_a_client(self, browser, ada, an_app):
        app = await an_app(name=PAYLOAD)

        await browser.open(app.asks())
        self.check(browser)
        await browser.submit(email=ada.email, password=ada.password)

        assert "alert(1)" in browser.page.heading
        self.check(browser)

    async def test_in_the_name_of_a_device(self, browser, ada):
        browser.client.headers["user-agent"] = PAYLOAD
        await sign_in(browser, ada)

        assert "alert(1)" in browser.answer.text
        self.check(browser)

    async def test_in_a_path(self, browser):
        await browser.open(f"/sign-in/with/{PAYLOAD}")

        self.check(browser)


def told(answer):
    """What an answer tells, without what is different each time."""
    names = sorted(
        name for name in answer.headers if name not in ("x-request-id", "set-cookie")
    )
    kept = {n: answer.headers[n] for n in names if n != "content-length"}
    cookies = [c.partition("=")[0] for c in answer.headers.get_list("set-cookie")]
    return answer.status_code, kept, cookies, WHAT_VARIES.sub("", answer.text)


class TestEnumeration:
    @pytest.mark.parametrize("page", ["/sign-up", "/password/forgot"])
    async def test_asking_for_an_e_mail_tells_nothing(self, a_browser, ada, page):
        known, unknown = await a_browser(), await a_browser()
        await known.open(page)
        await unknown.open(page)

        await known.submit(email=ada.email)
        await unknown.submit(email="nobody@example.com")

        assert told(known.answer) == told(unknown.answer)
        assert known.status == 200

    async def test_a_failed_sign_in_tells_nothing(self, a_browser, a_person):
        await a_person()
        await a_person("codes@example.com", second_factor=True)
        await a_person("none@example.com", password=None)
        answers = []
        for email in (
            ADA,
            "nobody@example.com",
            "codes@example.com",
            "none@example.com",
        ):
            browser = await (await a_browser()).open("/sign-in")
            await browser.submit(email=email, password="wrong horse")
            answers.append(told(browser.answer))

        assert answers[0][0] == 401
        assert answers == [answers[0]] * 4


class TestLogs:
    async def test_hold_no_password_token_or_address(
        self, a_browser, shop, log, mailed_link, app, a_person
    ):
        lines = io.BytesIO()
        shop.access_log = AccessLog("json", lines)
        browser = await a_browser()
        grace = await a_person("grace@example.com", second_factor=True)
        secrets = {ADA, grace.email, PASSWORD, "wrong horse", grace.recovery_codes[0]}

        await browser.open("/sign-up")
        await browser.submit(email=ADA)
        link = await mailed_link(ADA)
        secrets.add(link.partition("token=")[2])
        await browser.open(link)
        await browser.submit(password="password1")
        await browser.submit(password=PASSWORD, given_name="Ada")
        await browser.open("/sign-in")
        await browser.submit(email=ADA, password="wrong horse")
        await browser.submit(email=ADA, password=PASSWORD)
        await browser.open(app.asks())
        await browser.submit(button="allow")
        secrets |= {browser.sent["code"], "the-nonce", "the-state"}
        await sign_in(browser, grace)
        secrets |= {browser.cookie("challenge"), browser.cookie("form")}
        await browser.submit(code="123456")
        await browser.submit(code=grace.recovery_codes[0])
        secrets |= {browser.cookie("session"), browser.cookie("place")}
        await browser.open("/sign-in/nowhere", token="a-secret-in-a-query")

        shop.access_log.flush()
        written = lines.getvalue().decode() + json.dumps(log())
        assert written.count('"path"') > 15
        assert None not in secrets
        found = [each for each in (*secrets, "a-secret-in-a") if each in written]
        assert found == []
