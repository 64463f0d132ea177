"""Requests with an Idempotency-Key: carried out once, answered alike each time.

Stands between a request whose arguments are known to be valid and its handler; what a
route says of its ``claims`` (see ``policy``) decides how. Of requests with one key in
one process only one goes to the database: the others wait for it here, without a
connection, and are told what it was told. Those of other processes wait there.

Refusals (what is raised, and answers of 400 and above) are never kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from holdfast.api.decoding import invalid_parameter
from holdfast.api.policy import Route
from holdfast.api.protection.metrics_keys import KeyMetrics, Outcome, Step
from holdfast.domain.identity import Anonymous
from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import DomainError
from holdfast.kernel.ids import new_id
from holdfast.platform import idempotency
from holdfast.platform.db import Database, DatabaseBusy, DatabaseUnavailable
from holdfast.platform.idempotency import (
    Answer,
    Claim,
    IdempotencyKeyGuessable,
    IdempotencyKeyInProgress,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotentAnswerNotKept,
    Resumed,
)
from holdfast.platform.joint import Joint, KeyTaken, joined
from holdfast.platform.proxies import site_of
from holdfast.platform.vault import Vault
from holdfast.resilience.asgi import Reply, Scope
from holdfast.resilience.asgi.idempotency import REPLAYED
from holdfast.resilience.deadline import spendable
from holdfast.resilience.errors import Rejected
from holdfast.resilience.idempotency import fingerprint, is_hard_to_guess, parse

PATIENCE_SECONDS = 12.0
"""How long a request waits for another with its key, if its own time allows it."""

_HEADER = b"idempotency-key"
_REFUSED = 400
_ENCODER = msgspec.json.Encoder(order="deterministic")
# Raised on purpose: what was done before stays done. Whatever else is raised is not.
_REFUSALS = (DomainError, Rejected)
_OUTCOMES: Mapping[type[Exception], Outcome] = {
    IdempotencyKeyReused: "mismatch",
    IdempotencyKeyInProgress: "in_progress",
    IdempotentAnswerNotKept: "not_kept",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a handler answers, and the id of what it made."""

    reply: Reply
    made: UUID | None = None


Work: TypeAlias = Callable[[], Awaitable[Done]]
# Whoever waits is told what the request that went first was told, if that is kept.
_Told: TypeAlias = tuple[bytes, Answer | None]


