"""Attacks on the pages people sign in on: forms sent by others, and frames."""

import pytest
from cases import cases
from visitors import PASSWORD, sign_in

from holdfast.api.hosted.frame import guards
from holdfast.api.routes import hosted

NO_DROP = "01a205d7-7ed0-71a0-a490-e2450f0d678c"
FORMS = sorted(
    route.path.replace("{drop_id:uuid}", NO_DROP)
    for route in hosted.ROUTES
    if route.method == "POST"
)
PAGES = sorted(
    route.path.replace("{provider}", "nobody").replace("{drop_id:uuid}", NO_DROP)
    for route in hosted.ROUTES
    if route.method == "GET" and not route.path.startswith(("/pages/", "/v1/"))
)
NOT_PAGES = ("/sign-in/nowhere", "/account/x", "/oauth/authorize/x", "/pages/x.css")
ANSWERED = {"answer": "allow"}


@pytest.fixture
async def token(browser, ada):
    """The token of this browser's forms, which is signed in as Ada."""
    await sign_in(browser, ada)
    return browser.page.forms[0].fields["form_token"]


class TestForgedForm:
    def test_every_form_is_attacked(self):
        assert len(FORMS) == 13

    @cases("path", FORMS)
    async def test_without_a_token_is_refused(self, browser, token, path):
        answer = await browser.post(path, ANSWERED)

        assert answer.status_code == 403
        assert answer.headers["content-type"].startswith("text/html")
        assert "Open the page again" in answer.text

    @cases("path", FORMS)
    async def test_with_the_token_of_another_browser_is_refused(
        self, browser, token, a_browser, path
    ):
        mallory = await (await a_browser()).open("/sign-in")
        theirs = mallory.page.forms[0].fields["form_token"]

        answer = await browser.post(path, {**ANSWERED, "form_token": theirs})

        assert answer.status_code == 403

    @cases("path", FORMS)
    async def test_from_another_site_is_refused_whatever_it_holds(
        self, browser, token, path
    ):
        answer = await browser.post(
            path,
            {**ANSWERED, "form_token": token},
            **{"Sec-Fetch-Site": "cross-site"},
        )

        assert answer.status_code == 403

    @pytest.mark.parametrize("site", ["same-site", "cross-site", "elsewhere"])
    async def test_from_a_neighbour_is_refused(self, browser, token, site):
        headers = {"Sec-Fetch-Site": site}
        fields = {"form_token": token}

        answer = await browser.post("/sign-out", fields, **headers)

        assert answer.status_code == 403

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.test", "http://shop.test.evil.test", "https://shop.test"],
    )
    async def test_by_an_older_browser_is_told_by_its_origin(
        self, browser, token, origin
    ):
        fields = {"form_token": token}

        answer = await browser.post("/sign-out", fields, Origin=origin)

        assert answer.status_code == 403
        assert (await browser.open("/account")).path == "/account"

    @pytest.mark.parametrize("origin", ["http://shop.test", "null"])
    async def test_our_own_is_taken(self, browser, token, origin):
        fields = {"form_token": token}

        answer = await browser.post("/sign-out", fields, Origin=origin)

        assert answer.status_code == 200

    async def test_a_token_of_before_the_sign_in_is_none_after_it(self, browser, ada):
        await browser.open("/sign-in")
        before = browser.page.forms[0].fields["form_token"]
        await browser.submit(email=ada.email, password=ada.password)

        answer = await browser.post("/sign-out", {"form_token": before})

        assert answer.status_code == 403

    async def test_nobody_is_signed_in_to_an_account_of_mallory(
        self, browser, a_browser, a_person
    ):
        mallory = await a_person("mallory@example.com")
        theirs = await (await a_browser()).open("/sign-in")
        fields = {**theirs.page.forms[0].fields, "email": mallory.email}

        answer = await browser.post("/sign-in", {**fields, "password": PASSWORD})

        assert answer.status_code == 403
        assert browser.cookie("session") is None

    async def test_a_json_body_is_no_form(self, browser, ada):
        await browser.open("/sign-in")

        answer = await browser.client.post(
            "/sign-in", json={"email": ada.email, "password": ada.password}
        )

        assert answer.status_code == 415
        assert answer.headers["content-type"].startswith("text/html")

    async def test_a_field_sent_twice_is_refused(self, browser, ada):
        await browser.open("/sign-in")

        answer = await browser.client.post(
            "/sign-in",
            content="email=a&email=b",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert answer.status_code == 422


def check_guards(headers):
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert "permissions-policy" in headers


HERE = "http://localhost:* http://127.0.0.1:*"


class TestFrame:
    @cases("path", PAGES)
    async def test_no_page_can_be_framed(self, browser, ada, path):
        await sign_in(browser, ada)

        answer = await browser.client.get(path)

        check_guards(answer.headers)

    @cases("path", [*NOT_PAGES, *FORMS])
    async def test_no_refusal_can_be_framed(self, browser, path):
        answer = await browser.client.request("DELETE", path)
        assert answer.status_code in (404, 405)
        check_guards(answer.headers)

    async def test_nor_what_a_form_answers(self, browser, ada):
        await browser.open("/sign-in")
        await browser.submit(email=ada.email, password="wrong horse")

        check_guards(browser.answer.headers)

    async def test_a_form_leads_here_alone_where_nobody_waits(self, browser):
        await browser.open("/sign-in")

        policy = browser.answer.headers["content-security-policy"]
        assert "form-action 'self'; frame-ancestors" in policy

    async def test_a_form_ends_where_clients_of_this_kind_are(self, browser, app):
        await browser.open(app.asks())

        policy = browser.answer.headers["content-security-policy"]
        assert "form-action 'self' https:; frame-ancestors" in policy

    async def test_who_did_not_register_changes_no_policy(self, browser, app):
        asked = app.asks(redirect_uri="com.evil.app:/callback")
        await browser.open("/sign-in", return_to=asked)

        policy = browser.answer.headers["content-security-policy"]
        assert "form-action 'self'; frame-ancestors" in policy

    @pytest.mark.parametrize(
        "target",
        [
            "javascript:alert(1)",
            "data:text/html,x",
            "com.example; script-src *:/x",
            "//a.test/x",
            "x",
        ],
    )
    def test_an_odd_address_widens_no_policy(self, target):
        policy = guards([target])["Content-Security-Policy"]

        assert "form-action 'self'; frame-ancestors" in policy

    # Clients send browsers on, to a page that says "done", to somebody they sign in for
    # themselves; Chromium holds the policy of the form against each of these steps.
    @pytest.mark.parametrize(
        ("target", "sources"),
        [
            ("https://app.test/x?y", "https:"),
            ("https://a.test; script-src */x", "https:"),
            ("http://127.0.0.1:3000/x", f"https: {HERE}"),
            ("http://localhost/x", f"https: {HERE}"),
            ("http://[::1]:3000/x", "https: http:"),
            ("http://evil.test/x", "https:"),
            ("com.example.app:/x", "com.example.app:"),
        ],
    )
    def test_a_client_may_send_browsers_on(self, target, sources):
        policy = guards([target])["Content-Security-Policy"]

        assert f"form-action 'self' {sources}; frame-ancestors" in policy
