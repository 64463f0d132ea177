"""Duplicates of a request that have less time than they might wait for it."""

import asyncio
from functools import partial

from holdfast.resilience.asgi import (
    Idempotency,
    Rejection,
    Reply,
    RequestDeadline,
    stack,
)
from holdfast.resilience.idempotency import MemoryStore


class TestDuplicate:
    async def test_who_waits_is_told_before_their_time_is_over(self, converse):
        """A deadline shorter than the patience would say that nobody knows."""
        going = asyncio.Event()

        async def slow(scope, receive, send):
            await going.wait()
            await Reply(201, b"made")(scope, receive, send)

        keyed = Idempotency(slow, store=MemoryStore(), caller=lambda _: "ada")
        hurried = stack(keyed, Rejection, partial(RequestDeadline, seconds=0.5))
        header = [(b"idempotency-key", b"k")]

        async def ask(app):
            talk = converse(headers=header)
            scope = {**talk.scope, "path": "/"}
            await app(scope, talk.receive, talk.send)
            return talk

        first = asyncio.create_task(ask(keyed))
        await asyncio.sleep(0)
        second = await ask(hurried)
        going.set()

        assert second.status == 409
        assert second.fields[b"retry-after"] == b"1"
        assert (await first).status == 201
