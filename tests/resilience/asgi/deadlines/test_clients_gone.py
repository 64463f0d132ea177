"""Clients that leave: what has begun to matter is finished, the rest is not."""

import asyncio
from types import SimpleNamespace

import pytest

from holdfast.resilience.asgi import Reply
from holdfast.resilience.events import ClientLeft

SOON = 0.03
"""Seconds after which the budget of a test ends."""


async def done(scope, receive, send):
    await Reply(200, b"done")(scope, receive, send)


class Line:
    """What a server knows of a connection."""

    def __init__(self):
        self.disconnected = False
        self.on_left = None

    def cut(self):
        self.disconnected = True
        if self.on_left is not None:
            self.on_left()


class TestClientLeft:
    @pytest.fixture
    def leaving(self, converse, site):
        """Ask, and leave in the middle; returns the made and the conversation."""

        async def leave(work, method="POST"):
            line, talk = Line(), converse(method=method)
            made = site(work)
            request = asyncio.create_task(
                made.ask(talk, **{"holdfast.connection": line})
            )
            await work.began.wait()
            line.cut()
            line.cut()
            work.goes_on.set() if work.effect else None
            await request
            return SimpleNamespace(site=made, talk=talk, line=line)

        return leave

    @pytest.mark.parametrize(
        ("method", "effect", "phase"),
        [
            ("GET", None, "safe"),
            ("GET", "made", "safe"),
            ("POST", None, "before-effect"),
        ],
    )
    async def test_is_not_served(self, leaving, method, effect, phase, working):
        work = working(effect=effect)
        left = await leaving(work, method)

        assert work.was_cancelled
        assert left.talk.sent == []
        (event,) = left.site.events
        assert (event.phase, event.stage) == (phase, "handler")
        decisions = left.site.scope["holdfast.decisions"]
        assert decisions == [f"client:left@{phase}=cancelled"]

    @pytest.mark.parametrize(
        ("effect", "phase"), [("made", "after-effect"), ("comes", "in-effect")]
    )
    async def test_after_an_effect_the_work_is_finished(
        self, leaving, effect, phase, working
    ):
        work = working(effect=effect)
        left = await leaving(work)

        assert not work.was_cancelled
        assert left.talk.status == 201
        assert left.site.events == [ClientLeft(phase, "handler", 0.0)]

    async def test_an_effect_that_did_not_come_about_is_not_gone_on_from(
        self, leaving, working
    ):
        work = working(effect="fails")
        await leaving(work)

        assert work.was_cancelled

    async def test_before_its_turn_is_not_begun(self, converse, site):
        line = Line()
        line.cut()
        made = site(done)

        talk = await made.ask(converse(), **{"holdfast.connection": line})

        assert talk.sent == []
        assert made.events == [ClientLeft("waiting", "request", 0.0)]

    async def test_after_the_answer_means_nothing(self, converse, site):
        line = Line()
        made = site(done)
        await made.ask(converse(), **{"holdfast.connection": line})

        line.cut()

        assert made.events == []

    async def test_that_was_late_too_is_told_nothing(
        self, converse, promised, site, working
    ):
        """It left, and then its time was over: the work has its time all the same."""
        work, line, talk = working(effect="made", answer=False), Line(), converse()
        made = site(work, seconds=SOON)
        request = asyncio.create_task(made.ask(talk, **{"holdfast.connection": line}))
        await work.began.wait()
        line.cut()
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(3 * SOON, over.set)
        await over.wait()
        work.goes_on.set()
        await request

        assert talk.sent == []
        assert made.kinds == [ClientLeft]

    async def test_an_error_of_what_was_cut_is_nobodys(self, converse, site):
        async def app(_scope, _receive, _send):
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise OSError from None

        began, line, talk = asyncio.Event(), Line(), converse()
        request = asyncio.create_task(
            site(app).ask(talk, **{"holdfast.connection": line})
        )
        await began.wait()
        line.cut()
        await request

        assert talk.sent == []
