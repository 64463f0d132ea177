import asyncio

import pytest
from cases import cases

from holdfast.domain import accounts, customers, identity
from holdfast.domain.accounts import EmailTaken, LinkNotValid, PasswordRefused
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.workflows import sign_up

ADA = "ada@example.com"
PASSWORD = "tea for two, please"


@pytest.fixture
def ask(database, vault, clock, origin):
    async def go(email=ADA):
        await sign_up.request_sign_up(
            database, vault, email, origin=origin, clock=clock
        )

    return go


@pytest.fixture
def confirm(database, vault, hasher, clock, origin):
    async def go(token, password=PASSWORD, **names):
        return await sign_up.confirm_sign_up(
            database,
            vault,
            hasher,
            token,
            password,
            shortest=8,
            origin=origin,
            clock=clock,
            **names,
        )

    return go


class TestRequestSignUp:
    async def test_sends_a_link_that_opens_an_account(
        self, ask, deliver, token_in, confirm, opens
    ):
        await ask()
        (letter,) = await deliver()
        assert letter.recipient == ADA
        assert "https://shop.test/sign-up/confirm?token=hfm_" in letter.body

        account = await confirm(token_in(letter))

        assert account.email == ADA
        assert account.email_verified_at is not None
        assert await opens(account.id, PASSWORD)

    async def test_tells_whoever_has_an_account_and_nobody_else(
        self, ask, deliver, signed_up
    ):
        await signed_up()

        await ask("Ada@Example.com")

        (letter,) = await deliver()
        assert letter.subject == "You have an account already"
        assert "/password/forgot" in letter.body
        assert "token=" not in letter.body

    async def test_a_newer_link_ends_those_before(
        self, ask, deliver, token_in, confirm
    ):
        await ask()
        await ask()
        older, newer = await deliver()

        with pytest.raises(LinkNotValid):
            await confirm(token_in(older))
        assert await confirm(token_in(newer))

    async def test_writes_to_an_address_five_times_an_hour_at_most(
        self, ask, deliver, clock
    ):
        for _ in range(12):
            await ask()
        await ask("bob@example.com")

        recipients = [letter.recipient for letter in await deliver()]
        assert recipients == [ADA] * 5 + ["bob@example.com"]

        clock.advance(minutes=61)
        await ask()
        assert len(await deliver()) == 1


class TestConfirmSignUp:
    async def test_makes_a_customer_whose_name_is_known(
        self, ask, deliver, token_in, confirm, database, vault
    ):
        await ask()
        (letter,) = await deliver()

        account = await confirm(
            token_in(letter), given_name="Ada", family_name="Lovelace"
        )

        roles = await identity.roles_of(database, account.id)
        assert [role.name for role in roles] == ["customer"]
        profile = await customers.find(database, vault, account.id)
        assert (profile.given_name, profile.family_name) == ("Ada", "Lovelace")
        page = await identity.events(
            database, vault, account_id=account.id, after=None, limit=9
        )
        assert [event.kind for event in page.items] == ["account.created"]

    async def test_brings_the_orders_made_as_a_guest(self, buy, signed_up, database):
        mine = await buy(email="Ada@Example.com")
        others = await buy(email="bob@example.com")
        await database.fetch("DELETE FROM outbox RETURNING id")

        account = await signed_up()

        owners = await database.fetch("SELECT id, account_id FROM orders")
        assert {row["id"]: row["account_id"] for row in owners} == {
            mine.order.id: account.id,
            others.order.id: None,
        }

    async def test_takes_a_link_once(self, ask, deliver, token_in, confirm):
        await ask()
        (letter,) = await deliver()
        await confirm(token_in(letter))

        with pytest.raises(LinkNotValid):
            await confirm(token_in(letter))

    async def test_of_two_at_once_one_gets_the_account(
        self, ask, deliver, token_in, confirm, database, vault
    ):
        await ask()
        (letter,) = await deliver()

        both = [asyncio.create_task(confirm(token_in(letter))) for _ in range(4)]
        await asyncio.wait(both)

        refused = [task.exception() for task in both if task.exception()]
        assert [type(error) for error in refused] == [LinkNotValid] * 3
        page = await accounts.browse(database, vault, after=None, limit=9)
        assert len(page.items) == 1

    async def test_takes_a_link_for_a_day(self, ask, deliver, token_in, confirm, clock):
        await ask()
        (letter,) = await deliver()
        clock.advance(hours=24)

        with pytest.raises(LinkNotValid):
            await confirm(token_in(letter))

    async def test_a_refused_password_leaves_the_link_good(
        self, ask, deliver, token_in, confirm
    ):
        await ask()
        (letter,) = await deliver()

        with pytest.raises(PasswordRefused):
            await confirm(token_in(letter), "ada@example")

        assert await confirm(token_in(letter))

    async def test_says_so_if_an_operator_was_faster(
        self, ask, deliver, token_in, confirm, database, vault, clock
    ):
        await ask()
        (letter,) = await deliver()
        async with database.transaction() as tx:
            await accounts.create(
                tx,
                vault,
                account_id=new_id(),
                email=ADA,
                password=None,
                verified_at=None,
                at=clock(),
            )

        with pytest.raises(EmailTaken):
            await confirm(token_in(letter))

    @cases(
        "token",
        [
            "",
            "x" * 100_000,
            "hfm_\x00",
            tokens.mint(tokens.EMAIL, b"0" * 32),
            tokens.mint(tokens.BROWSER, b"0" * 32),
        ],
    )
    async def test_refuses_what_is_not_a_token(self, confirm, token):
        with pytest.raises(LinkNotValid):
            await confirm(token)

    async def test_does_not_hash_for_who_has_no_link(
        self, confirm, database, monkeypatch, hasher
    ):
        monkeypatch.setattr(hasher, "_threads", None)

        with pytest.raises(LinkNotValid):
            await confirm(tokens.new_token(tokens.EMAIL))
