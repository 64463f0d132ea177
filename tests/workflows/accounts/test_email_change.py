import asyncio

import pytest

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import EmailTaken, LinkNotValid, WrongPassword
from holdfast.kernel.ids import new_id
from holdfast.workflows import email_change, passwords

OLD, NEW = "ada@example.com", "countess@example.com"
PASSWORD = "tea for two, please"


@pytest.fixture
def ask(database, vault, hasher, clock, origin):
    async def go(account_id, email=NEW, password=PASSWORD):
        await email_change.request(
            database,
            vault,
            hasher,
            account_id,
            email=email,
            password=password,
            session_id=new_id(),
            origin=origin,
            clock=clock,
        )

    return go


@pytest.fixture
def confirm(database, vault, clock, origin):
    async def go(token):
        return await email_change.confirm(
            database, vault, token, origin=origin, clock=clock
        )

    return go


class TestRequest:
    async def test_changes_nothing_by_itself(
        self, signed_up, ask, deliver, database, vault
    ):
        account = await signed_up()

        await ask(account.id)

        (letter,) = await deliver()
        assert letter.recipient == NEW
        assert OLD not in letter.body
        assert (await accounts.find(database, vault, account.id)).email == OLD

    async def test_needs_the_password(self, signed_up, ask, deliver):
        account = await signed_up()

        with pytest.raises(WrongPassword):
            await ask(account.id, password="not this")

        assert await deliver() == []

    async def test_tells_the_owner_of_an_address_that_is_taken_and_nobody_else(
        self, signed_up, ask, deliver
    ):
        account = await signed_up()
        await signed_up(NEW)

        await ask(account.id)

        (letter,) = await deliver()
        assert letter.recipient == NEW
        assert letter.subject == "This e-mail address has an account already"
        assert "token=" not in letter.body


class TestConfirm:
    async def test_uses_the_new_address_and_tells_the_old_one(
        self, signed_up, ask, deliver, token_in, confirm, database, vault
    ):
        account = await signed_up()
        await ask(account.id)

        changed = await confirm(token_in((await deliver())[0]))

        assert changed.email == NEW
        (notice,) = await deliver()
        assert notice.recipient == OLD
        assert NEW not in notice.body
        page = await identity.events(
            database, vault, account_id=account.id, after=None, limit=1
        )
        assert [event.kind for event in page.items] == ["email.changed"]

    async def test_takes_a_link_once(self, signed_up, ask, deliver, token_in, confirm):
        account = await signed_up()
        await ask(account.id)
        token = token_in((await deliver())[0])
        await confirm(token)

        with pytest.raises(LinkNotValid):
            await confirm(token)

    async def test_a_newer_link_ends_the_one_before_whatever_its_address(
        self, signed_up, ask, deliver, token_in, confirm
    ):
        account = await signed_up()
        await ask(account.id)
        await ask(account.id, "other@example.com")
        older, newer = await deliver()

        with pytest.raises(LinkNotValid):
            await confirm(token_in(older))
        assert (await confirm(token_in(newer))).email == "other@example.com"

    async def test_says_so_if_somebody_got_the_address_meanwhile(
        self, signed_up, ask, deliver, token_in, confirm
    ):
        account = await signed_up()
        await ask(account.id)
        token = token_in((await deliver())[0])
        await signed_up(NEW)

        with pytest.raises(EmailTaken):
            await confirm(token)

    @pytest.fixture
    async def contested(self, signed_up, ask, deliver, token_in):
        """Two accounts, each with a link to the same new address."""
        rivals = [await signed_up(), await signed_up("eve@example.com")]
        tokens = []
        for account in rivals:
            await ask(account.id)
            tokens += [token_in(letter) for letter in await deliver()]
        return rivals, tokens

    async def test_nobody_ends_the_link_of_another_by_asking_for_its_address(
        self, contested, confirm
    ):
        (ada, _), (hers, _) = contested

        assert (await confirm(hers)).id == ada.id

    async def test_of_two_accounts_at_once_one_gets_the_address(
        self, contested, confirm, database, vault
    ):
        rivals, tokens = contested

        async def follow(token):
            try:
                return (await confirm(token)).id
            except EmailTaken:
                return None

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(follow(token)) for token in tokens]

        winner = await accounts.find_by_email(database, vault, NEW)
        assert winner is not None
        assert sorted(map(str, (task.result() for task in tasks))) == sorted(
            [str(winner.id), "None"]
        )
        assert winner.id in {account.id for account in rivals}

    async def test_is_refused_once_the_account_is_closed(
        self, signed_up, ask, deliver, token_in, confirm, database, clock
    ):
        account = await signed_up()
        await ask(account.id)
        token = token_in((await deliver())[0])
        async with database.transaction() as tx:
            await accounts.disable(tx, account.id, clock())

        with pytest.raises(LinkNotValid):
            await confirm(token)

    async def test_ends_the_links_that_went_to_the_old_address(
        self,
        signed_up,
        ask,
        deliver,
        token_in,
        confirm,
        database,
        vault,
        hasher,
        clock,
        origin,
    ):
        account = await signed_up()
        await passwords.request_reset(database, vault, OLD, origin=origin, clock=clock)
        await ask(account.id)
        to_old, to_new = await deliver()
        await confirm(token_in(to_new))

        with pytest.raises(LinkNotValid):
            await passwords.reset(
                database,
                vault,
                hasher,
                token_in(to_old),
                "a new one for me",
                shortest=8,
                origin=origin,
                clock=clock,
            )
