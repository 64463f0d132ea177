from datetime import timedelta

import asyncpg
import pytest
from cases import cases

from holdfast.domain import identity
from holdfast.domain.identity import Origin
from holdfast.kernel.ids import new_id
from holdfast.kernel.page import BadCursor

HERE = Origin("203.0.113.7", "Firefox", "a-request")


@pytest.fixture
def recorded(database, vault, clock):
    """Record an event."""

    async def put(kind="sign_in.failed", *, actor="anonymous", at=None, **more):
        async with database.transaction() as tx:
            await identity.record(
                *(tx, vault, kind), actor=actor, origin=HERE, at=at or clock(), **more
            )

    return put


@pytest.fixture
def read(database, vault):
    """The events that are found, newest first."""

    async def find(**wanted):
        page = await identity.events(
            database, vault, after=None, **{"limit": 100, **wanted}
        )
        return page.items

    return find


class TestRecord:
    async def test_keeps_what_happened_to_whom_by_whom_and_from_where(
        self, recorded, read, clock
    ):
        account_id, session_id = new_id(), new_id()
        await recorded(
            "role.granted",
            actor="key:1",
            account_id=account_id,
            session_id=session_id,
            client_id="app",
            detail={"role": "support", "times": 2},
        )

        (event,) = await read()
        assert event.kind == "role.granted"
        assert event.actor == "key:1"
        assert event.account_id == account_id
        assert event.session_id == session_id
        assert event.client_id == "app"
        assert event.request_id == "a-request"
        assert (event.address, event.user_agent) == ("203.0.113.7", "Firefox")
        assert event.detail == {"role": "support", "times": 2}
        assert event.happened_at == clock()

    async def test_keeps_no_address_in_clear(self, recorded, database):
        await recorded()

        row = await database.fetchval("SELECT e::text FROM security_events e")
        assert "203.0.113.7" not in row
        assert "Firefox" not in row

    async def test_refuses_a_kind_that_nobody_would_look_for(self, recorded):
        with pytest.raises(ValueError, match="is not a kind"):
            await recorded("sign_in.odd")

    async def test_needs_no_address(self, database, vault, clock, read):
        async with database.transaction() as tx:
            await identity.record(
                *(tx, vault, "signing_key.rotated"),
                actor=identity.TIMER,
                origin=Origin(),
                at=clock(),
            )

        (event,) = await read()
        assert (event.address, event.user_agent) == (None, None)


class TestKinds:
    def test_each_has_a_title_and_a_dotted_lower_name(self):
        for kind, title in identity.EVENT_TITLES.items():
            assert kind.replace("_", "").replace(".", "").islower(), kind
            assert kind.count(".") == 1, kind
            assert title[0].isupper(), kind


class TestEvents:
    async def test_gives_pages_newest_first_each_once(self, recorded, database, vault):
        for number in range(5):
            await recorded(detail={"n": number})

        seen, after = [], None
        while True:
            page = await identity.events(database, vault, after=after, limit=2)
            seen += [event.detail["n"] for event in page.items]
            after = page.next
            if after is None:
                break

        assert seen == [4, 3, 2, 1, 0]

    async def test_can_be_narrowed(self, recorded, read):
        one, other = new_id(), new_id()
        await recorded("sign_in.failed", account_id=one)
        await recorded("sign_in.succeeded", account_id=one, actor="a")
        await recorded("sign_in.failed", account_id=other, actor="a")
        await recorded("sign_in.blocked", actor="b")

        async def kinds(**wanted):
            return [event.kind for event in await read(**wanted)]

        assert await kinds(account_id=one) == ["sign_in.succeeded", "sign_in.failed"]
        assert await kinds(account_id=one, kind="sign_in.failed") == ["sign_in.failed"]
        assert await kinds(account_id=one, actor="a") == ["sign_in.succeeded"]
        assert await kinds(actor="a") == ["sign_in.failed", "sign_in.succeeded"]
        assert await kinds(actor="a", kind="sign_in.failed") == ["sign_in.failed"]
        assert len(await kinds(kind="sign_in.failed")) == 2
        assert await kinds(account_id=one, actor="b") == []

    async def test_refuses_a_cursor_of_another_list(self, database, vault):
        with pytest.raises(BadCursor):
            await identity.events(database, vault, after="tea", limit=2)


class TestTheRecord:
    @cases(
        "statement",
        [
            "UPDATE security_events SET actor = 'somebody else'",
            "UPDATE security_events SET happened_at = now()",
            "UPDATE security_events SET detail = '{}', sealed = NULL",
            "UPDATE security_events SET id = gen_random_uuid()",
            "DELETE FROM security_events",
            "TRUNCATE security_events",
        ],
    )
    async def test_is_changed_by_nobody(self, database, recorded, read, statement):
        await recorded(detail={"n": 1})
        before = await read()

        async with database.acquire() as connection:
            with pytest.raises(asyncpg.RaiseError, match="kept as they are"):
                await connection.execute(statement)

        assert await read() == before

    async def test_can_be_sealed_anew(self, database, vault, recorded, read):
        await recorded()
        (before,) = await read()
        sealed = vault.seal_json(
            {"address": before.address, "user_agent": before.user_agent},
            place=f"security_events:{before.id}",
        )

        async with database.transaction() as tx:
            await tx.execute("UPDATE security_events SET sealed = $1", sealed)

        assert await read() == [before]


class TestForgetEvents:
    async def test_drops_what_is_older_than_400_days(
        self, database, recorded, read, clock
    ):
        await recorded("sign_in.failed", at=clock() - timedelta(days=401))
        await recorded("sign_in.blocked", at=clock() - timedelta(days=399))

        async with database.transaction() as tx:
            gone = await identity.forget_events(tx, now=clock(), limit=10)

        assert gone == 1
        assert [event.kind for event in await read()] == ["sign_in.blocked"]

    async def test_looks_at_so_many_at_a_time(self, database, recorded, clock):
        for _ in range(3):
            await recorded(at=clock() - timedelta(days=401))

        async with database.transaction() as tx:
            gone = [
                await identity.forget_events(tx, now=clock(), limit=2) for _ in range(3)
            ]

        assert gone == [2, 1, 0]


class TestForgetOrigins:
    async def test_drops_where_a_person_was_and_keeps_what_happened(
        self, database, recorded, read
    ):
        person, other = new_id(), new_id()
        await recorded("sign_in.failed", account_id=person)
        await recorded("role.granted", account_id=other, actor=f"account:{person}")
        await recorded("sign_in.failed", account_id=other)
        await recorded("account.disabled", account_id=person, actor="key:1")

        async with database.transaction() as tx:
            assert await identity.forget_origins(tx, person) == 2

        assert [event.address for event in await read()] == [
            "203.0.113.7",
            "203.0.113.7",
            None,
            None,
        ]
