"""Files of products go in batch by batch; what is bad stays out by itself."""

import asyncio
import threading

import msgspec
import pytest

from holdfast.domain import catalog, imports
from holdfast.domain.imports import Place, Tally
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money
from holdfast.workflows import import_files
from holdfast.workflows import imports as workflow
from holdfast.workflows.import_files import Pieces
from holdfast.workflows.imports import carry_on

OUT_OF_RANGE = (
    "a stock level must be a whole number from 0 to 1,000,000,000,000: sku 'MUCH'"
)


def line(handle, sku=None, *, on_hand=3, **fields):
    """A product of one variant as a line."""
    variant = {
        "sku": sku or handle.upper(),
        "price": {"amount": 490, "currency": "EUR"},
        "on_hand": on_hand,
    }
    product = {"handle": handle, "title": handle.title(), "status": "active"}
    return msgspec.json.encode({**product, "variants": [variant], **fields}) + b"\n"


class TestCarryOn:
    async def test_takes_a_whole_file_in_with_its_stock(
        self, send, work_off, job_of, skus
    ):
        job = await send(line("tea") + b"\n" + line("coffee", on_hand=0), size=7)

        await work_off()

        after = await job_of(job)
        assert (after.status, after.progress) == ("completed", 1.0)
        assert after.tally == Tally(created=2)
        assert await skus() == {"TEA": 3, "COFFEE": 0}

    async def test_finds_nothing_to_do_where_there_is_no_file(self, database, clock):
        assert await carry_on(database, clock=clock) is False

    async def test_says_of_each_bad_row_what_is_wrong_and_takes_the_others(
        self, send, work_off, job_of, messages, skus, a_product
    ):
        await a_product("TAKEN")
        rows = [
            line("tea"),
            b"{\n",
            line("thief", "TAKEN"),
            line("lost", categories=["nowhere"]),
            line("tea", "TEA-2"),
            line("much", on_hand=10**15),
            line("coffee"),
            line("copy", "COFFEE"),
        ]

        job = await send(b"".join(rows))
        await work_off()

        assert await messages(job) == [
            (2, "this is not JSON: Input data was truncated"),
            (3, "a variant of another product has this SKU: sku 'TAKEN'"),
            (4, "categories/0 does not exist"),
            (5, "the product 'tea' began already at line 1"),
            (6, OUT_OF_RANGE),
            (8, "a variant of another product has this SKU: sku 'COFFEE'"),
        ]
        assert (await job_of(job)).tally == Tally(created=2, refused=6)
        assert (await skus()).keys() == {"TAKEN", "TEA", "COFFEE"}

    async def test_a_second_time_changes_nothing_but_what_was_changed(
        self, send, work_off, job_of, skus
    ):
        first = line("tea") + line("coffee")
        await send(first)
        await work_off()

        job = await send(line("tea", on_hand=9) + line("coffee", title="Beans"))
        await work_off()

        assert (await job_of(job)).tally == Tally(updated=1, unchanged=1)
        assert await skus() == {"TEA": 3, "COFFEE": 3}

    async def test_sets_the_stock_of_what_is_known_if_that_is_asked(
        self, send, work_off, skus
    ):
        await send(line("tea"))
        await send(line("tea", on_hand=9), overwrite_stock=True)

        await work_off()

        assert await skus() == {"TEA": 9}

    async def test_changes_a_product_that_somebody_makes_in_the_same_instant(
        self, database, clock, send, job_of, meanwhile
    ):
        variant = catalog.VariantDraft(sku="TEA", price=Money(1, "EUR"), options={})
        draft = catalog.Draft(handle="tea", title="Tea", variants=(variant,))
        job = await send(line("tea"))

        async with asyncio.TaskGroup() as tasks, database.transaction() as tx:
            await catalog.add(tx, [catalog.Entry(new_id(), draft)], at=clock())
            await meanwhile(tasks, carry_on(database, clock=clock))

        assert (await job_of(job)).tally == Tally(updated=1)

    async def test_takes_shopifys_files_in_by_the_same_job(
        self, send, work_off, job_of, shared_data
    ):
        file = shared_data / "shopify" / "apparel.csv"
        job = await send(file.read_bytes(), format="shopify_csv")

        await work_off()

        after = await job_of(job)
        assert (after.status, after.tally) == ("completed", Tally(created=20))

    async def test_fails_where_the_file_is_none_of_its_kind(
        self, send, work_off, job_of
    ):
        job = await send(b"Name,Price\n", format="shopify_csv")

        await work_off()

        after = await job_of(job)
        assert after.status == "failed"
        assert after.failure == (
            "the header has no column Handle, Title, Variant Price"
        )

    async def test_gives_up_where_nearly_every_row_is_bad(
        self, send, work_off, job_of, monkeypatch
    ):
        monkeypatch.setattr(workflow, "MAX_FAULTS", 3)
        monkeypatch.setattr(workflow, "BATCH_ROWS", 2)
        job = await send(b"x\n" * 9 + line("tea"))

        await work_off()

        after = await job_of(job)
        assert (after.status, after.tally.refused) == ("failed", 4)
        assert after.failure == "more than 3 rows cannot be used"

    async def test_goes_on_in_turns_where_it_was(
        self, database, clock, send, job_of, monkeypatch, skus
    ):
        monkeypatch.setattr(workflow, "BATCH_PRODUCTS", 2)
        job = await send(b"".join(line(f"tea-{n}") for n in range(5)))
        seen = []

        while await carry_on(database, clock=clock, seconds=0):
            seen.append((await job_of(job)).tally.created)

        assert seen == [2, 4, 5]
        assert len(await skus()) == 5

    async def test_counts_a_fault_of_ours_and_goes_on(
        self, send, work_off, messages, monkeypatch, skus
    ):
        real = workflow.take_in

        async def fail(tx, arrivals, **said):
            if any(one.draft.handle == "tea" for one in arrivals):
                raise RuntimeError("a bug")
            return await real(tx, arrivals, **said)

        monkeypatch.setattr(workflow, "take_in", fail)
        job = await send(line("coffee") + line("tea") + line("milk"))

        await work_off()

        assert await messages(job) == [(2, "something went wrong on our side")]
        assert (await skus()).keys() == {"COFFEE", "MILK"}

    async def test_lets_those_be_served_who_are_woken_beside_it(
        self, send, work_off, monkeypatch
    ):
        told = []

        class GivingWay:
            def thread(self):
                told.append(threading.current_thread() is threading.main_thread())

            def backend(self, connection):
                told.append(connection.get_server_pid() > 0)

        monkeypatch.setattr(workflow, "_GIVING_WAY", GivingWay())
        await send(line("tea"))

        await work_off()

        # The thread that reads, the one that writes, and PostgreSQL.
        assert told == [False, True, True]

    async def test_a_file_that_ends_its_workers_is_given_up(
        self, database, clock, send, work_off, job_of
    ):
        job = await send(line("tea"))
        for _ in range(workflow.MAX_STARTS):
            async with database.transaction() as tx:
                assert await imports.claim(tx, at=clock()) is not None
            clock.advance(minutes=1)

        await work_off()

        after = await job_of(job)
        assert after.status == "failed"
        assert after.failure == "the process ended 5 times at the same place"


