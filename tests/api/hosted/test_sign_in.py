"""Signing in on the pages, and out."""

from visitors import PASSWORD, set_up, sign_in

from holdfast.domain import accounts


class TestSignIn:
    async def test_the_right_password_leads_to_the_account(self, browser, ada):
        await sign_in(browser, ada)

        assert browser.status == 200
        assert browser.path == "/account"
        assert ada.email in browser.answer.text

    async def test_a_wrong_password_is_said_beside_the_field(self, browser, ada):
        await browser.open("/sign-in")
        await browser.submit(email=ada.email, password="wrong horse")

        assert browser.status == 401
        assert browser.page.alert == "The e-mail address or the password is not right."
        faulty = [x for x in browser.page.inputs if x.get("aria-invalid") == "true"]
        assert {x["aria-describedby"] for x in faulty} == {"error"}
        assert browser.page.forms[0].fields["email"] == ada.email
        assert browser.page.forms[0].fields["password"] == ""

    async def test_goes_on_to_where_it_was_asked_for(self, browser, ada, app):
        await browser.open("/sign-in", return_to=app.asks())
        await browser.submit(email=ada.email, password=ada.password)

        assert browser.path == "/oauth/authorize"
        assert browser.page.heading == "Weather asks for access"

    async def test_too_many_failures_make_one_wait(self, browser, ada):
        await browser.open("/sign-in")
        for _ in range(30):
            await browser.submit(email=ada.email, password="wrong horse")
            if browser.status == 429:
                break

        assert browser.status == 429
        assert int(browser.answer.headers["retry-after"]) > 0
        assert "Try again in" in browser.page.alert

    async def test_remembers_the_place(self, browser, ada, shop):
        await sign_in(browser, ada)
        place = browser.cookie("place")

        assert place
        await sign_in(browser, ada)
        assert browser.cookie("place") == place

    async def test_cookies_are_for_this_host_and_no_script(self, browser, ada):
        await browser.open("/sign-in")
        filled = browser.page.forms[0]
        answer = await browser.post(
            "/sign-in",
            {**filled.fields, "email": ada.email, "password": PASSWORD},
        )

        cookies = answer.headers.get_list("set-cookie")
        assert len(cookies) == 3
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=lax" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie


class TestCode:
    async def test_is_asked_for_after_the_password(self, browser, ada, shop):
        await set_up(shop, ada)
        await sign_in(browser, ada)
        assert browser.path == "/sign-in/code"
        assert browser.cookie("session") is None

        await browser.submit(code=ada.code(shop))

        assert browser.path == "/account"
        assert browser.cookie("challenge") is None

    async def test_a_recovery_code_will_do(self, browser, ada, shop):
        await set_up(shop, ada)
        await sign_in(browser, ada)

        await browser.submit(code=ada.recovery_codes[0])

        assert browser.path == "/account"

    async def test_a_wrong_one_opens_nothing(self, browser, ada, shop):
        await set_up(shop, ada)
        await sign_in(browser, ada)

        await browser.submit(code="not-a-code")

        assert browser.status == 401
        assert browser.page.alert
        assert browser.cookie("session") is None

    async def test_keeps_in_mind_where_to_go(self, browser, ada, shop, app):
        await set_up(shop, ada)
        await browser.open(app.asks())
        await browser.submit(email=ada.email, password=PASSWORD)
        await browser.submit(code=ada.code(shop))

        assert browser.path == "/oauth/authorize"

    async def test_without_a_password_first_it_begins_at_the_beginning(self, browser):
        await browser.open("/sign-in/code")

        assert browser.path == "/sign-in"


class TestSignOut:
    async def test_asks_before_it_does(self, browser, ada):
        await sign_in(browser, ada)
        await browser.open("/sign-out")
        assert browser.page.heading == "Sign out"

        await browser.submit()

        assert browser.page.heading == "You are signed out"
        assert browser.cookie("session") is None
        await browser.open("/account")
        assert browser.path == "/sign-in"

    async def test_the_cookie_opens_nothing_afterwards(self, browser, ada):
        await sign_in(browser, ada)
        cookies = dict(browser.client.cookies)
        await browser.open("/sign-out")
        await browser.submit()

        browser.client.cookies.update(cookies)
        await browser.open("/account")

        assert browser.path == "/sign-in"


class TestAccount:
    async def test_ends_another_session(self, a_browser, ada, shop):
        here, there = await a_browser(), await a_browser()
        await sign_in(there, ada)
        await sign_in(here, ada)
        (button,) = [
            n for n, f in enumerate(here.page.forms) if "session_id" in f.fields
        ]

        await here.submit(form=button)

        assert "The session has ended" in here.answer.text
        await there.open("/account")
        assert there.path == "/sign-in"

    async def test_ends_all_others(self, a_browser, ada, shop):
        here, there = await a_browser(), await a_browser()
        await sign_in(there, ada)
        await sign_in(here, ada)
        everywhere = next(
            n
            for n, f in enumerate(here.page.forms)
            if f.action == "/account/sessions/end" and "session_id" not in f.fields
        )

        await here.submit(form=everywhere)

        assert here.path == "/account"
        await there.open("/account")
        assert there.path == "/sign-in"

    async def test_ends_no_session_of_another(self, a_browser, ada, a_person, shop):
        here, there = await a_browser(), await a_browser()
        bob = await a_person("bob@example.com")
        await sign_in(there, bob)
        await sign_in(here, ada)
        (theirs,) = await accounts.sessions_of(
            shop.db, shop.vault, bob.account_id, shop.clock()
        )
        form = here.page.forms[0]

        await here.post(
            "/account/sessions/end",
            {"form_token": form.fields["form_token"], "session_id": str(theirs.id)},
        )

        await there.open("/account")
        assert there.path == "/account"
