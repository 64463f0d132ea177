import asyncio

import pytest

from holdfast.resilience import BodyTooLarge, Overloaded, Rejected, TimedOut
from holdfast.resilience.asgi import Claim, LoadShed, Reply
from holdfast.resilience.concurrency import COHORTS, Fixed, Limiter, Queue
from holdfast.resilience.events import LimiterCall

BROWSE = 2 * COHORTS


class Client:
    """Sends when it is told to; what it is sent, it keeps."""

    def __init__(self, *messages, **scope):
        self.inbox = asyncio.Queue()
        self.sent = []
        self.scope = {"type": "http", "method": "GET", "headers": [], **scope}
        for message in messages:
            self.inbox.put_nowait(message)

    async def receive(self):
        message = await self.inbox.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def send(self, message):
        self.sent.append(message)

    def call(self, app):
        return asyncio.create_task(app(self.scope, self.receive, self.send))


class Handler:
    """An app that begins, and goes on when it is let."""

    def __init__(self):
        self.go_on = asyncio.Event()
        self.begun = 0
        self.reads = 0
        self.read = []
        self.status = 200
        self.error = None

    async def __call__(self, scope, receive, send):
        self.begun += 1
        for _ in range(self.reads):
            self.read.append(await receive())
        await send(
            {"type": "http.response.start", "status": self.status, "headers": []}
        )
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        await send({"type": "http.response.body", "body": b"b"})


class Shed:
    """The layer around a handler, with one permit, and what was counted."""

    def __init__(self, deadline=None):
        self.now = 0.0
        self.level = BROWSE
        self.deadline = deadline
        self.events = []
        self.handler = Handler()
        self.limiter = Limiter(
            "read",
            Fixed(1),
            queue=Queue(chance=lambda: 1.0),
            listen=self.events.append,
            timer=lambda: self.now,
        )
        self.app = LoadShed(
            self.handler,
            classify=lambda scope: Claim("read", self.level, self.deadline),
            limiters={"read": self.limiter},
            timer=lambda: self.now,
        )

    @property
    def outcomes(self):
        return [n.outcome for n in self.events if isinstance(n, LimiterCall)]


@pytest.fixture
async def shed():
    return Shed()


async def turn():
    for _ in range(5):
        await asyncio.sleep(0)


BODY = {"type": "http.request", "body": b"x", "more_body": False}
GONE = {"type": "http.disconnect"}


class TestPermit:
    async def test_is_held_until_a_streamed_response_ends(self, shed):
        task = Client().call(shed.app)
        await turn()
        assert shed.limiter.inflight == 1

        shed.handler.go_on.set()
        await task

        assert shed.limiter.inflight == 0
        assert shed.outcomes == ["success"]

    async def test_is_waited_for(self, shed):
        first, second = Client(), Client(BODY)
        tasks = [first.call(shed.app), second.call(shed.app)]
        await turn()
        assert shed.handler.begun == 1
        assert shed.limiter.waiting == 1

        shed.handler.go_on.set()
        async with asyncio.timeout(60):
            for task in tasks:
                await task

        assert [len(client.sent) for client in (first, second)] == [3, 3]
        assert shed.limiter.inflight == 0

    @pytest.mark.parametrize(
        ("status", "outcome"),
        [
            (200, "success"),
            (303, "success"),
            (404, "ignored"),
            (429, "ignored"),
            (500, "ignored"),
            (503, "ignored"),
            (504, "dropped"),
        ],
    )
    async def test_ends_as_the_response_says(self, shed, status, outcome):
        shed.handler.status = status
        shed.handler.go_on.set()

        await Client().call(shed.app)

        assert shed.outcomes == [outcome]

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [(TimedOut, "dropped"), (Rejected, "ignored"), (ValueError, "ignored")],
    )
    async def test_ends_as_the_exception_says(self, shed, error, outcome):
        shed.handler.error = error()
        shed.handler.go_on.set()

        with pytest.raises(error):
            await Client().call(shed.app)

        assert shed.outcomes == [outcome]
        assert shed.limiter.inflight == 0

    @pytest.mark.parametrize(
        ("deadline", "outcome"),
        [(None, "ignored"), (2.0, "ignored"), (1.0, "dropped")],
    )
    async def test_of_a_cancelled_request_is_late_past_its_deadline(
        self, deadline, outcome
    ):
        shed = Shed(deadline)
        task = Client().call(shed.app)
        await turn()
        shed.now = 1.0

        task.cancel()
        await turn()

        assert task.cancelled()
        assert shed.outcomes == [outcome]
        assert shed.limiter.inflight == 0

    async def test_is_not_needed_by_what_is_exempt(self, shed):
        Client().call(shed.app)
        await turn()
        shed.level = -1

        health = Client().call(shed.app)
        await turn()

        assert shed.handler.begun == 2
        assert shed.limiter.inflight == 1
        assert shed.outcomes == ["bypassed"]
        shed.handler.go_on.set()
        await health

    async def test_is_of_the_limiter_the_request_belongs_to(self):
        limiters = {n: Limiter(n, Fixed(1)) for n in ("read", "write")}
        app = LoadShed(
            Handler(),
            classify=lambda scope: Claim(scope["method"], 0),
            limiters=limiters,
        )

        task = Client(method="write").call(app)
        await turn()

        assert [limiters[n].inflight for n in ("read", "write")] == [0, 1]
        task.cancel()

    async def test_is_only_for_http(self, shed):
        seen = []

        async def app(scope, receive, send):
            seen.append(scope["type"])

        layer = LoadShed(app, classify=None, limiters={})
        await Client(type="lifespan").call(layer)

        assert seen == ["lifespan"]