class Keyed:
    """The keyed requests of one process."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        *,
        clock: Clock,
        metrics: KeyMetrics,
        timer: Monotonic = monotonic,
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._metrics = metrics
        self._timer = timer
        self._running: dict[tuple[str, str, str], asyncio.Future[_Told]] = {}

    def __len__(self) -> int:
        """How many keyed requests are being carried out."""
        return len(self._running)

    def key_of(self, route: Route, scope: Scope) -> str | None:
        """The key of a request; None if it has none and may do without.

        Raises ``IdempotencyKeyMissing``, ``...Malformed`` or ``...Guessable``.
        """
        values = [value for name, value in scope["headers"] if name == _HEADER]
        if not values:
            if route.takes_key == "required":
                self._note(route, scope, "missing")
                raise IdempotencyKeyMissing
            return None
        if len(values) > 1:
            raise invalid_parameter("Idempotency-Key", "Given more than once")
        key = parse(values[0].decode("latin-1"))
        if key is None:
            self._note(route, scope, "malformed")
            raise IdempotencyKeyMalformed
        if not is_hard_to_guess(key) and _must_be_hard(route, scope):
            self._note(route, scope, "malformed")
            raise IdempotencyKeyGuessable
        return key

    async def answer(
        self,
        route: Route,
        scope: Scope,
        key: str,
        *,
        said: Mapping[str, Any],
        raw: bytes,
        work: Work,
    ) -> Reply:
        """Carry the request out, or answer as it was answered before.

        The key stands for what was *said*, as decoded, or for the *raw* body.
        """
        try:
            if route.claims == "explicit":
                ended = _told_of((await work()).reply)
            else:
                claim = self._claim(route, scope, key, said, raw)
                doing = _Doing(route, claim, _subject(route, said), work)
                ended = await self._once(doing)
        except _REFUSALS as error:
            other: Outcome = "refused" if _is_refusal(error) else "failed"
            self._note(route, scope, _OUTCOMES.get(type(error), other))
            raise
        except Exception:
            self._note(route, scope, "failed")
            raise
        self._note(route, scope, ended.outcome)
        return ended.reply

    def _claim(
        self, route: Route, scope: Scope, key: str, said: Mapping[str, Any], raw: bytes
    ) -> Claim:
        asked = fingerprint(
            (route.method.encode(), route.path.encode(), _ENCODER.encode(said), raw)
        )
        name = f"{route.method} {route.path}"
        caller = self._caller(scope)
        if not route.secret_answer:
            return idempotency.claim_of(self._vault, (caller, name, key), asked)
        hashed = "hash:" + self._vault.index(key, purpose="idempotency key").hex()
        return idempotency.claim_of(
            self._vault, (caller, name, hashed), asked, secret=key
        )

    def _caller(self, scope: Scope) -> str:
        caller = scope["holdfast.caller"]
        if not isinstance(caller, Anonymous):
            return str(caller.actor)
        # Strangers are told apart by where they are; in the database, by a hash of it.
        place = site_of(scope.get("holdfast.client_address"))
        return "anonymous:" + self._vault.index(place, purpose="idempotency").hex()

    async def _once(self, doing: "_Doing") -> "_Ended":
        # While there is time to say that it goes on: it changes nothing itself.
        patience = spendable(PATIENCE_SECONDS, timer=self._timer)
        claim, give_up = doing.claim, self._timer() + patience
        if doing.route.claims == "late":
            # Not before its handler has done what is slow is the key claimed: see first
            # whether that has to be done at all.
            found = await idempotency.find(self._db, self._vault, claim)
            if found is not None:
                return _Ended(_replay(found), "replayed")
        while self._timer() < give_up:
            leader = self._running.get(claim.identity)
            if leader is not None:
                told = await _told_by(leader, claim, give_up - self._timer())
                if told is not None:
                    return _Ended(_replay(told), "replayed")
                continue
            with self._leading(claim) as future:
                ended = await self._lead(doing, future)
            if ended is not None:
                return ended
        raise IdempotencyKeyInProgress

    async def _lead(
        self, doing: "_Doing", future: "asyncio.Future[_Told]"
    ) -> "_Ended | None":
        """Go to the database for all that wait; None if that has to be tried again."""
        claim = doing.claim
        try:
            reply = await self._try(doing)
        except KeyTaken:
            pass
        else:
            if reply.status < _REFUSED:
                future.set_result((claim.fingerprint, _kept(reply)))
                return _Ended(reply, "new")
            return _Ended(reply, "refused")
        # Somebody else was first: in another process, or before.
        progress = await idempotency.wait(
            self._db, self._vault, claim, clock=self._clock, timer=self._timer
        )
        if isinstance(progress, Answer):
            future.set_result((claim.fingerprint, progress))
            return _Ended(_replay(progress), "replayed")
        if isinstance(progress, Resumed):
            self._metrics.takeovers.inc()
            return _Ended(await self._finish(doing), "takeover")
        return None

    @contextmanager
    def _leading(self, claim: Claim) -> Iterator["asyncio.Future[_Told]"]:
        future: asyncio.Future[_Told] = asyncio.get_running_loop().create_future()
        self._running[claim.identity] = future
        try:
            yield future
        finally:
            del self._running[claim.identity]
            if not future.done():
                future.set_result((claim.fingerprint, None))

    async def _try(self, doing: "_Doing") -> Reply:
        """Carry it out; ``KeyTaken`` if somebody else has the key."""
        if doing.route.claims == "leased":
            async with self._db.statement() as tx:
                if not await idempotency.claim(
                    tx, doing.claim, subject=doing.subject, at=self._clock()
                ):
                    raise KeyTaken
            return await self._finish(doing)
        claim = doing.claim
        at = self._clock()
        shared = Joint(
            self._db,
            claim=idempotency.claim_alone(claim, subject=doing.subject, at=at),
            release=idempotency.release_alone(claim),
        )
        try:
            with joined(shared):
                if doing.route.claims == "joined":
                    with self._timed("claim"):
                        await shared.begin()
                done = await doing.work()
            last = self._last(doing, done)
        except BaseException as error:
            # What is refused stays as it would be without a key; of what fails or ends
            # too soon, nothing does.
            await shared.refuse(keep=_is_refusal(error))
            raise
        if last is None:
            await shared.refuse(keep=True)
            return done.reply
        with self._timed("answer"):
            await shared.commit(last)
        return done.reply

    def _last(self, doing: "_Doing", done: Done) -> str | None:
        """What keeps the answer; None if it is one that is not kept."""
        if done.reply.status >= _REFUSED:
            return None
        return idempotency.answer_alone(
            self._vault,
            doing.claim,
            _kept(done.reply),
            at=self._clock(),
            subject=done.made if doing.makes else None,
        )

    async def _finish(self, doing: "_Doing") -> Reply:
        """Do what has a lease on its key, and answer; or give the key back."""
        try:
            reply = (await doing.work()).reply
        except _REFUSALS:
            await self._release(doing.claim)
            raise
        if reply.status >= _REFUSED:
            await self._release(doing.claim)
            return reply
        async with self._db.statement() as tx:
            await idempotency.answer(
                tx, self._vault, doing.claim, _kept(reply), at=self._clock()
            )
        return reply

    async def _release(self, claim: Claim) -> None:
        async with self._db.statement() as tx:
            await idempotency.release(tx, claim)

    @contextmanager
    def _timed(self, step: Step) -> Iterator[None]:
        started = self._timer()
        yield
        self._metrics.seconds[step].observe(self._timer() - started)

    def _note(self, route: Route, scope: Scope, outcome: Outcome) -> None:
        self._metrics.count(route.claims, outcome)
        scope.setdefault("holdfast.decisions", []).append(
            f"key:{route.claims}={outcome}"
        )


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a client is told, and how it came about."""

    reply: Reply
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Doing:
    """A request with a key, and what it takes to carry it out."""

    route: Route
    claim: Claim
    subject: UUID
    work: Work

    @property
    def makes(self) -> bool:
        """Whether what it makes is not known before: then its id is kept with it."""
        return self.route.method == "POST" and not self.route.parameters


