"""Notes are sealed, kept as they were written, and go with the person."""

import pytest

from holdfast.domain import ordering
from holdfast.kernel.ids import new_id


@pytest.fixture
def note(database, vault, clock):
    async def write(order_id, text="Rang twice."):
        async with database.transaction() as tx:
            return await ordering.add_note(
                tx, vault, order_id, text, actor="test", at=clock()
            )

    return write


class TestNotes:
    async def test_are_read_as_they_were_written(self, database, vault, placed, note):
        order, other = await placed(), await placed()
        first, second = await note(order.id), await note(order.id, "Then wrote.")
        await note(other.id)

        assert await ordering.notes_of(database, vault, order.id) == [first, second]

    async def test_of_no_order_are_not_written(self, database, note):
        assert await note(new_id()) is None
        assert await database.fetchval("SELECT count(*) FROM order_events") == 0

    async def test_go_with_the_person_and_leave_a_mark(
        self, database, vault, placed, note
    ):
        mine, theirs, account_id = await placed(), await placed(), new_id()
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE orders SET account_id = $1 WHERE id = $2", account_id, mine.id
            )
        await note(mine.id)
        kept = await note(theirs.id)
        own = await ordering.notes_of_account(database, vault, account_id)

        async with database.transaction() as tx:
            await ordering.forget_person(tx, account_id, [])

        assert [found.order_id for found in own] == [mine.id]
        assert await ordering.notes_of(database, vault, mine.id) == []
        assert await ordering.notes_of(database, vault, theirs.id) == [kept]
        kinds = [e.kind for e in await ordering.events_of(database, mine.id)]
        assert kinds[-1] == "note"
