"""An address that an operator corrects is its owner's once they say so themselves."""

import asyncio

import pytest

from holdfast.domain import accounts, identity
from holdfast.domain.accounts import EmailTaken, LinkNotValid
from holdfast.domain.identity import AccountOfStaff, Operator, Origin
from holdfast.kernel.ids import new_id
from holdfast.workflows import email_change, passwords
from holdfast.workflows.roles import Giver
from holdfast.workflows.sign_in import InvalidLogin, SignIn
from holdfast.workflows.users import Users

OLD, NEW = "aad@example.com", "ada@example.com"
PASSWORD = "tea for two, please"


@pytest.fixture
def operator(origin):
    return Giver(Operator(new_id(), "Support", frozenset({"users:write"})), origin)


@pytest.fixture
def correct(database, vault, clock, operator):
    async def go(account_id, email=NEW, by=operator):
        return await Users(database, vault, clock).correct_email(account_id, email, by)

    return go


@pytest.fixture
def confirm(database, vault, clock, origin):
    async def go(token):
        return await email_change.confirm(
            database, vault, token, origin=origin, clock=clock
        )

    return go


@pytest.fixture
def enter(database, vault, hasher, clock, origin):
    """Sign in by a password."""

    async def go(email, password=PASSWORD):
        doors = SignIn(database, vault, hasher, clock)
        return await doors.by_password(email, password, origin=origin, place=None)

    return go


@pytest.fixture
def recorded(database, vault):
    """The kinds of events about an account and who did it, oldest first."""

    async def read(account_id):
        page = await identity.events(
            database, vault, account_id=account_id, after=None, limit=20
        )
        return [(event.kind, event.actor) for event in reversed(page.items)]

    return read