def _must_be_hard(route: Route, scope: Scope) -> bool:
    return route.secret_answer or isinstance(scope["holdfast.caller"], Anonymous)


def _subject(route: Route, said: Mapping[str, Any]) -> UUID:
    """Whom or what the answer is about, so that it is forgotten with them."""
    if route.method != "DELETE":
        for name in ("account_id", "order_id"):
            if isinstance(found := said.get(name), UUID):
                return found
    # What is deleted leaves nothing to forget, but has to leave the key.
    return new_id()


def _kept(reply: Reply) -> Answer:
    headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in reply.headers}
    return Answer(reply.status, headers, reply.body)


def _replay(answer: Answer) -> Reply:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1"))
        for name, value in answer.headers.items()
    ]
    return Reply(answer.status, answer.body, [*headers, REPLAYED])


async def _told_by(
    leader: "asyncio.Future[_Told]", claim: Claim, seconds: float
) -> Answer | None:
    """What the request that went first was told; None if that is not kept."""
    try:
        async with asyncio.timeout(seconds):
            asked, told = await asyncio.shield(leader)
    except TimeoutError:
        raise IdempotencyKeyInProgress from None
    if told is not None and asked != claim.fingerprint:
        raise IdempotencyKeyReused
    return told


def _told_of(reply: Reply) -> _Ended:
    """What came of a request whose handler claims its key itself."""
    if any(name == REPLAYED[0] for name, _ in reply.headers):
        return _Ended(reply, "replayed")
    return _Ended(reply, "refused" if reply.status >= _REFUSED else "new")


def _is_refusal(error: BaseException) -> bool:
    lost = isinstance(error, DatabaseBusy | DatabaseUnavailable)
    return isinstance(error, _REFUSALS) and not lost
