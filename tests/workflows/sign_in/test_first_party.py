"""Signing in to the shop's own applications: one statement after the password."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.domain import accounts, identity, oauth
from holdfast.domain.accounts import Hasher
from holdfast.domain.identity import Origin
from holdfast.domain.oauth import KeyRing
from holdfast.kernel import tokens
from holdfast.workflows.first_party import Entrance, Opened
from holdfast.workflows.sign_in import InvalidLogin, SecondFactorNeeded

ADA, PASSWORD = "ada@example.com", "correct horse battery staple"
HOME = Origin("192.0.2.7", "Firefox", "req-1")
ISSUER = "https://shop.test"
SCOPES = ("openid", "orders:own", "account:read", "users:write")


@pytest.fixture
async def client(database, clock):
    """An application of the shop's own."""
    at = clock()
    made = oauth.Client(
        id="till",
        name="Till",
        kind="public",
        redirect_uris=("https://till.test/",),
        grant_types=("authorization_code", "refresh_token"),
        scopes=SCOPES,
        first_party=True,
        created_at=at,
        updated_at=at,
        disabled_at=None,
    )
    async with database.transaction() as tx:
        await oauth.add_client(tx, made, None)
    return made


@pytest.fixture
async def customer(ada, database, clock):
    """Ada, who may do what customers may."""
    async with database.transaction() as tx:
        await identity.grant_role(tx, ada.account_id, "customer", by="test", at=clock())
    return ada


@pytest.fixture
def entrance(sign_in, client, database, vault, clock):
    keyring = KeyRing(database, vault, clock)
    return Entrance(sign_in, keyring, client, SCOPES, ISSUER, HOME)


@pytest.fixture
def enter(entrance):
    async def by_password(password=PASSWORD, *, place=None, at=entrance):
        return await at.by_password(ADA, password, place=place)

    return by_password


@pytest.fixture
def left(database):
    """How many sessions, refresh tokens, places and failures there are."""

    async def count():
        row = await database.fetchrow(
            "SELECT (SELECT count(*) FROM sessions) AS sessions,"
            " (SELECT count(*) FROM refresh_tokens) AS refresh_tokens,"
            " (SELECT count(*) FROM familiar_places) AS places,"
            " (SELECT count(*) FROM sign_in_failures) AS failures"
        )
        return dict(row)

    return count


class Slow:
    """A hasher that is done only after something has happened."""

    def __init__(self, hasher, happens):
        self._hasher = hasher
        self._happens = happens

    def __getattr__(self, name):
        return getattr(self._hasher, name)

    async def verify(self, phc, password):
        right = await self._hasher.verify(phc, password)
        await self._happens()
        return right


class Counted:
    """A database that writes down in how many pieces it is asked to write."""

    def __init__(self, database):
        self._database = database
        self.said = []

    def __getattr__(self, name):
        return getattr(self._database, name)

    @asynccontextmanager
    async def statement(self):
        self.said.append("statement")
        async with self._database.statement() as tx:
            yield tx

    @asynccontextmanager
    async def transaction(self):
        self.said.append("transaction")
        async with self._database.transaction() as tx:
            yield tx


