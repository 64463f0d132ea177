"""Carry a request out once, however often it is sent, and answer alike each time.

For unsafe methods with an ``Idempotency-Key``. The key is the caller's and the route's
own, stands for this very request (method, address, query and the whole body), and is
claimed before the app sees the request. The answer is kept before the client gets it,
so that nobody ever sees a success that is not kept.

Refusals (400 and above) and exceptions give the key back: the same request may succeed
a minute later. Two things leave it claimed until the lease runs out: a request that was
cancelled, and an outcome that is not known (``TimedOut``, 504). What runs then may
still have its effect; after the lease the next request with the key is let through, so
an app with effects outside its own database has to ask what became of the first one.

What this layer cannot do is commit the key together with the effect. An app with a
database of its own does better to claim in the transaction of the effect.
"""

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from holdfast.resilience.asgi.asked import must_not_wait
from holdfast.resilience.asgi.types import App, Message, Receive, Reply, Scope, Send
from holdfast.resilience.clock import Monotonic, Sleep, monotonic
from holdfast.resilience.deadline import spendable
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
from holdfast.resilience.events import KeyedRequest
from holdfast.resilience.idempotency.record import (
    Claimed,
    Decision,
    Identity,
    Kept,
    Store,
    fingerprint,
    is_hard_to_guess,
    parse,
)

REPLAYED = (b"idempotent-replayed", b"true")
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Caller: TypeAlias = Callable[[Scope], str | None]
"""Who sends a request, in a word that nobody else can have; None if that is unknown."""

_HEADER = b"idempotency-key"
_REFUSED = 400
_UNKNOWN = 504
_POLL_SECONDS = 0.04


class Idempotency:
    """Requests of *caller* with a key are carried out once."""

    def __init__(
        self,
        app: App,
        *,
        store: Store,
        caller: Caller,
        required: Callable[[Scope], bool] = lambda _: False,
        lease_seconds: float = 30.0,
        patience_seconds: float = 12.0,
        max_body_bytes: int = 1 << 20,
        max_answer_bytes: int = 1 << 16,
        listen: Callable[[KeyedRequest], None] = lambda _: None,
        timer: Monotonic = monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Say who sends a request, and for how long one may run.

        *lease_seconds* must be longer than any request takes. A duplicate waits for
        *patience_seconds* at most, and no longer than its deadline lets it, before it
        is told to come back. Where *caller* says None the key itself has to be hard to
        guess: it is all that tells two strangers apart.
        """
        must_not_wait(caller=caller, required=required, listen=listen)
        self._app = app
        self._store = store
        self._caller = caller
        self._required = required
        self._lease_seconds = lease_seconds
        self._patience_seconds = patience_seconds
        self._max_body_bytes = max_body_bytes
        self._max_answer_bytes = max_answer_bytes
        self._listen = listen
        self._timer = timer
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry the request out, or tell what it was told before."""
        if scope["type"] != "http" or scope["method"] not in UNSAFE:
            await self._app(scope, receive, send)
            return
        values = [value for name, value in scope["headers"] if name == _HEADER]
        if not values:
            if self._required(scope):
                self._listen(KeyedRequest("missing"))
                raise KeyMissing
            await self._app(scope, receive, send)
            return
        identity = self._identity(scope, values)
        body = await self._read(receive)
        asked = fingerprint(
            (
                scope["method"].encode(),
                scope.get("raw_path") or scope["path"].encode(),
                scope.get("query_string", b""),
                body,
            )
        )
        claimed = await self._claim(identity, asked)
        if claimed.decision is Decision.REPLAY:
            reply = _replay(claimed.answer)
        else:
            reply = await self._execute(scope, body, receive, identity, claimed.holder)
        await reply(scope, receive, send)

    def _identity(self, scope: Scope, values: list[bytes]) -> Identity:
        key = parse(values[0].decode("latin-1")) if len(values) == 1 else None
        caller = self._caller(scope)
        if key is None or (caller is None and not is_hard_to_guess(key)):
            self._listen(KeyedRequest("malformed"))
            raise KeyMalformed
        # An anonymous caller and one whose name is empty are not the same.
        who = "anonymous" if caller is None else f"caller:{caller}"
        return Identity(who, f"{scope['method']} {scope['path']}", key)

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Rejected
            body += message.get("body", b"")
            if len(body) > self._max_body_bytes:
                raise BodyTooLarge(limit_bytes=self._max_body_bytes)
            if not message.get("more_body", False):
                return bytes(body)

    async def _claim(self, identity: Identity, asked: bytes) -> Claimed:
        # While there is time to say that it goes on: it changes nothing itself.
        patience = spendable(self._patience_seconds + _POLL_SECONDS, timer=self._timer)
        give_up = self._timer() + patience - _POLL_SECONDS
        while True:
            claimed = await self._store.claim(
                identity, asked, lease_seconds=self._lease_seconds
            )
            self._listen(KeyedRequest(claimed.decision.name.lower()))
            if claimed.decision is Decision.MISMATCH:
                raise KeyReused
            if claimed.decision is not Decision.WAIT:
                return claimed
            if self._timer() >= give_up:
                raise KeyInProgress(1.0)
            await self._sleep(_POLL_SECONDS)

    async def _execute(
        self,
        scope: Scope,
        body: bytes,
        receive: Receive,
        identity: Identity,
        holder: int,
    ) -> Reply:
        answer = _Answer()
        try:
            await self._app(scope, again(body, receive), answer.take)
        except TimedOut:
            # It may yet happen: the lease says when to look.
            raise
        except Exception:
            await self._store.release(identity, holder)
            raise
        reply = answer.reply()
        if reply.status < _REFUSED:
            kept = Kept(reply.status, tuple(reply.headers), reply.body)
            if len(reply.body) > self._max_answer_bytes:
                kept = Kept(reply.status, tuple(reply.headers), None)
            await self._store.answer(identity, holder, kept)
        elif reply.status != _UNKNOWN:
            await self._store.release(identity, holder)
        return reply


class _Answer:
    """Gathers what the app sends."""

    def __init__(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            # The length is written anew with the bytes.
            self._headers = [
                (name, value)
                for name, value in message.get("headers", ())
                if name.lower() != b"content-length"
            ]
        else:
            self._body += message.get("body", b"")

    def reply(self) -> Reply:
        if not self._status:
            raise RuntimeError("the app ended without an answer")
        return Reply(self._status, bytes(self._body), self._headers)


def _replay(kept: Kept | None) -> Reply:
    if kept is None or kept.body is None:
        raise AnswerNotKept
    return Reply(kept.status, kept.body, [*kept.headers, REPLAYED])


def again(body: bytes, receive: Receive) -> Receive:
    """What was read, to be read once more; and then whatever comes after it."""
    told = False

    async def read() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
