"""Signing in with a second shop as the OpenID provider, from door to door."""

import pytest
from visitors import ADA, PASSWORD, set_up, sign_in

from holdfast.domain import accounts, customers, identity


@pytest.fixture
async def ada_there(registered, other_shop, a_person):
    """Ada's account at the other shop."""
    return await a_person(at=other_shop)


@pytest.fixture
def go_there(traveller):
    """Go to the other site, sign in there and agree."""

    async def go(person, start="/sign-in"):
        await traveller.open(start)
        await traveller.follow("Sign in with Elsewhere")
        if traveller.page.heading == "Sign in":
            await traveller.submit(email=person.email, password=person.password)
        if traveller.page.heading.endswith("asks for access"):
            await traveller.submit(button="allow")
        return traveller

    return go


class TestNewcomer:
    async def test_gets_an_account_after_saying_so(
        self, go_there, ada_there, shop, traveller
    ):
        await go_there(ada_there)
        assert traveller.path == "/sign-in/join"
        assert ADA in traveller.answer.text
        assert await accounts.find_by_email(shop.db, shop.vault, ADA) is None

        await traveller.submit(family_name="Lovelace")

        assert traveller.path == "/account"
        account = await accounts.find_by_email(shop.db, shop.vault, ADA)
        assert account.email_verified_at is not None
        assert not account.has_password
        customer = await customers.find(shop.db, shop.vault, account.id)
        assert (customer.given_name, customer.family_name) == ("Ada", "Lovelace")
        roles = await identity.roles_of(shop.db, account.id)
        assert [role.name for role in roles] == ["customer"]
        (session,) = await accounts.sessions_of(
            shop.db, shop.vault, account.id, shop.clock()
        )
        assert session.methods == ("fed",)

    async def test_gets_the_orders_made_as_a_guest(
        self, go_there, ada_there, shop, traveller, buy
    ):
        bought = await buy(email=ADA)

        await go_there(ada_there)
        await traveller.submit()

        account = await accounts.find_by_email(shop.db, shop.vault, ADA)
        owner = await shop.db.fetchval(
            "SELECT account_id FROM orders WHERE id = $1", bought.order.id
        )
        assert owner == account.id

    async def test_is_known_the_next_time(self, go_there, ada_there, shop, traveller):
        await go_there(ada_there)
        await traveller.submit()
        await traveller.open("/sign-out")
        await traveller.submit()

        await go_there(ada_there)

        assert traveller.path == "/account"

    async def test_goes_on_to_the_client_that_waits(
        self, go_there, ada_there, traveller, app
    ):
        await go_there(ada_there, app.asks())
        await traveller.submit()

        assert traveller.page.heading == "Weather asks for access"
        await traveller.submit(button="allow")
        assert "code" in traveller.sent


class TestOwner:
    async def test_proves_the_account_theirs_before_it_is_linked(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person()

        await go_there(ada_there)
        assert traveller.path == "/sign-in/link"
        await traveller.submit(password="not the password")
        assert traveller.status == 401
        assert await linked(shop, ada) == []
        await traveller.submit(password=PASSWORD)

        assert traveller.path == "/account"
        assert len(await linked(shop, ada)) == 1

    async def test_proves_it_by_the_second_factor_too(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person(second_factor=True)

        await go_there(ada_there)
        await traveller.submit(password=PASSWORD)
        assert traveller.path == "/sign-in/code"
        assert await linked(shop, ada) == []
        await traveller.submit(code=ada.code(shop))

        assert traveller.path == "/account"
        assert len(await linked(shop, ada)) == 1

    async def test_who_signs_in_otherwise_has_agreed_to_nothing(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person()

        await go_there(ada_there)
        await sign_in(traveller, ada)

        assert traveller.path == "/account"
        assert await linked(shop, ada) == []

    async def test_somebody_elses_password_links_nothing(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person()
        eve = await a_person("eve@example.com", password="the password of eve")

        await go_there(ada_there)
        await traveller.submit(password="the password of eve")

        assert traveller.status == 401
        assert await linked(shop, ada) == await linked(shop, eve) == []

    async def test_once_linked_no_password_is_asked(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        await a_person()
        await go_there(ada_there)
        await traveller.submit(password=PASSWORD)
        await traveller.open("/sign-out")
        await traveller.submit()

        await go_there(ada_there)

        assert traveller.path == "/account"

    async def test_a_disabled_account_stays_closed(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person()
        await go_there(ada_there)
        await traveller.submit(password=PASSWORD)
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, ada.account_id, shop.clock())

        await go_there(ada_there)

        assert traveller.status == 403
        assert traveller.page.heading == "This account has been disabled"

    async def test_a_disabled_account_is_not_linked(
        self, go_there, ada_there, shop, traveller, a_person
    ):
        ada = await a_person()
        async with shop.db.transaction() as tx:
            await accounts.disable(tx, ada.account_id, shop.clock())

        await go_there(ada_there)

        assert traveller.status == 403
        assert await linked(shop, ada) == []


class TestSecondFactorThere:
    async def test_is_the_other_sites_business(
        self, go_there, ada_there, other_shop, traveller
    ):
        await set_up(other_shop, ada_there)

        await go_there(ada_there)
        assert traveller.page.heading == "Enter your code"
        await traveller.submit(code=ada_there.code(other_shop))
        await traveller.submit(button="allow")

        assert traveller.path == "/sign-in/join"


class TestDeclined:
    async def test_is_said_on_a_page(self, ada_there, traveller):
        await traveller.open("/sign-in")
        await traveller.follow("Sign in with Elsewhere")
        await traveller.submit(email=ada_there.email, password=ada_there.password)
        await traveller.submit(button="deny")

        assert traveller.status == 403
        assert traveller.page.heading.startswith("The other site did not sign you in")


async def linked(shop, person):
    return await accounts.linked_identities_of(shop.db, person.account_id)