class TestCorrectEmail:
    async def test_is_told_to_the_old_address_and_confirmed_at_the_new_one(
        self, signed_up, correct, confirm, deliver, token_in, operator, recorded
    ):
        account = await signed_up(OLD)

        corrected = await correct(account.id)

        assert (corrected.email, corrected.email_verified_at) == (NEW, None)
        notice, letter = await deliver()
        assert (notice.recipient, letter.recipient) == (OLD, NEW)
        assert NEW not in notice.body
        assert letter.subject == "Confirm your e-mail address"
        confirmed = await confirm(token_in(letter))
        assert (confirmed.id, confirmed.email) == (account.id, NEW)
        assert confirmed.email_verified_at is not None
        assert await deliver() == [], "the old address was told already"
        assert (await recorded(account.id))[1:] == [
            ("email.changed", operator.actor),
            ("email.verified", f"account:{account.id}"),
        ]

    async def test_lets_nobody_in_by_password_until_it_is_confirmed(
        self, signed_up, correct, confirm, enter, deliver, token_in
    ):
        account = await signed_up(OLD)
        await correct(account.id)

        for email in (OLD, NEW):
            with pytest.raises(InvalidLogin):
                await enter(email)

        _, letter = await deliver()
        await confirm(token_in(letter))
        assert (await enter(NEW)).account_id == account.id

    async def test_ends_the_sessions(
        self, signed_up, correct, database, vault, clock, origin
    ):
        account = await signed_up(OLD)
        async with database.transaction() as tx:
            await accounts.open_session(
                tx,
                vault,
                account_id=account.id,
                kind="first_party",
                client_id="till",
                scopes=(),
                methods=("pwd",),
                authenticated_at=clock(),
                origin=origin,
                cookie=None,
                expires_at=accounts.expiry_of("first_party", clock()),
                at=clock(),
            )

        await correct(account.id)

        assert not await accounts.sessions_of(database, vault, account.id, clock())

    async def test_a_sign_in_that_was_under_way_opens_nothing(
        self, signed_up, correct, enter, database
    ):
        account = await signed_up(OLD)
        proved = await enter(OLD)

        await correct(account.id)

        async with database.transaction() as tx:
            with pytest.raises(InvalidLogin):
                await proved.hold(tx)

    async def test_ends_the_links_that_went_to_the_old_address(
        self,
        signed_up,
        correct,
        confirm,
        deliver,
        token_in,
        database,
        vault,
        hasher,
        clock,
        origin,
    ):
        account = await signed_up(OLD)
        await passwords.request_reset(database, vault, OLD, origin=origin, clock=clock)
        await email_change.request(
            database,
            vault,
            hasher,
            account.id,
            email="mallory@example.com",
            password=PASSWORD,
            session_id=new_id(),
            origin=origin,
            clock=clock,
        )
        reset, change = await deliver()

        await correct(account.id)

        with pytest.raises(LinkNotValid):
            await passwords.reset(
                database,
                vault,
                hasher,
                token_in(reset),
                "a new one for me",
                shortest=8,
                origin=origin,
                clock=clock,
            )
        with pytest.raises(LinkNotValid):
            await confirm(token_in(change))

    async def test_the_same_address_again_sends_another_link_and_tells_nobody_else(
        self, signed_up, correct, confirm, deliver, token_in, recorded
    ):
        account = await signed_up(OLD)
        await correct(account.id)
        _, first = await deliver()

        await correct(account.id)

        (second,) = await deliver()
        assert second.recipient == NEW
        with pytest.raises(LinkNotValid):
            await confirm(token_in(first))
        await confirm(token_in(second))
        kinds = [kind for kind, _ in await recorded(account.id)]
        assert kinds.count("email.changed") == 1
        # Nothing is left to correct.
        again = await correct(account.id)
        assert again.email_verified_at is not None
        assert await deliver() == []

    async def test_sends_who_was_never_in_a_link_to_a_first_password(
        self, correct, deliver, token_in, database, vault, clock, hasher, origin
    ):
        users = Users(database, vault, clock)
        account = await users.create(OLD, [], Giver())
        (mistyped,) = await deliver()

        await correct(account.id)

        _, letter = await deliver()
        assert letter.subject == mistyped.subject
        for token, opens in ((token_in(mistyped), False), (token_in(letter), True)):
            try:
                await passwords.reset(
                    *(database, vault, hasher, token, PASSWORD),
                    shortest=8,
                    origin=origin,
                    clock=clock,
                )
            except LinkNotValid:
                assert not opens
        found = await accounts.find(database, vault, account.id)
        assert found.email_verified_at is not None

    async def test_of_two_at_once_the_last_stands_and_its_link_alone_is_good(
        self, signed_up, correct, confirm, deliver, token_in, database, vault
    ):
        account = await signed_up(OLD)
        async with asyncio.TaskGroup() as group:
            for email in ("one@example.com", "two@example.com"):
                group.create_task(correct(account.id, email))
        stands = (await accounts.find(database, vault, account.id)).email

        opened = []
        for letter in await deliver():
            if "token=" in letter.body:
                try:
                    opened.append((await confirm(token_in(letter))).email)
                except LinkNotValid:
                    assert letter.recipient != stands

        assert opened == [stands]

    async def test_refuses_an_address_that_another_account_has(
        self, signed_up, correct, deliver, database, vault
    ):
        account, _ = await signed_up(OLD), await signed_up(NEW)

        with pytest.raises(EmailTaken):
            await correct(account.id)

        assert await deliver() == []
        assert (await accounts.find(database, vault, account.id)).email == OLD

    async def test_is_not_for_the_account_of_a_colleague_but_on_the_server(
        self, signed_up, correct, database, clock
    ):
        account = await signed_up(OLD)
        async with database.transaction() as tx:
            await identity.grant_role(tx, account.id, "support", by="x", at=clock())
        everything = Operator(new_id(), "Admin", identity.KEY_SCOPES)

        with pytest.raises(AccountOfStaff):
            await correct(account.id, by=Giver(everything, Origin()))

        assert (await correct(account.id, by=Giver())).email == NEW
