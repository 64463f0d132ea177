"""Idempotency keys in PostgreSQL, claimed in the transaction of the effect.

A client that got no answer sends the same request with the same key again, and
gets the answer of the first one, byte for byte; the effect happens once. The
claim and the effect commit together or not at all, so a key can never be burnt
by a crash (draft-ietf-httpapi-idempotency-key-header-07).

A request with effects outside the database answers in a later transaction. In
between it holds a lease; when it dies, the next request with the key takes over
after the lease and finishes the work. Keys are kept for 24 hours.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from holdfast.kernel.clock import Clock, Monotonic, monotonic
from holdfast.kernel.errors import Conflict, Invalid, Malformed
from holdfast.platform import key_seal, outbox, sql
from holdfast.platform.db import Connection, Database, Transaction
from holdfast.platform.outbox import Event
from holdfast.platform.resealing import Sealed
from holdfast.platform.vault import Vault
from holdfast.resilience.deadline import spendable

_SQL = sql.load("holdfast.platform")
_CLAIM = _SQL["claim"]
_RECALL = _SQL["recall"]
_TAKE_OVER = _SQL["take_over"]
_ANSWER = _SQL["answer"]
_CONCLUDE = _SQL["conclude"]
_RELEASE = _SQL["release"]
_FORGET = _SQL["forget"]
_ROWS = _SQL["idempotency_rows"]
_FORGET_ANSWERS_TO = _SQL["forget_answers_to"]
_ANSWERS_TO_RESEAL = _SQL["answers_to_reseal"]
_RESEAL_ANSWERS = _SQL["reseal_answers"]

SEALED = (
    Sealed("idempotency_keys.body", take=_ANSWERS_TO_RESEAL, put=_RESEAL_ANSWERS),
)

KEPT = timedelta(hours=24)
LEASE = timedelta(seconds=30)
MAX_KEPT_BYTES = 1 << 16
"""What is kept of an answer that may be of any size, as that of an import; checkouts
and the like, which a client must be told again, are kept whole."""
# What the body of an answer from before the vault begins with: they are all JSON, and
# nothing sealed begins so.
_CLEAR = b"{"
_POLL_SECONDS = 0.04
_PATIENCE_SECONDS = 12.0


@dataclass(eq=False)
class IdempotencyKeyMissing(Malformed):
    """This request needs an Idempotency-Key header."""


@dataclass(eq=False)
class IdempotencyKeyMalformed(Malformed):
    """The Idempotency-Key header must be 1 to 255 visible ASCII characters."""


@dataclass(eq=False)
class IdempotencyKeyGuessable(Malformed):
    """Here the Idempotency-Key must be a UUID, or 20 characters and more at random."""


@dataclass(eq=False)
class IdempotencyKeyReused(Invalid):
    """The idempotency key was used before with a different request."""


@dataclass(eq=False)
class IdempotencyKeyInProgress(Conflict):
    """A request with this idempotency key is still being carried out."""

    retry_after_seconds: int = 1


@dataclass(eq=False)
class IdempotentAnswerNotKept(Conflict):
    """The request was carried out before; its answer was too large to be kept."""

    answer_status: int
    location: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A keyed request: who sends it, where to, its key and what it says."""

    caller: str
    route: str
    key: str
    fingerprint: bytes
    """Of what it says; keyed, as ``claim_of`` makes it, if that is anybody's secret."""
    lease: timedelta = LEASE
    """How long the holder is presumed alive: longer than its work may take."""
    secret: str | None = field(default=None, repr=False)
    """What the client sent, where ``key`` is only a hash of it: the answer is sealed
    under it."""
    formerly: bytes | None = field(default=None, repr=False)
    """The fingerprint that an earlier release kept of the same request, without a key:
    it is compared as well, and never written. Such rows are gone after ``KEPT``."""

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.caller, self.route, self.key

    @property
    def place(self) -> str:
        # None of the three can hold a line break.
        return "idempotency_keys.body:" + "\n".join(self.identity)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client was told, to be told again in the same bytes."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Resumed:
    """The holder of the key died; its work is ours to finish."""

    subject: UUID


def claim_of(
    vault: Vault,
    identity: tuple[str, str, str],
    digest: bytes,
    *,
    lease: timedelta = LEASE,
    secret: str | None = None,
) -> Claim:
    """The claim of (caller, route, key) for a request of which *digest* is the SHA-256.

    A body may hold a password or an address, and of those there are few enough to try
    them all: what is kept is an HMAC under a key that the database does not have in
    clear. It is bound to the row as well, so that the same body sent twice looks
    like two.
    """
    said = "\n".join((*identity, digest.hex()))
    return Claim(
        *identity,
        vault.index(said, purpose="idempotency fingerprint"),
        lease,
        secret=secret,
        formerly=digest,
    )


async def claim(tx: Transaction, wanted: Claim, *, subject: UUID, at: datetime) -> bool:
    """Claim the key inside *tx*; False if somebody has it already.

    *subject* is the id of what the request makes, so that another can finish it.
    """
    row = await tx.fetchrow(
        _CLAIM, *wanted.identity, wanted.fingerprint, subject, at, at + wanted.lease
    )
    return row is not None


async def find(connection: Connection, vault: Vault, wanted: Claim) -> Answer | None:
    """The stored answer, or None while there is none.

    Raises ``IdempotencyKeyReused`` when the key stands for another request.
    """
    row = await connection.fetchrow(_RECALL, *wanted.identity)
    return _answer_of(vault, row, wanted)


