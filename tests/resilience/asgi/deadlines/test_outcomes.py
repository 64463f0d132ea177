"""What is told of a request whose time was over, by those who cannot know it all."""

import asyncio
import math

import pytest

from holdfast.resilience import DeadlineExceeded, NotEnoughTime, deadline, remaining
from holdfast.resilience.asgi import Allowance, Reply, RequestDeadline, plain
from holdfast.resilience.events import NotStarted

SOON = 0.03
"""Seconds after which the budget of a test ends."""


class TestAppThatSaysNothing:
    """Nearly every app: none of its handlers speaks of what it changes."""

    @pytest.mark.parametrize(
        ("method", "outcome"),
        [("POST", "unknown"), ("GET", "nothing-happened")],
    )
    async def test_knows_of_safe_methods_only(
        self, converse, site, working, method, outcome
    ):
        """A handler may have committed, or run in a thread that nobody can stop."""
        talk = converse(method=method)
        work = working()

        with pytest.raises(DeadlineExceeded) as raised:
            await site(work, effects_are_told=False, seconds=SOON).layer(
                talk.scope, talk.receive, talk.send
            )

        assert work.was_cancelled
        assert raised.value.outcome == outcome

    async def test_is_every_app_that_does_not_say_otherwise(self, converse, working):
        talk = converse()

        with pytest.raises(DeadlineExceeded) as raised:
            await RequestDeadline(working(), seconds=SOON)(
                talk.scope, talk.receive, talk.send
            )

        assert raised.value.outcome == "unknown"


class TestStepThatWasNotBegun:
    @pytest.mark.parametrize(
        ("told", "effect", "outcome"),
        [
            (True, False, "nothing-happened"),
            (True, True, "unknown"),
            (False, False, "unknown"),
        ],
        ids=["before an effect", "after one", "nobody knows"],
    )
    async def test_says_nothing_of_those_before_it(
        self, converse, site, told, effect, outcome
    ):
        async def app(_scope, _receive, _send):
            if effect:
                deadline.note_effect()
            raise NotEnoughTime(stage="payment")

        talk = converse()
        with pytest.raises(NotEnoughTime) as raised:
            await site(app, effects_are_told=told).layer(
                talk.scope, talk.receive, talk.send
            )

        assert raised.value.outcome == outcome

    async def test_is_counted_and_explained(self, converse, site):
        """Not only where the request itself was not begun."""

        async def app(_scope, _receive, _send):
            raise NotEnoughTime(stage="pool")

        made = site(app)
        await made.ask(converse())

        assert made.events == [NotStarted("pool")]
        assert made.scope["holdfast.decisions"] == [
            "deadline:not-started@pool=nothing-happened"
        ]

    async def test_is_told_so_by_a_handler_that_answers_itself(self, converse, site):
        """As a framework does, in which errors never reach the layer."""

        async def app(scope, receive, send):
            deadline.note_effect()
            error = NotEnoughTime(stage="payment")
            await plain(error, scope)(scope, receive, send)

        talk = await site(app).ask(converse())

        assert b"Outcome: unknown." in talk.body


class TestWorkAfterTheAnswer:
    """Starlette runs background tasks there, inside the request."""

    async def test_is_not_cut_and_has_no_budget(self, converse, site, promised):
        left, ended = [], asyncio.Event()

        async def app(scope, receive, send):
            await Reply(202, b"later")(scope, receive, send)
            left.append(remaining())
            await ended.wait()
            left.append("done")

        made = site(app, seconds=SOON)
        request = asyncio.create_task(made.ask(converse()))

        async def is_over():
            """The time that it would have had."""
            return left and made.layer._sweep.set_to == math.inf

        await promised(is_over)
        assert not request.done()
        ended.set()

        assert (await request).status == 202
        assert left == [None, "done"]
        assert made.events == []

    async def test_does_not_count_for_how_long_such_a_request_takes(
        self, converse, site
    ):
        now, allowance = [100.0], Allowance(10.0)

        async def app(scope, receive, send):
            now[0] += 1
            await Reply(202, b"later")(scope, receive, send)
            now[0] += 5

        made = site(app, allowance=lambda _: allowance, timer=lambda: now[0])
        await made.ask(converse())

        assert allowance.usual.seconds == 1

    async def test_begins_when_the_client_has_read_the_answer(self, converse, site):
        """Who reads slowly holds a place, and is not waited for."""
        talk = converse()

        async def stuck(message):
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        made = site(Reply(200, b"large"), seconds=SOON)
        with pytest.raises(DeadlineExceeded):
            await made.layer(talk.scope, talk.receive, stuck)


class TestFailureWithoutAClient:
    async def test_is_logged_where_nobody_listens(self, converse, answered, caplog):
        failure, go_on = RuntimeError("late"), asyncio.Event()

        async def app(_scope, _receive, _send):
            deadline.note_effect()
            await go_on.wait()
            raise failure

        talk = converse()
        layer = RequestDeadline(app, seconds=SOON)
        request = asyncio.create_task(layer(talk.scope, talk.receive, talk.send))
        await answered(talk)
        go_on.set()
        await request

        (record,) = caplog.records
        assert record.exc_info[1] is failure

    async def test_of_what_went_well_nothing_is(self, converse, answered, caplog):
        go_on = asyncio.Event()

        async def app(scope, receive, send):
            deadline.note_effect()
            await go_on.wait()
            await Reply(201, b"made")(scope, receive, send)

        talk = converse()
        layer = RequestDeadline(app, seconds=SOON)
        request = asyncio.create_task(layer(talk.scope, talk.receive, talk.send))
        await answered(talk)
        go_on.set()
        await request

        assert caplog.records == []
