"""The simulators' clock: set, stopped and moved on."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.clock import LATEST, SECOND, Clock, text


class TestClock:
    def test_runs_with_real_time_until_told_otherwise(self):
        real = [5_000_000]
        clock = Clock(real=lambda: real[0])

        real[0] += 7

        assert clock.now() == 5_000_007
        assert clock.text() == "1970-01-01T00:00:05.000007Z"

    def test_runs_on_from_where_it_was_set(self):
        real = [0]
        clock = Clock(real=lambda: real[0])

        clock.set(100 * SECOND)
        real[0] += 3 * SECOND
        clock.advance(2 * SECOND)

        assert clock.now() == 105 * SECOND
        assert not clock.frozen

    def test_stands_still_when_frozen_and_goes_on_from_there(self):
        real = [0]
        clock = Clock(real=lambda: real[0])

        clock.set(frozen=True)
        real[0] += SECOND
        stopped = clock.now()
        clock.set(frozen=False)
        real[0] += SECOND

        assert (stopped, clock.now()) == (0, SECOND)

    @given(dues=st.lists(st.integers(0, 100), max_size=20), target=st.integers(0, 100))
    def test_does_what_is_due_in_order_and_nothing_else(self, dues, target):
        clock = Clock(real=lambda: 0)
        clock.set(0, frozen=True)
        done = []
        for due in dues:
            clock.at(due, lambda due: done.append((due, clock.now())))

        clock.set(target)

        assert done == [(due, due) for due in sorted(dues) if due <= target]

    def test_what_is_done_may_plan_what_follows_within_the_same_move(self):
        clock = Clock(real=lambda: 0)
        clock.set(0, frozen=True)
        done = []

        def again(due):
            done.append(due)
            clock.at(due + 10, again)

        clock.at(10, again)
        clock.advance(35)

        assert done == [10, 20, 30]
        assert clock.now() == 35

    async def test_rings_by_itself_when_time_passes(self):
        clock = Clock()
        rung = asyncio.Event()

        clock.at(clock.now() + 20_000, lambda _: rung.set())
        clock.at(clock.now() + 3600 * SECOND, lambda _: None)

        async with asyncio.timeout(20):
            await rung.wait()

    def test_never_leaves_the_years_that_can_be_written(self):
        clock = Clock()

        clock.set(-5, frozen=True)
        earliest = clock.text()
        clock.advance(LATEST * 2)

        assert earliest == "1970-01-01T00:00:00.000000Z"
        assert clock.text() == "2200-01-01T00:00:00.000000Z"

    @given(st.lists(st.integers(0, LATEST), min_size=2, max_size=2))
    def test_its_text_sorts_as_its_instants_do(self, instants):
        assert sorted(map(text, instants)) == [text(i) for i in sorted(instants)]


class TestControlClock:
    async def test_what_is_made_is_dated_by_it(self, payment, charge):
        await payment.put(
            "/control/clock", json={"now": "2030-01-01T01:00:00+01:00", "frozen": True}
        )

        made = (await charge()).json()

        assert made["created_at"] == "2030-01-01T00:00:00.000000Z"

    async def test_advances_by_so_many_seconds(self, either):
        before = await either.get("/control/clock")
        after = await either.post("/control/clock/advance", json={"seconds": 90.5})

        assert before.json() == {"now": "2026-11-27T08:00:00.000000Z", "frozen": True}
        assert after.json() == {"now": "2026-11-27T08:01:30.500000Z", "frozen": True}

    async def test_can_be_let_go(self, payment):
        await payment.put("/control/clock", json={"frozen": False})

        shown = (await payment.get("/control/clock")).json()

        assert shown["frozen"] is False
        assert shown["now"] > "2026-11-27T08:00:00.000000Z"

    async def test_a_reset_gives_real_time_back(self, payment):
        await payment.put("/control/clock", json={"now": "2100-01-01T00:00:00Z"})

        await payment.post("/control/reset")

        shown = (await payment.get("/control/clock")).json()
        assert shown["frozen"] is False
        assert shown["now"] < "2100"

    @pytest.mark.parametrize(
        "body",
        [
            {"now": "2030-01-01T00:00:00"},
            {"now": "yesterday"},
            {"now": 7},
            {"frozen": "no"},
            {"colour": "red"},
        ],
    )
    async def test_refuses_what_is_no_clock(self, payment, body):
        response = await payment.put("/control/clock", json=body)

        assert response.status_code == 422

    @pytest.mark.parametrize("seconds", [-1, 10**12, "5", None])
    async def test_refuses_to_go_back_or_for_ever(self, payment, seconds):
        response = await payment.post(
            "/control/clock/advance", json={"seconds": seconds}
        )

        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/seconds"