class TestOverload:
    async def test_turns_away_and_says_when_to_come_back(self, shed):
        clients = [Client(BODY) for _ in range(5)]
        tasks = [client.call(shed.app) for client in clients]
        await turn()

        with pytest.raises(Overloaded) as raised:
            await tasks[4]

        assert 2 <= raised.value.retry_after_seconds <= 8
        assert clients[4].scope["holdfast.decisions"] == ["shed:read=full"]
        assert shed.handler.begun == 1
        shed.handler.go_on.set()
        for task in tasks[:4]:
            await task

    async def test_of_a_higher_tier_displaces(self, shed):
        tasks = [Client(BODY).call(shed.app) for _ in range(4)]
        await turn()
        shed.level = 0

        payment = Client(BODY).call(shed.app)
        await turn()

        assert [task.done() for task in tasks] == [False, True, False, False]
        shed.handler.go_on.set()
        await payment
        for task in (tasks[0], *tasks[2:]):
            await task
        with pytest.raises(Overloaded):
            await tasks[1]

    async def test_who_left_while_waiting_is_not_served(self, shed):
        first = Client().call(shed.app)
        await turn()
        leaving = Client(BODY)
        second = leaving.call(shed.app)
        await turn()

        leaving.inbox.put_nowait(GONE)
        await turn()
        shed.handler.go_on.set()
        await first

        with pytest.raises(Overloaded):
            await second
        assert leaving.scope["holdfast.decisions"] == ["shed:read=disconnect"]
        assert shed.handler.begun == 1

    async def test_cancelled_while_waiting_leaves_nothing_behind(self, shed):
        first = Client().call(shed.app)
        second = Client(BODY).call(shed.app)
        await turn()

        second.cancel()
        await turn()

        assert second.cancelled()
        assert shed.limiter.waiting == 0
        assert {task for task in asyncio.all_tasks() if not task.done()} <= {
            first,
            asyncio.current_task(),
        }
        first.cancel()


class TestBody:
    """What comes while a request waits belongs to the app."""

    async def waiting(self, shed, *messages, reads=0):
        first = Client().call(shed.app)
        await turn()
        client = Client(*messages)
        second = client.call(shed.app)
        await turn()
        shed.handler.reads = reads
        shed.handler.go_on.set()
        await first
        return client, second

    async def test_is_given_to_it_whole_and_in_order(self, shed):
        pieces = [
            {"type": "http.request", "body": b"%d" % n, "more_body": n < 3}
            for n in range(4)
        ]
        client, task = await self.waiting(shed, *pieces[:2], reads=5)
        await turn()
        assert shed.handler.read == pieces[:2]

        client.inbox.put_nowait(pieces[2])
        client.inbox.put_nowait(pieces[3])
        client.inbox.put_nowait(GONE)
        async with asyncio.timeout(60):
            await task

        assert shed.handler.read == [*pieces, GONE]

    async def test_is_left_with_the_server_beyond_what_is_kept(self, shed):
        large = {"type": "http.request", "body": b"x" * 40_000, "more_body": True}
        _, task = await self.waiting(shed, *[large] * 4, reads=4)

        async with asyncio.timeout(60):
            await task

        assert shed.handler.read == [large] * 4

    async def test_that_is_too_large_fails_where_it_is_read(self, shed):
        _, task = await self.waiting(shed, BODY, BodyTooLarge(), reads=2)

        with pytest.raises(BodyTooLarge):
            await task

        assert shed.handler.read == [BODY]

    async def test_that_nobody_reads_may_fail_unnoticed(self, shed):
        client, task = await self.waiting(shed, BODY, BodyTooLarge(), reads=0)

        await task

        assert len(client.sent) == 3

    async def test_that_nobody_reads_is_not_waited_for(self, shed):
        client, task = await self.waiting(shed, reads=0)

        await task
        await turn()

        assert client.inbox.empty()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_a_read_that_is_cancelled_loses_nothing(self, shed):
        async def impatient(scope, receive, send):
            read = asyncio.create_task(receive())
            await turn()
            read.cancel()
            await turn()
            client.inbox.put_nowait(BODY)
            got.append(await receive())

        first = Client().call(shed.app)
        await turn()
        client, got = Client(), []
        shed.app._app = impatient
        second = client.call(shed.app)
        await turn()
        shed.handler.go_on.set()
        await first
        async with asyncio.timeout(60):
            await second

        assert got == [BODY]


class TestReplies:
    async def test_of_the_app_pass_unchanged(self):
        reply = Reply(201, b"made", [(b"x", b"y")])
        app = LoadShed(
            reply,
            classify=lambda scope: Claim("all", 0),
            limiters={"all": Limiter("all", Fixed(1))},
        )
        through, alone = Client(), Client()

        await through.call(app)
        await alone.call(reply)

        assert through.sent == alone.sent
