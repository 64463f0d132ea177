"""Requests whose time is over, and the truth about what became of them."""

import asyncio

import pytest

from holdfast.resilience import DeadlineExceeded, TimedOut, deadline, remaining
from holdfast.resilience.asgi import Reply
from holdfast.resilience.events import BudgetEnded, FinishedLate

SOON = 0.03
"""Seconds after which the budget of a test ends."""


def asked(value):
    return [(b"x-request-timeout-ms", value)]


async def done(scope, receive, send):
    await Reply(200, b"done")(scope, receive, send)


class TestEnd:
    async def test_before_any_effect_nothing_happened(self, converse, site, working):
        work = working()
        made = site(work, seconds=SOON)

        with pytest.raises(DeadlineExceeded) as raised:
            await made.layer(converse().scope, converse().receive, None)

        assert work.was_cancelled
        assert raised.value.outcome == "nothing-happened"
        assert raised.value.stage == "handler"
        assert raised.value.after_seconds == pytest.approx(SOON)
        (ended,) = made.events
        assert (ended.stage, ended.outcome) == ("handler", "nothing-happened")
        assert ended.wasted_seconds == pytest.approx(SOON, abs=1)
        assert asyncio.current_task().cancelling() == 0

    async def test_after_an_effect_the_client_is_told_and_the_work_goes_on(
        self, converse, answered, site, working
    ):
        work, talk = working(effect="made"), converse()
        made = site(work, seconds=SOON)
        request = asyncio.create_task(made.ask(talk))

        await answered(talk)
        assert talk.status == 504
        assert not request.done()
        decisions = made.scope["holdfast.decisions"]
        assert decisions == ["deadline:exceeded@handler=unknown"]
        work.goes_on.set()
        await request

        assert not work.was_cancelled
        assert [message["type"] for message in talk.sent] == [
            "http.response.start",
            "http.response.body",
        ]
        assert made.kinds == [BudgetEnded, FinishedLate]

    async def test_what_fails_afterwards_is_told_to_the_listener_only(
        self, converse, answered, site
    ):
        failure = RuntimeError("late")

        async def app(_scope, _receive, _send):
            deadline.note_effect()
            await go_on.wait()
            raise failure

        go_on, talk = asyncio.Event(), converse()
        made = site(app, seconds=SOON)
        request = asyncio.create_task(made.ask(talk))
        await answered(talk)
        go_on.set()
        await request

        assert made.events[-1].error is failure

    async def test_a_safe_method_has_no_effect(self, converse, site, working):
        work = working(effect="made")

        with pytest.raises(DeadlineExceeded) as raised:
            await site(work, seconds=SOON).layer(
                converse(method="GET").scope, converse().receive, None
            )

        assert raised.value.outcome == "nothing-happened"
        assert work.was_cancelled

    async def test_while_an_effect_is_made_nothing_is_cut(
        self, converse, answered, site, working
    ):
        work, talk = working(effect="comes"), converse()
        made = site(work, seconds=SOON)
        request = asyncio.create_task(made.ask(talk))

        await answered(talk)
        work.goes_on.set()
        await request

        assert talk.status == 504
        assert made.events[0].outcome == "unknown"
        assert not work.was_cancelled

    async def test_an_effect_that_did_not_come_about_is_cut_afterwards(
        self, converse, answered, site, working
    ):
        work, talk = working(effect="fails"), converse()
        made = site(work, seconds=SOON)
        request = asyncio.create_task(made.ask(talk))

        await answered(talk)
        work.goes_on.set()
        await request

        assert work.was_cancelled
        assert made.kinds == [BudgetEnded, FinishedLate]

    async def test_an_effect_made_in_time_is_nothing_special(
        self, converse, site, working
    ):
        work = working(effect="comes")
        made = site(work)
        request = asyncio.create_task(made.ask(converse()))
        await work.began.wait()
        work.goes_on.set()

        assert (await request).status == 201
        assert made.events == []

    async def test_undoing_is_not_cut_in_its_turn(self, converse, site):
        undone = []

        async def app(_scope, _receive, _send):
            budget = deadline.current()
            try:
                await asyncio.Event().wait()
            finally:
                budget.hold()
                budget.let_go(lasting=False)
                await asyncio.sleep(0)
                undone.append(True)

        talk = await site(app, seconds=SOON).ask(converse())

        assert undone == [True]
        assert talk.status == 504

    async def test_what_is_done_within_the_grace_is_answered_as_it_is(
        self, converse, site
    ):
        async def app(scope, receive, send):
            deadline.note_effect()
            await ends.wait()
            await Reply(201, b"made")(scope, receive, send)

        ends, talk = asyncio.Event(), converse()
        made = site(app, seconds=SOON)
        end = made.layer._sweep._fire

        def fire():
            end()
            ends.set()

        made.layer._sweep._fire = fire
        await made.ask(talk)

        assert talk.status == 201
        assert made.events == []

    async def test_what_answers_in_its_own_words_is_let(self, converse, site):
        """A handler that catches the cancellation and says something else."""

        async def app(scope, receive, send):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await Reply(503, b"not now")(scope, receive, send)

        talk = await site(app, seconds=SOON).ask(converse())

        assert talk.status == 503

    async def test_what_it_was_cut_short_in_need_not_know(self, converse, site):
        """A driver that makes another error of the cancellation."""

        async def app(_scope, _receive, _send):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise OSError("connection lost") from None

        talk = await site(app, seconds=SOON).ask(converse())

        assert talk.status == 504

    async def test_work_that_does_not_stop_keeps_nobody_waiting(
        self, converse, answered, site
    ):
        async def app(_scope, _receive, _send):
            try:
                await asyncio.Event().wait()
            finally:
                await rolled_back.wait()

        rolled_back, talk = asyncio.Event(), converse()
        made = site(app, seconds=SOON)
        request = asyncio.create_task(made.ask(talk))

        await answered(talk)
        assert talk.status == 504
        assert made.events[0].outcome == "nothing-happened"
        rolled_back.set()
        await request

    async def test_what_has_time_to_finish_gets_it(self, converse, site):
        """After the end there is time to roll back in."""
        left = []

        async def app(_scope, _receive, _send):
            try:
                await asyncio.Event().wait()
            finally:
                left.append(remaining())

        await site(app, seconds=SOON).ask(converse())

        assert left[0] > 1

    async def test_a_begun_response_is_cut(self, converse, site):
        async def app(_scope, _receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.Event().wait()

        with pytest.raises(DeadlineExceeded):
            await site(app, seconds=SOON).ask(converse(method="GET"))

    async def test_a_begun_response_of_what_is_lasting_is_finished(
        self, converse, promised, site
    ):
        async def app(_scope, _receive, send):
            deadline.note_effect()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await go_on.wait()
            await send({"type": "http.response.body", "body": b"all of it"})

        go_on, talk = asyncio.Event(), converse()
        request = asyncio.create_task(site(app, seconds=0.01).ask(talk))

        async def is_over():
            asyncio.get_running_loop().call_later(0.1, go_on.set)
            return go_on.is_set()

        await promised(is_over)
        await request

        assert talk.body == b"all of it"

    async def test_an_error_of_its_own_passes(self, converse, site):
        async def app(_scope, _receive, _send):
            raise TimedOut(3)

        with pytest.raises(TimedOut) as raised:
            await site(app).layer(converse().scope, converse().receive, None)

        assert raised.value.after_seconds == 3

    async def test_a_cancellation_by_another_passes(self, converse, site, working):
        work = working()
        request = asyncio.create_task(site(work).ask(converse()))
        await work.began.wait()

        request.cancel()
        await asyncio.wait([request])

        assert request.cancelled()

    async def test_a_cancellation_by_another_too_passes(self, converse, site, working):
        """The server stops at the moment the budget ends."""
        work = working()
        made = site(work, seconds=SOON)
        request = asyncio.create_task(made.ask(converse()))
        end = made.layer._sweep._fire

        def fire():
            end()
            request.cancel()

        made.layer._sweep._fire = fire
        await asyncio.wait([request])

        assert request.cancelled()

    async def test_many_end_each_in_its_time(self, converse, site, working):
        loop = asyncio.get_running_loop()

        async def late(milliseconds):
            began = loop.time()
            talk = await made.ask(converse(headers=asked(b"%d" % milliseconds)))
            assert talk.status == 504
            return loop.time() - began - milliseconds / 1000

        made = site(working())
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(late(n)) for n in range(200, 40, -1)]

        assert min(task.result() for task in tasks) > -0.005
        assert sorted(task.result() for task in tasks)[80] < 0.1

    async def test_nothing_is_left_of_those_that_ended_in_time(
        self, converse, site, promised
    ):
        made = site(done, seconds=0.01)
        await made.ask(converse())

        async def has_fired():
            return made.layer._sweep._handle is None

        await promised(has_fired)
        assert made.events == []

    def test_a_loop_that_is_no_more_keeps_no_other_waiting(
        self, converse, site, working
    ):
        """The timer of the first loop never fires."""
        made = site(done, seconds=SOON)

        async def ask(app):
            made.layer._app = app
            return await made.ask(converse())

        asyncio.run(ask(done))
        made.layer._sweep.set_to -= 5

        assert asyncio.run(ask(working())).status == 504
