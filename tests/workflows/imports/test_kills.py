"""Killed at every statement there is, an import loses nothing and does nothing twice.

The statements are not listed here: a file is begun anew and its worker killed one
statement later, until it comes to its end before that.
"""

import asyncio
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from holdfast.domain import inventory
from holdfast.domain.imports import Tally

KILLED_PROCESS = Path(__file__).with_name("killed.py")
KILLED = 9
BATCH = 2
LINE = (
    '{"handle": "%(handle)s", "title": "Tea", "variants": [{"sku": "%(sku)s",'
    ' "price": {"amount": 490, "currency": "EUR"}, "on_hand": 3}],'
    ' "related": ["%(related)s"], "translations": {"de": {"title": "Tee"}}}\n'
)


def file(step):
    """Three products that are good, a bad row, and one whose SKU is taken."""
    said = [
        # The first leads to the last, the others to it.
        LINE
        % {
            "handle": f"tea-{step}-{n}",
            "sku": sku,
            "related": f"tea-{step}-{0 if n else 3}",
        }
        for n, sku in enumerate([f"A-{step}", f"B-{step}", "TAKEN", f"D-{step}"])
    ]
    return "".join([*said[:1], "{\n", *said[1:]]).encode()


@pytest.fixture
async def dies(database_url, clock):
    """Work in a process that is killed at a statement; False if it ended first."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, KILLED_PROCESS),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )

    async def run(step, *, answered):
        order = {"step": step, "answered": answered, "url": database_url}
        order |= {"now": clock().isoformat(), "batch": BATCH}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        ended = int(await process.stdout.readline())
        assert ended in (0, KILLED)
        return ended == KILLED

    yield run
    process.stdin.close()
    await process.wait()


@pytest.fixture
def whole(database):
    """How many products of a file are there, each with its variant, stock and JSON."""

    async def count(step):
        rows = await database.fetch(
            "SELECT v.sku, s.on_hand, p.document FROM products p"
            " LEFT JOIN variants v ON v.product_id = p.id"
            " LEFT JOIN stock s ON s.variant_id = v.id WHERE p.handle LIKE $1",
            f"tea-{step}-%",
        )
        for row in rows:
            assert row["on_hand"] == 3
            assert f'"sku":"{row["sku"]}"' in row["document"]
        return len(rows)

    return count


@pytest.fixture
def linked(database):
    """How many products of a file lead to another, and are called in German."""

    async def count(step):
        return await database.fetchval(
            "SELECT count(*) FROM products p"
            " JOIN related_products r ON r.product_id = p.id"
            " JOIN product_translations t ON t.product_id = p.id"
            " WHERE p.handle LIKE $1",
            f"tea-{step}-%",
        )

    return count


@pytest.mark.slow
class TestEveryStatement:
    @pytest.mark.parametrize("answered", [True, False], ids=["after", "at"])
    async def test_leaves_what_another_worker_brings_to_the_same_end(
        self,
        *,
        database,
        clock,
        send,
        dies,
        work_off,
        job_of,
        messages,
        whole,
        linked,
        a_product,
        promised,
        answered,
    ):
        await a_product("TAKEN")
        deaths = 0

        async def ended(job):
            # The server may not have noticed yet that somebody has died.
            await work_off()
            return (await job_of(job)).has_ended

        for step in range(1, 200):
            job = await send(file(step))
            killed = await dies(step, answered=answered)
            left = await job_of(job)
            if answered:
                # (Else the server may be about to do what it was told.)
                assert await whole(step) == left.tally.created
            clock.advance(minutes=1)
            await promised(partial(ended, job))

            after = await job_of(job)
            assert (after.status, after.tally) == (
                "completed",
                Tally(created=3, refused=2),
            )
            assert await messages(job) == [
                (2, "this is not JSON: Input data was truncated"),
                (4, "a variant of another product has this SKU: sku 'TAKEN'"),
            ]
            assert (await whole(step), await linked(step)) == (3, 3)
            if not killed:
                break
            deaths += 1

        assert not killed
        assert deaths > 40
        assert await inventory.drift(database) == []