class TestByPassword:
    async def test_opens_a_session_with_what_a_role_allows(
        self, customer, enter, client, database, vault, clock
    ):
        opened = await enter()

        assert isinstance(opened, Opened)
        (kept,) = await accounts.sessions_of(
            database, vault, customer.account_id, clock()
        )
        assert kept == opened.session
        assert (kept.kind, kept.client_id, kept.methods) == (
            *("first_party", client.id, ("pwd",)),
        )
        assert (kept.address, kept.user_agent) == (HOME.address, HOME.user_agent)
        assert kept.expires_at == clock() + accounts.TOKENS_LONGEST
        # Asked for in another order, and more than a customer may.
        assert kept.scopes == ("account:read", "openid", "orders:own")
        assert opened.issued.scope == "openid orders:own account:read"
        assert opened.issued.id_token is not None

    async def test_without_a_role_only_what_needs_none(self, ada, enter):
        opened = await enter()

        assert opened.session.scopes == ("openid",)

    async def test_its_refresh_token_is_that_of_the_session(
        self, customer, enter, client, database, clock
    ):
        opened = await enter()

        found = await oauth.find_refresh_token(
            database, opened.issued.refresh_token, clock()
        )
        assert found.session_id == opened.session.id
        assert found.client_id == client.id
        assert found.expires_at == clock() + timedelta(days=30)

    async def test_a_client_that_never_refreshes_gets_none(
        self, customer, entrance, enter, left
    ):
        plain = replace(entrance.client, grant_types=("authorization_code",))

        opened = await enter(at=replace(entrance, client=plain))

        assert opened.issued.refresh_token is None
        assert (await left())["refresh_tokens"] == 0

    async def test_takes_two_statements_one_before_the_hash_and_one_after(
        self, customer, entrance, enter
    ):
        await entrance.keyring.signer()
        doors = entrance.doors
        counted = Counted(doors.db)

        await enter(at=replace(entrance, doors=replace(doors, db=counted)))

        assert counted.said == ["statement", "statement"]

    async def test_is_recorded_once(self, customer, enter, recorded):
        await enter()

        assert await recorded() == [("sign_in.succeeded", customer.account_id)]

    async def test_the_record_says_whence_and_how(
        self, customer, enter, database, vault
    ):
        await enter()

        page = await identity.events(database, vault, after=None, limit=5)
        (event,) = page.items
        assert event.actor == f"account:{customer.account_id}"
        assert (event.address, event.user_agent) == (HOME.address, HOME.user_agent)
        assert event.request_id == HOME.request_id
        assert event.detail == {"methods": "pwd"}

    async def test_a_right_password_is_no_failure(self, customer, enter, database):
        for _ in range(3):
            with pytest.raises(InvalidLogin):
                await enter("wrong")
        await enter()

        rows = await database.fetch("SELECT kind, failures FROM sign_in_failures")
        # Those of the pair are forgotten, and of the others' this one is not counted.
        assert {row["kind"]: row["failures"] for row in rows} == {
            "address": 3,
            "account": 3,
        }

    async def test_a_wait_that_its_own_count_brought_about_ends(
        self, customer, enter, database
    ):
        for _ in range(4):
            with pytest.raises(InvalidLogin):
                await enter("wrong")

        for _ in range(2):
            assert isinstance(await enter(), Opened)

    async def test_the_place_is_familiar_afterwards(self, customer, entrance, enter):
        first = await enter()
        moved = replace(entrance, origin=Origin("198.51.100.9"))

        again = await enter(place=first.place, at=moved)
        planted = await enter(place=tokens.new_token(tokens.PLACE))

        assert again.place == first.place
        assert planted.place != first.place

    async def test_the_latest_forty_places_are_kept_besides(
        self, customer, enter, clock, database
    ):
        for _ in range(45):
            clock.advance(minutes=1)
            latest = await enter()

        kept = await database.fetch("SELECT place FROM familiar_places")
        assert len(kept) == 42
        assert tokens.fingerprint(latest.place) in {row["place"] for row in kept}

    async def test_two_at_once_both_get_in(self, customer, enter, left):
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(enter())

        assert (await left())["sessions"] == 2


class TestMeanwhile:
    """The password is right, and something happens before its session is stored."""

    @pytest.fixture
    def enter_while(self, entrance, enter):
        async def slowly(happens):
            doors = entrance.doors
            slow = replace(doors, hasher=Slow(doors.hasher, happens))
            return await enter(at=replace(entrance, doors=slow))

        return slowly

    @pytest.mark.parametrize("what", ["password", "disabled", "address"])
    async def test_nothing_is_left_of_a_sign_in_that_came_too_late(
        self, customer, enter_while, database, vault, clock, left, recorded, what
    ):
        async def happens():
            clock.advance(seconds=1)
            async with database.transaction() as tx:
                if what == "password":
                    await accounts.set_password(
                        tx, vault, customer.account_id, "$another", clock()
                    )
                elif what == "address":
                    await accounts.set_email(
                        *(tx, vault, customer.account_id, "x@example.com", clock()),
                        verified=False,
                    )
                else:
                    await accounts.disable(tx, customer.account_id, clock())

        with pytest.raises(InvalidLogin):
            await enter_while(happens)

        # The guess stays counted: by account, by address and by both.
        nothing = {"sessions": 0, "refresh_tokens": 0, "places": 0}
        assert await left() == {**nothing, "failures": 3}
        assert await recorded() == []


class TestMoreToDo:
    async def test_a_second_factor_is_asked_for(self, ada_with_codes, enter, left):
        asked = await enter()

        assert isinstance(asked, SecondFactorNeeded)
        assert (await left())["sessions"] == 0

    async def test_a_code_opens_the_session(
        self, ada_with_codes, entrance, enter, clock
    ):
        asked = await enter()

        opened = await entrance.by_code(asked.challenge, ada_with_codes.code(clock()))

        assert opened.session.methods == ("pwd", "otp", "mfa")

    async def test_a_hash_of_other_costs_is_replaced(
        self, customer, entrance, enter, database, vault
    ):
        dearer = Hasher(memory_kib=128, passes=1)
        doors = replace(entrance.doors, hasher=dearer)

        opened = await enter(at=replace(entrance, doors=doors))

        kept = await accounts.password_of(database, vault, customer.account_id)
        assert isinstance(opened, Opened)
        assert not dearer.needs_rehash(kept)
        dearer.close()
