"""Any app, its requests carried out once."""

import asyncio
from dataclasses import dataclass, field

import pytest

from holdfast.resilience.asgi.idempotency import Idempotency
from holdfast.resilience.asgi.rejection import plain
from holdfast.resilience.asgi.types import Reply
from holdfast.resilience.errors import (
    AnswerNotKept,
    BodyTooLarge,
    KeyInProgress,
    KeyMalformed,
    KeyMissing,
    KeyReused,
    Rejected,
    TimedOut,
)
from holdfast.resilience.idempotency import MemoryStore

KEY = b"8e03978e-40d5-43dd-bc93-6894a57f9324"


class Watch:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@dataclass
class Orders:
    """An app that counts its orders, and does with the next one as it is told."""

    status: int = 201
    fails: BaseException | None = None
    body: bytes = b""
    placed: list[bytes] = field(default_factory=list)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    silent: bool = False

    async def __call__(self, scope, receive, send):
        message = await receive()
        self.begun.set()
        await self.go_on.wait()
        if self.fails is not None:
            raise self.fails
        if self.status < 400:
            self.placed.append(message["body"])
        if self.silent:
            return
        body = self.body or b"order %d" % len(self.placed)
        headers = [(b"location", b"/orders/1"), (b"Content-Length", b"%d" % len(body))]
        await send(
            {"type": "http.response.start", "status": self.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body[:3], "more_body": True})
        await send({"type": "http.response.body", "body": body[3:]})


class Client:
    def __init__(self, app):
        self.app = app

    async def __call__(
        self,
        *,
        method="POST",
        path="/orders",
        query=b"",
        body=(b"tea",),
        keys=(KEY,),
        who="ann",
        gone=False,
        kind="http",
    ):
        parts = list(body)
        sent = []

        async def receive():
            if gone or not parts:
                return {"type": "http.disconnect"}
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message):
            sent.append(message)

        scope = {
            "type": kind,
            "method": method,
            "path": path,
            "query_string": query,
            "headers": [(b"idempotency-key", key) for key in keys],
            "who": who,
        }
        await self.app(scope, receive, send)
        start = sent[0]
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Reply(start["status"], content, start["headers"])


def was_replayed(reply):
    return (b"idempotent-replayed", b"true") in reply.headers


@pytest.fixture
def orders():
    orders = Orders()
    orders.go_on.set()
    return orders


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def heard():
    return []


@pytest.fixture
def client(orders, watch, heard):
    async def sleep(seconds):
        watch.now += seconds
        await asyncio.sleep(0)

    return Client(
        Idempotency(
            orders,
            store=MemoryStore(timer=watch),
            caller=lambda scope: scope["who"],
            required=lambda scope: scope["path"] == "/payments",
            max_body_bytes=100,
            max_answer_bytes=50,
            listen=lambda event: heard.append(event.outcome),
            timer=watch,
            sleep=sleep,
        )
    )


class TestReplays:
    async def test_one_effect_and_the_same_bytes(self, client, orders, heard):
        first, second = await client(), await client()

        assert (first.status, first.body) == (201, b"order 1")
        assert (second.status, second.body) == (201, b"order 1")
        assert (b"location", b"/orders/1") in second.headers
        assert not was_replayed(first)
        assert was_replayed(second)
        assert orders.placed == [b"tea"]
        assert heard == ["execute", "replay"]

    async def test_at_once_the_others_wait_for_the_first(self, client, orders):
        orders.go_on.clear()
        async with asyncio.TaskGroup() as group:
            sent = [group.create_task(client()) for _ in range(20)]
            await orders.begun.wait()
            orders.go_on.set()

        assert {task.result().body for task in sent} == {b"order 1"}
        assert sum(not was_replayed(task.result()) for task in sent) == 1
        assert len(orders.placed) == 1

    async def test_who_waits_too_long_is_told_to_come_back(self, client, orders):
        orders.go_on.clear()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(client())
            await orders.begun.wait()
            with pytest.raises(KeyInProgress) as told:
                await client()
            orders.go_on.set()

        assert told.value.retry_after_seconds == 1
        assert first.result().status == 201

    async def test_reads_the_whole_body_in_whatever_parts_it_comes(
        self, client, orders
    ):
        first = await client(body=(b"t", b"ea"))
        second = await client(body=(b"te", b"", b"a"))

        assert was_replayed(second)
        assert first.body == second.body
        assert orders.placed == [b"tea"]

    async def test_of_what_was_too_large_is_said_that_it_is_done(self, client, orders):
        orders.body = b"x" * 51
        assert (await client()).body == orders.body

        with pytest.raises(AnswerNotKept):
            await client()

        assert len(orders.placed) == 1


