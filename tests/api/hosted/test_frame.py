"""Pages anybody can use: with a reader, a small screen, no script, and over TLS."""

import dataclasses

import pytest
from cases import cases
from visitors import sign_in

from holdfast.api.hosted.frame import STYLE_NAME
from holdfast.api.routes import hosted

PAGES = sorted(
    route.path
    for route in hosted.ROUTES
    if route.method == "GET" and "{" not in route.path and "/v1/" not in route.path
)
HIDDEN = ("hidden", "submit")


class TestEveryPage:
    @cases("path", [*PAGES, "/sign-in/nowhere"])
    async def test_has_a_language_one_heading_and_labels(self, browser, ada, path):
        await sign_in(browser, ada)

        await browser.open(path)

        page = browser.page
        assert page.language == "en"
        assert page.headings == 1
        assert page.heading
        assert page.scripts == 0
        shown = [field for field in page.inputs if field.get("type") not in HIDDEN]
        assert {field["id"] for field in shown} <= page.labels
        assert all("autocomplete" in field for field in shown)

    @cases(
        ("path", "words"),
        [
            ("/sign-in", ["username", "current-password"]),
            ("/sign-up", ["username"]),
            ("/sign-up/confirm", ["new-password", "given-name", "family-name"]),
            ("/password/reset", ["new-password"]),
        ],
    )
    async def test_helps_programs_that_keep_passwords(self, browser, path, words):
        await browser.open(path)

        shown = [x for x in browser.page.inputs if x.get("type") not in HIDDEN]
        assert [field["autocomplete"] for field in shown] == words


class TestStylesheet:
    async def test_is_ours_and_kept_for_ever(self, browser):
        await browser.open("/sign-in")
        assert f'href="/pages/{STYLE_NAME}"' in browser.answer.text

        answer = await browser.client.get(f"/pages/{STYLE_NAME}")

        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert "immutable" in answer.headers["cache-control"]
        assert "url(" not in answer.text
        assert "@import" not in answer.text

    async def test_of_another_version_is_not_there(self, browser):
        answer = await browser.client.get("/pages/pages-0000.css")

        assert answer.status_code == 404


class TestOverTls:
    @pytest.fixture
    def settings(self, settings):
        return dataclasses.replace(settings, public_url="https://shop.test")

    async def test_cookies_are_for_this_host_and_for_tls_alone(self, a_browser, ada):
        browser = await a_browser(base_url="https://shop.test")
        await browser.open("/sign-in")
        fields = {"email": ada.email, "password": ada.password}
        answer = await browser.post(
            "/sign-in", {**browser.page.forms[0].fields, **fields}
        )

        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 3
        for cookie in cookies:
            assert cookie.startswith("__Host-holdfast_")
            assert "Secure" in cookie
            assert "Domain" not in cookie
            assert "Path=/" in cookie

    async def test_a_cookie_planted_without_tls_is_not_looked_at(self, a_browser, ada):
        browser = await a_browser(base_url="https://shop.test")
        await sign_in(browser, ada)
        session = browser.cookie("session")
        browser.client.cookies.clear()
        browser.client.cookies.set("holdfast_session", session, domain="shop.test")

        await browser.open("/account")

        assert browser.path == "/sign-in"
