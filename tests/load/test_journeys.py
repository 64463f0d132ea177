"""Users who are turned away come back, and it is counted."""

import asyncio
import random

import pytest
from speaking import BUSY, OK, speaking

from holdfast.cli.bench.client import work
from holdfast.cli.bench.journeys import Assignment, Browser, Look, Watch

CLOSING = BUSY.replace(b"retry-after: 1", b"connection: close")


def assignment(port: int) -> Assignment:
    return Assignment(
        journey="browse",
        host="127.0.0.1",
        port=port,
        users=2,
        seconds=0.4,
        warm_seconds=0.0,
        seed=1,
        looks=[Look("/a", "ok")],
    )


class TestBrowser:
    async def test_who_is_turned_away_asks_again_and_is_no_error(self):
        with speaking(lambda n: (0.0, BUSY if n % 10 == 5 else OK)) as (port, _):
            tally = await work(assignment(port))

        assert tally.errors == {}
        assert tally.turned_away > 0
        assert tally.done > tally.turned_away

    async def test_comes_back_on_another_connection_if_its_own_is_closed(self):
        asked, dialled, task = [], asyncio.Event(), assignment(1)
        watch = Watch(on=True, reconnect=lambda _: dialled.set())
        user = Browser(watch, task, random.Random(1), ended=lambda: None)  # noqa: S311

        class Line:
            def send(self, request):
                asked.append(request)

        user.connected(Line())
        user.answered(503, b"")
        user.lost()
        async with asyncio.timeout(60):
            await dialled.wait()
        user.connected(Line())

        assert asked == [asked[0]] * 2
        assert watch.errors == {}
        assert watch.turned_away == 1

    @pytest.mark.parametrize("answer", [CLOSING, BUSY], ids=["closing", "kept"])
    async def test_ends_with_the_time_though_it_is_away(self, answer):
        with speaking(lambda _: (0.0, answer)) as (port, _):
            tally = await work(assignment(port))

        assert tally.done == 0
        assert tally.errors == {}
