"""What begins with a link in an e-mail: accounts, passwords, addresses."""

import pytest
from visitors import ADA, PASSWORD, sign_in

from holdfast.domain import accounts, customers
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.workflows import email_change


class TestSignUp:
    async def test_by_a_link_to_the_address(self, browser, shop, mailed_link):
        await browser.open("/sign-up")
        await browser.submit(email=ADA)
        assert browser.page.heading == "Look into your mailbox"

        await browser.open(await mailed_link(ADA))
        await browser.submit(
            password=PASSWORD, given_name=" Ada ", family_name="Lovelace"
        )
        assert browser.page.heading == "Your account is ready"

        account = await accounts.find_by_email(shop.db, shop.vault, ADA)
        customer = await customers.find(shop.db, shop.vault, account.id)
        assert (customer.given_name, customer.family_name) == ("Ada", "Lovelace")
        await browser.follow("Sign in")
        await browser.submit(email=ADA, password=PASSWORD)
        assert browser.path == "/account"

    async def test_a_weak_password_is_refused_with_the_reason(
        self, browser, mailed_link
    ):
        await browser.open("/sign-up")
        await browser.submit(email=ADA)
        await browser.open(await mailed_link(ADA))

        await browser.submit(password="password1", given_name="Ada")

        assert browser.status == 422
        assert browser.page.alert.startswith("Choose another password: ")
        assert browser.page.forms[0].fields["given_name"] == "Ada"
        await browser.submit(password=PASSWORD)
        assert browser.page.heading == "Your account is ready"

    @pytest.mark.parametrize("token", ["", "x", tokens.mint(tokens.EMAIL, b"x" * 32)])
    async def test_a_link_of_nobody_opens_nothing(self, browser, token):
        await browser.open("/sign-up/confirm", token=token)
        await browser.submit(password=PASSWORD)

        assert browser.status == 422
        assert "The link was used" in browser.page.heading
        assert "Ask for a new link" in browser.answer.text

    async def test_something_else_than_an_address_is_said_beside_the_field(
        self, browser
    ):
        await browser.open("/sign-up")
        await browser.submit(email="ada at home")

        assert browser.status == 422
        assert "name@example.com" in browser.page.alert
        assert browser.page.forms[0].fields["email"] == "ada at home"


class TestReset:
    async def test_by_a_link_to_the_address(self, browser, ada, mailed_link):
        await sign_in(browser, ada)
        await browser.open("/password/forgot")
        await browser.submit(email=ada.email)
        await browser.open(await mailed_link(ada.email))

        await browser.submit(password="another horse altogether")

        assert browser.page.heading == "Your password has changed"
        await browser.open("/account")
        assert browser.path == "/sign-in", "every session has ended"
        await browser.submit(email=ada.email, password="another horse altogether")
        assert browser.path == "/account"

    async def test_something_else_than_an_address_is_refused(self, browser):
        await browser.open("/password/forgot")
        await browser.submit(email="@")

        assert browser.status == 422

    async def test_a_weak_password_is_refused(self, browser, ada, mailed_link):
        await browser.open("/password/forgot")
        await browser.submit(email=ada.email)
        await browser.open(await mailed_link(ada.email))

        await browser.submit(password="12345678")

        assert browser.status == 422


class TestEmail:
    async def test_following_a_link_alone_changes_nothing(
        self, browser, ada, shop, mailed_link
    ):
        await sign_in(browser, ada)
        (session,) = await accounts.sessions_of(
            shop.db, shop.vault, ada.account_id, shop.clock()
        )
        await email_change.request(
            shop.db,
            shop.vault,
            shop.hasher,
            ada.account_id,
            email="countess@example.com",
            password=PASSWORD,
            session_id=session.id,
            origin=Origin(),
            clock=shop.clock,
        )

        await browser.open(await mailed_link("countess@example.com"))
        account = await accounts.find(shop.db, shop.vault, ada.account_id)
        assert account.email == ada.email

        await browser.submit()
        assert browser.page.heading == "Your address has changed"
        account = await accounts.find(shop.db, shop.vault, ada.account_id)
        assert account.email == "countess@example.com"
