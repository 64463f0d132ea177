"""The page of a waiting room works in a browser without script."""

import re
from datetime import timedelta

import pytest

from holdfast.workflows.drops import Drops, Plan


@pytest.fixture
async def drop(shop, clock, a_product):
    await a_product("DROP", on_hand=5)
    plan = Plan(
        name="Winter <tea>",
        skus=["DROP"],
        opens_at=clock() + timedelta(minutes=1),
        closes_at=None,
        guests=True,
        most_units=1,
        most_tickets=4,
        per_minute=60,
        pass_seconds=60,
    )
    return await Drops(shop.db, shop.doors, clock).announce(plan, actor="test")


class TestPage:
    async def test_leads_from_joining_to_ones_turn(
        self, shop, clock, drop, browser
    ) -> None:
        path = f"/drops/{drop.id}"
        await browser.open(path)
        before = browser.answer.text
        await browser.submit()
        joined, again = browser.answer.text, browser.answer.headers["refresh"]

        clock.advance(seconds=61)
        await shop.doors.step()
        for _ in range(2):
            clock.advance(seconds=1)
            await shop.doors.step()
        await browser.open(path)
        turn = browser.answer.text

        assert "Winter &lt;tea&gt;" in before
        assert "You are in." in joined
        assert int(again) >= 60
        assert "It is your turn" in turn
        assert re.search(r"hfw_[\w-]{87}", turn)

    async def test_says_that_it_is_over(self, shop, drop, browser) -> None:
        await Drops(shop.db, shop.doors, shop.clock).end(drop.id)

        await browser.open(f"/drops/{drop.id}")

        assert "has ended" in browser.answer.text

    async def test_of_no_drop_is_a_page(self, browser) -> None:
        await browser.open("/drops/01a205d7-7ed0-71a0-a490-e2450f0d678c")

        assert browser.status == 404
        assert browser.answer.headers["content-type"].startswith("text/html")