class TestTwoWorkers:
    async def test_of_two_at_one_job_one_takes_each_batch_in(
        self, database, clock, send, job_of, skus
    ):
        """The second has a lease too: the first was silent for too long."""
        job = await send(b"".join(line(f"tea-{n}") for n in range(4)))
        async with database.transaction() as tx:
            slow, _ = await imports.claim(tx, at=clock())
        clock.advance(minutes=1)
        assert await carry_on(database, clock=clock)

        late = workflow._Work(database, slow, clock)
        reader = workflow._batches(slow, Pieces(database, slow.id))
        batch = await asyncio.to_thread(next, reader)
        with pytest.raises(workflow._Superseded):
            await late.do(batch)
        with pytest.raises(workflow._Superseded):
            await late.end(None)

        assert (await job_of(job)).tally == Tally(created=4)
        assert len(await skus()) == 4

    async def test_what_is_canceled_meanwhile_takes_no_more_in(
        self, database, clock, send, job_of, skus
    ):
        job = await send(line("tea"))
        async with database.transaction() as tx:
            taken, _ = await imports.claim(tx, at=clock())
        await import_files.cancel(database, job.id, clock=clock)

        late = workflow._Work(database, taken, clock)
        reader = workflow._batches(taken, Pieces(database, taken.id))
        batch = await asyncio.to_thread(next, reader)
        with pytest.raises(workflow._Superseded):
            await late.do(batch)

        assert (await job_of(job)).status == "canceled"
        assert await skus() == {}

    async def test_a_job_that_somebody_works_at_is_left_alone(
        self, database, clock, send
    ):
        await send(line("tea"))
        async with database.transaction() as tx:
            await imports.claim(tx, at=clock())

        assert await carry_on(database, clock=clock) is False


class TestCancel:
    async def test_ends_the_job_where_it_is_and_keeps_what_is_in(
        self, database, clock, send, job_of, work_off, monkeypatch, skus
    ):
        monkeypatch.setattr(workflow, "BATCH_PRODUCTS", 2)
        job = await send(b"".join(line(f"tea-{n}") for n in range(5)))
        await carry_on(database, clock=clock, seconds=0)

        await import_files.cancel(database, job.id, clock=clock)
        await work_off()

        after = await job_of(job)
        assert (after.status, after.tally) == ("canceled", Tally(created=2))
        assert after.done == Place(after.done.offset, 2)
        assert len(await skus()) == 2

    async def test_is_refused_for_what_has_ended_or_never_was(
        self, database, clock, send, work_off
    ):
        job = await send(line("tea"))
        await work_off()

        with pytest.raises(imports.ImportEnded) as raised:
            await import_files.cancel(database, job.id, clock=clock)
        assert raised.value.import_status == "completed"


class TestForget:
    async def test_drops_files_of_what_has_ended_and_the_rest_a_month_later(
        self, database, clock, send, work_off, messages
    ):
        job = await send(line("tea") + b"x\n")
        await work_off()
        left = (
            "SELECT (SELECT count(*) FROM import_chunks),"
            " (SELECT count(*) FROM import_handles),"
            " (SELECT count(*) FROM import_jobs)"
        )

        for _ in range(2):
            async with database.transaction() as tx:
                await imports.forget(tx, now=clock(), limit=100)
        soon = tuple(await database.fetchrow(left))
        told = await messages(job)
        clock.advance(days=31)
        async with database.transaction() as tx:
            await imports.forget(tx, now=clock(), limit=100)

        assert (soon, len(told)) == ((0, 0, 1), 1)
        assert tuple(await database.fetchrow(left)) == (0, 0, 0)