async def is_claimed(connection: Connection, wanted: Claim) -> bool:
    """Whether the key stands for something already, answered or not."""
    return await connection.fetchrow(_RECALL, *wanted.identity) is not None


async def wait(
    db: Database,
    vault: Vault,
    wanted: Claim,
    *,
    clock: Clock,
    timer: Monotonic = monotonic,
) -> Answer | Resumed | None:
    """Wait for whoever holds the key; no connection is held meanwhile.

    Returns the answer, ``Resumed`` when the holder died and its work is now
    ours, or None when the holder gave the key back. Raises
    ``IdempotencyKeyInProgress`` when patience ends first, or nearly all of the
    request's time: it changed nothing, and says so while it can.
    """
    give_up = timer() + spendable(_PATIENCE_SECONDS, timer=timer)
    while True:
        row = await db.fetchrow(_RECALL, *wanted.identity)
        if row is None:
            return None
        if kept := _answer_of(vault, row, wanted):
            return kept
        now = clock()
        if row["lease_until"] < now:
            async with db.transaction() as tx:
                taken = await tx.fetchrow(
                    _TAKE_OVER, *wanted.identity, now, now + wanted.lease
                )
            if taken is not None:
                return Resumed(row["subject"])
        if timer() >= give_up:
            raise IdempotencyKeyInProgress
        await asyncio.sleep(_POLL_SECONDS)


async def answer(
    tx: Transaction, vault: Vault, claimed: Claim, said: Answer, *, at: datetime
) -> None:
    """Store what the client is told, in the transaction that makes it true.

    The body is sealed: it may say who bought.
    """
    await tx.execute(_ANSWER, *_told(vault, claimed, said, at))


def claim_alone(wanted: Claim, *, subject: UUID, at: datetime) -> str:
    """``claim`` as a statement without parameters; it says INSERT 0 1 if it did."""
    return sql.inlined(
        _CLAIM, *wanted.identity, wanted.fingerprint, subject, at, at + wanted.lease
    )


def answer_alone(
    vault: Vault,
    claimed: Claim,
    said: Answer,
    *,
    at: datetime,
    subject: UUID | None,
) -> str:
    """``answer`` as a statement without parameters; a large body is not kept.

    *subject* is the id of what was made, if that was not known when it was claimed.
    """
    told = _told(vault, claimed, said, at, subject=subject, most=MAX_KEPT_BYTES)
    return sql.inlined(_ANSWER, *told)


def release_alone(claimed: Claim) -> str:
    """``release`` as a statement without parameters."""
    return sql.inlined(_RELEASE, *claimed.identity)


async def conclude(
    tx: Transaction,
    vault: Vault,
    claimed: Claim,
    said: Answer,
    *,
    first: sql.Step,
    events: Sequence[Event],
    at: datetime,
) -> bool:
    """Do something, announce it and keep the answer: one statement, hence one commit.

    False if *first* did nothing, and then nothing is announced or kept.
    """
    row = await tx.fetchrow(
        sql.joined(first.statement, _CONCLUDE),
        *first.args,
        *_told(vault, claimed, said, at)[:-1],
        *outbox.columns(events),
    )
    return row is not None


async def release(tx: Transaction, claimed: Claim) -> None:
    """Give the key back: nothing came of the request, and it may be sent again."""
    await tx.execute(_RELEASE, *claimed.identity)


async def forget(tx: Transaction, *, now: datetime, limit: int = 1000) -> int:
    """Drop up to *limit* keys past their time; returns how many."""
    return len(await tx.fetch(_FORGET, now - KEPT, limit))


async def rows(connection: Connection) -> int:
    """How many keys there are, as the planner has it: counting them would read all."""
    return int(await connection.fetchval(_ROWS) or 0)


async def forget_answers_to(
    tx: Transaction, caller: str, subjects: Iterable[UUID]
) -> int:
    """Drop what somebody was told, and what others were told of *subjects*."""
    return len(await tx.fetch(_FORGET_ANSWERS_TO, caller, list(subjects)))


def _told(
    vault: Vault,
    claimed: Claim,
    said: Answer,
    at: datetime,
    *,
    subject: UUID | None = None,
    most: int = sys.maxsize,
) -> tuple[Any, ...]:
    body: bytes | None = said.body if len(said.body) <= most else None
    if body is not None:
        if claimed.secret is not None:
            body = key_seal.seal(claimed.secret, body, place=claimed.place)
        body = vault.seal(body, place=claimed.place)
    return *claimed.identity, said.status, said.headers, body, at, subject


def _answer_of(vault: Vault, row: Any, wanted: Claim) -> Answer | None:
    if row is None:
        return None
    if row["fingerprint"] not in (wanted.fingerprint, wanted.formerly):
        raise IdempotencyKeyReused
    if row["status"] is None:
        return None
    body: bytes | None = row["body"]
    if body is None:
        location = row["headers"].get("location")
        raise IdempotentAnswerNotKept(row["status"], location)
    if not body.startswith(_CLEAR):
        body = vault.open(body, place=wanted.place)
        if wanted.secret is not None:
            body = key_seal.unseal(wanted.secret, body, place=wanted.place)
    return Answer(row["status"], row["headers"], body)
