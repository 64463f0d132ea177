"""After a rotation everything is sealed under the new key, whatever happens."""

import base64

import pytest
from structlog.testing import capture_logs

from holdfast.domain import notifications, ordering
from holdfast.domain.notifications import Message
from holdfast.domain.ordering import Address
from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency, resealing
from holdfast.platform.data_keys import KNOWN_AFTER, DataKeys, KeysChanged
from holdfast.platform.idempotency import Answer, Claim
from holdfast.workflows import data_keys
from holdfast.workflows.data_keys import COLUMNS, Resealing

# The same as that of the fixture `vault`.
DATA_KEY = "base64:" + base64.b64encode(b"wraps the keys of every test run").decode()
ASKED = Claim("guest:1", "POST /v1/x", "key-1", b"said")
# bytea columns that hold nothing to be sealed: hashes, indexes, wrapped keys, and files
# of products, which are about nobody.
NOT_SEALED = {
    "data_keys.wrapped",
    "drop_tickets.holder",
    "drops.commitment",
    "familiar_places.place",
    "idempotency_keys.fingerprint",
    "import_chunks.content",
    "import_jobs.sha256",
    "pgqueuer.payload",
    "sign_in_failures.subject",
}


@pytest.fixture
async def keys(database, clock):
    return await DataKeys.open(database, DATA_KEY, clock=clock)


@pytest.fixture
def worker(database, keys, clock):
    return Resealing(database, keys, clock)


@pytest.fixture
def rotate(keys, clock):
    async def new_key():
        await data_keys.begin(keys, clock=clock)
        clock.advance(seconds=KNOWN_AFTER.total_seconds())
        await data_keys.use_newest(keys, clock=clock)
        clock.advance(seconds=KNOWN_AFTER.total_seconds())

    return new_key


@pytest.fixture
def left(database, keys):
    async def count():
        progress = await data_keys.progress(database, keys)
        return {rows.name: rows.left for rows in progress.rows if rows.left}

    return count


@pytest.fixture
async def sold(database, vault, buy, clock):
    """One row of everything that an order leaves behind."""
    bought = await buy()
    message = Message("ada@example.com", "Your order", "Dear Ada,\n")
    async with database.transaction() as tx:
        await notifications.add(tx, vault, message, event_id=new_id(), at=clock())
        await idempotency.claim(tx, ASKED, subject=new_id(), at=clock())
        answer = Answer(200, {}, b'{"email":"ada@example.com"}')
        await idempotency.answer(tx, vault, ASKED, answer, at=clock())
    return bought


class TestColumns:
    async def test_are_all_that_the_schema_has(self, database):
        rows = await database.fetch(
            """SELECT table_name || '.' || column_name AS name
               FROM information_schema.columns
               WHERE table_schema = 'public' AND data_type = 'bytea'"""
        )
        sealed = {
            row["name"].removesuffix(".sealed")
            for row in rows
            if not row["name"].endswith(("_hash", "_index"))
        }

        assert sealed - NOT_SEALED == {column.name for column in COLUMNS}, (
            "list a sealed column in the SEALED of its module, and in count_sealed"
        )

    def test_are_all_counted(self):
        for column in COLUMNS:
            assert f"SELECT '{column.name}'" in resealing._COUNT_SEALED


