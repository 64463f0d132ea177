"""Duplicates of a request that have less time than they might wait for it."""

import asyncio

import pytest

from holdfast.api.protection.keys import Done
from holdfast.api.routes import ROUTES
from holdfast.domain.identity import Operator
from holdfast.kernel.clock import monotonic
from holdfast.kernel.ids import new_id
from holdfast.platform.idempotency import IdempotencyKeyInProgress
from holdfast.resilience import deadline
from holdfast.resilience.asgi import Reply
from holdfast.resilience.deadline import Budget


class TestDuplicate:
    async def test_is_told_that_it_goes_on_before_its_time_is_over(self, shop):
        """504 would say no more than that time was over."""
        route = next(
            r for r in ROUTES if (r.method, r.path) == ("POST", "/v1/categories")
        )
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work():
            begun.set()
            await go_on.wait()
            return Done(Reply(201, b"made"))

        scope = {"holdfast.caller": Operator(new_id(), "k", frozenset())}

        def answer():
            return shop.keyed.answer(route, scope, "k", said={}, raw=b"", work=work)

        first = asyncio.create_task(answer())
        await begun.wait()
        budget = Budget(monotonic() + 0.3)
        token = deadline.begin(budget)
        try:
            with pytest.raises(IdempotencyKeyInProgress):
                await answer()
            left = deadline.remaining()
        finally:
            deadline.finish(budget, token)
        go_on.set()

        assert (await first).status == 201
        assert left > 0