class TestKeys:
    async def test_of_another_caller_or_route_is_another(self, client, orders):
        await client()
        await client(who="bob")
        await client(path="/others")
        await client(method="PUT")

        assert len(orders.placed) == 4

    @pytest.mark.parametrize("other", [{"body": (b"mug",)}, {"query": b"gift=1"}])
    async def test_stands_for_one_request(self, client, orders, other):
        await client()

        with pytest.raises(KeyReused):
            await client(**other)

        assert len(orders.placed) == 1

    @pytest.mark.parametrize("keys", [(b"",), (b"two words",), (KEY, KEY)])
    async def test_has_a_form_and_is_one(self, client, orders, keys, heard):
        with pytest.raises(KeyMalformed):
            await client(keys=keys)

        assert orders.placed == []
        assert heard == ["malformed"]

    async def test_may_be_left_out_where_it_is_not_demanded(
        self, client, orders, heard
    ):
        await client(keys=())
        await client(keys=())
        with pytest.raises(KeyMissing):
            await client(keys=(), path="/payments")

        assert len(orders.placed) == 2
        assert heard == ["missing"]

    async def test_of_a_stranger_must_be_hard_to_guess(self, client, orders):
        with pytest.raises(KeyMalformed):
            await client(who=None, keys=(b"1",))
        await client(who=None)
        await client(who="", keys=(b"1",))
        await client(who="anonymous")

        assert len(orders.placed) == 3

    @pytest.mark.parametrize("safe", [{"method": "GET"}, {"kind": "websocket"}])
    async def test_is_not_looked_at_where_nothing_changes(self, client, orders, safe):
        await client(**safe)
        await client(**safe)

        assert len(orders.placed) == 2


class TestRefusals:
    @pytest.mark.parametrize("status", [400, 404, 409, 422, 429, 503])
    async def test_are_not_kept(self, client, orders, status):
        orders.status = status
        assert (await client()).status == status
        orders.status = 201

        again = await client()

        assert again.status == 201
        assert not was_replayed(again)

    async def test_neither_are_exceptions(self, client, orders):
        orders.fails = ValueError("no")
        with pytest.raises(ValueError, match="no"):
            await client()
        orders.fails = None

        assert (await client()).status == 201

    async def test_an_app_that_says_nothing_is_at_fault(self, client, orders):
        orders.silent = True

        with pytest.raises(RuntimeError, match="without an answer"):
            await client()

    async def test_a_body_is_bounded_before_anything_is_claimed(self, client, orders):
        with pytest.raises(BodyTooLarge):
            await client(body=(b"x" * 60, b"x" * 60))

        assert (await client()).status == 201

    async def test_who_leaves_before_the_end_of_the_body_has_sent_nothing(
        self, client, orders
    ):
        with pytest.raises(Rejected):
            await client(gone=True)

        assert orders.placed == []


class TestUnknownOutcomes:
    @pytest.mark.parametrize("ending", ["raised", "answered", "cancelled"])
    async def test_keep_the_key_until_the_lease_is_over(
        self, client, orders, watch, heard, ending
    ):
        if ending == "raised":
            orders.fails = TimedOut()
            with pytest.raises(TimedOut):
                await client()
        elif ending == "answered":
            orders.status = 504
            await client()
        else:
            orders.go_on.clear()
            task = asyncio.create_task(client())
            await orders.begun.wait()
            task.cancel()
            await asyncio.wait([task])
        orders.fails, orders.status = None, 201
        orders.go_on.set()

        with pytest.raises(KeyInProgress):
            await client()
        watch.now += 31

        assert (await client()).body == b"order 1"
        assert heard[-1] == "take_over"

    async def test_one_that_comes_too_late_changes_nothing(self, client, orders, watch):
        orders.go_on.clear()
        slow = asyncio.create_task(client())
        await orders.begun.wait()
        watch.now += 31
        orders.go_on.set()
        first = await client()
        await slow

        again = await client()

        assert again.body in {first.body, slow.result().body}
        assert was_replayed(again)


class TestRejection:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (KeyMissing(), 400),
            (KeyMalformed(), 400),
            (KeyReused(), 422),
            (KeyInProgress(1.0), 409),
            (AnswerNotKept(), 409),
        ],
        ids=lambda value: getattr(type(value), "__name__", value),
    )
    def test_says_what_is_wrong_with_the_key(self, error, status):
        reply = plain(error, {})

        assert reply.status == status
        assert reply.body.decode().strip() == type(error).__doc__


class TestApp:
    async def test_may_go_on_reading_after_the_body(self, watch):
        seen = []

        async def app(scope, receive, send):
            seen.extend([(await receive())["type"], (await receive())["type"]])
            await Reply(200)(scope, receive, send)

        client = Client(
            Idempotency(app, store=MemoryStore(timer=watch), caller=lambda _: "ann")
        )
        await client()

        assert seen == ["http.request", "http.disconnect"]