class TestRotation:
    async def test_everything_is_sealed_anew_and_still_opens(
        self, database, keys, sold, rotate, worker, left
    ):
        before = keys.vault.prefix
        await rotate()
        assert await left() == {
            "carts": 1,
            "orders": 1,
            "emails": 1,
            "idempotency_keys.body": 1,
        }

        assert await worker.turn() == 4

        assert await left() == {}
        found = await ordering.find(database, keys.vault, sold.order.id)
        assert found == sold.order
        (email,) = await notifications.latest(database, keys.vault, limit=9)
        assert email.body == "Dear Ada,\n"
        answer = await idempotency.find(database, keys.vault, ASKED)
        assert answer.body == b'{"email":"ada@example.com"}'
        assert keys.vault.prefix != before

    async def test_the_old_key_goes_when_nothing_is_under_it(
        self, database, keys, sold, rotate, worker, clock
    ):
        await rotate()
        assert await data_keys.retire(database, keys, clock=clock) == 0

        await worker.turn()

        assert await data_keys.retire(database, keys, clock=clock) == 1
        found = await ordering.find(database, keys.vault, sold.order.id)
        assert found.email == sold.order.email

    async def test_no_key_goes_while_somebody_may_use_it(
        self, database, keys, clock, rotate
    ):
        await rotate()
        await data_keys.begin(keys, clock=clock)

        with pytest.raises(KeysChanged, match="half a minute"):
            await data_keys.retire(database, keys, clock=clock)

    async def test_one_that_was_cut_short_is_continued(self, keys, clock):
        await data_keys.begin(keys, clock=clock)
        added = keys.waiting_key

        await data_keys.begin(keys, clock=clock)

        assert keys.waiting_key == added

    async def test_nothing_is_resealed_before_everybody_knows_the_key(
        self, keys, sold, worker, clock, left
    ):
        await worker.turn()
        await data_keys.begin(keys, clock=clock)
        await data_keys.use_newest(keys, clock=clock)

        assert await worker.turn() == 0

        clock.advance(seconds=KNOWN_AFTER.total_seconds())
        assert await worker.turn() == 4
        assert await left() == {}

    async def test_a_worker_that_was_killed_goes_on_where_it_was(
        self, database, keys, clock, buy, rotate, left, monkeypatch
    ):
        monkeypatch.setattr(resealing, "BATCH", 2)
        for _ in range(5):
            await buy()
        await rotate()
        for _ in range(2):
            await resealing.reseal(database, keys.vault, COLUMNS[0])
        assert await left() == {"carts": 1, "orders": 5}

        assert await Resealing(database, keys, clock).turn() == 6

        assert await left() == {}

    async def test_a_row_in_use_is_passed_over_and_comes_later(
        self, database, sold, rotate, worker, left
    ):
        await rotate()
        async with database.transaction() as tx:
            await tx.fetch("SELECT id FROM orders FOR UPDATE")
            await worker.turn()
            assert await left() == {"orders": 1}

        await worker.turn()

        assert await left() == {}

    async def test_a_value_that_does_not_open_keeps_nobody_back(
        self, database, buy, rotate, worker, left
    ):
        broken, _ = await buy(), await buy()
        await database.fetch(
            "UPDATE orders SET sealed = (SELECT sealed FROM orders WHERE id <> $1) "
            "WHERE id = $1",
            broken.order.id,
        )
        await rotate()

        with capture_logs() as logs:
            await worker.turn()

        assert await left() == {"orders": 1}
        assert {
            "event": "sealed_value_does_not_open",
            "place": f"orders:{broken.order.id}",
            "log_level": "error",
        } in logs

    async def test_without_a_rotation_a_turn_is_one_look(self, sold, worker):
        assert await worker.turn() == 0
        assert not (await worker.keys.standing()).wants_resealing
        assert await worker.turn() == 0


class TestRowsFromBefore:
    @pytest.fixture
    async def from_before(self, database, sold):
        """The same rows as an older release would have written them."""
        address = {"name": "Ada", "line1": "1 Main St", "city": "Rome", "country": "IT"}
        await database.fetch(
            "UPDATE carts SET sealed = NULL, email = 'Ada@Example.com', "
            "shipping_address = $1",
            address,
        )
        await database.fetch(
            "UPDATE orders SET sealed = NULL, email_index = NULL, "
            "email = 'Ada@Example.com', shipping_address = $1",
            address,
        )
        await database.fetch(
            "UPDATE emails SET sealed = NULL, recipient_index = NULL, "
            "recipient = 'Ada@Example.com', subject = 'Hello', body = 'Dear Ada'"
        )
        await database.fetch(
            "UPDATE idempotency_keys SET body = $1", b'{"email":"Ada@Example.com"}'
        )
        return sold.order

    async def test_are_read_as_they_are(self, database, vault, from_before):
        order = await ordering.find(database, vault, from_before.id)
        cart = await ordering.find_cart(database, vault, from_before.cart_id)
        (email,) = await notifications.latest(database, vault, limit=9)
        answer = await idempotency.find(database, vault, ASKED)

        assert order.email == cart.email == email.recipient == "Ada@Example.com"
        assert order.shipping_address == Address("Ada", "1 Main St", "Rome", "IT")
        assert answer.body == b'{"email":"Ada@Example.com"}'

    async def test_are_sealed_and_indexed_by_the_worker(
        self, database, vault, from_before, worker, left
    ):
        assert await worker.turn() == 4

        assert await left() == {}
        page = await ordering.latest(
            database, vault, after=None, limit=9, email="ada@example.com"
        )
        assert [order.email for order in page.items] == ["Ada@Example.com"]
        index = notifications.index_of(vault, "ada@example.com")
        (email,) = await notifications.of_recipient(database, vault, index)
        assert (email.subject, email.body) == ("Hello", "Dear Ada")
        clear = await database.fetchval(
            "SELECT count(*) FROM orders WHERE email IS NOT NULL "
            "OR shipping_address IS NOT NULL"
        )
        assert clear == 0

    async def test_what_an_older_release_wrote_over_it_is_the_newer(
        self, database, vault, sold, worker
    ):
        await database.fetch("UPDATE carts SET email = 'new@example.com'")

        before = await ordering.find_cart(database, vault, sold.order.cart_id)
        await worker.turn()
        after = await ordering.find_cart(database, vault, sold.order.cart_id)

        assert before.email == after.email == "new@example.com"
