"""Apps that take their time, behind the layer that does not let them."""

import asyncio

import pytest

from holdfast.resilience import deadline
from holdfast.resilience.asgi import Rejection, Reply, RequestDeadline, stack


class Site:
    """An app behind the layer, what it tells its listener, and its decisions."""

    def __init__(self, app, *, effects_are_told=True, **options):
        self.events = []
        self.layer = RequestDeadline(
            app,
            effects_are_told=effects_are_told,
            listen=self.events.append,
            **options,
        )
        self.app = stack(self.layer, Rejection)

    async def ask(self, talk, **scope):
        self.scope = {**talk.scope, **scope}
        await self.app(self.scope, talk.receive, talk.send)
        return talk

    @property
    def kinds(self):
        return [type(event) for event in self.events]


class Work:
    """An app that does as it is told, one step at a time."""

    def __init__(self, *, effect=None, answer=True):
        self.effect = effect
        self.answers = answer
        self.began = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.ended = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, scope, receive, send):
        budget = deadline.current()
        if self.effect == "made":
            deadline.note_effect()
        elif self.effect is not None:
            budget.hold()
        self.began.set()
        try:
            await self.goes_on.wait()
            if self.effect in {"comes", "fails"}:
                budget.let_go(lasting=self.effect == "comes")
                await asyncio.Event().wait() if self.effect == "fails" else None
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        finally:
            self.ended.set()
        if self.answers:
            await Reply(201, b"made")(scope, receive, send)


@pytest.fixture
def site():
    return Site


@pytest.fixture
def working():
    return Work


@pytest.fixture
def answered(promised):
    """Wait until a conversation has its whole answer."""

    async def wait(talk):
        async def is_answered():
            return len(talk.sent) > 1

        await promised(is_answered)

    return wait
