"""What an idempotency key stands for, and what follows from it: rules, no I/O.

A key belongs to one caller and one route. It stands for one request, which its
fingerprint tells from any other, and is in one of three states:

    free --claim--> running --answer--> answered --(kept_seconds)--> free
                    running --release-> free        nothing came of it
                    running --lease over--> running, with another holder

While a request runs its holder has a lease. A holder that died leaves a key whose
lease runs out; the next request with it takes over. (That is safe only if the work can
be done again, or asks what became of it first: a store that commits the key together
with the effect has no need for leases.)

The syntax is that of draft-ietf-httpapi-idempotency-key-header-07: a structured-field
string, ``"8e03978e"``; a bare token is taken as well, as most clients send one.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol
from uuid import UUID

MAX_KEY = 255
"""Characters a key may have."""

MIN_SECRET = 20
"""Characters of a key that nobody should guess, unless it is a UUID: 20 random ones of
base64 are 120 bits, as many as a random UUID has (122)."""

# What somebody types in place of random characters repeats itself.
_MIN_DIFFERENT = 8
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*)"')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose key it is, for what, and the key: nobody else's key is the same one."""

    caller: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to be told again in the same bytes."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes | None = b""
    """None if it was too large to be kept."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a store knows of a key that is not free."""

    fingerprint: bytes
    lease_until: float
    """Until then whoever claimed it is presumed alive; in seconds of the store's."""
    answer: Kept | None = None


class Decision(Enum):
    """What becomes of a request with a key."""

    EXECUTE = auto()
    """The key was free: carry the request out."""
    REPLAY = auto()
    """It was carried out: tell its answer again."""
    MISMATCH = auto()
    """The key stands for another request."""
    WAIT = auto()
    """It is being carried out."""
    TAKE_OVER = auto()
    """Whoever carried it out is gone: go on in their place."""


class Store(Protocol):
    """Where keys are kept. Each method is atomic, and all processes see the same.

    ``holder`` is a word that a store gives whoever claims or takes over, so that one
    whose lease ran out can neither answer nor release what another holds by then.
    """

    async def claim(
        self, identity: Identity, fingerprint: bytes, *, lease_seconds: float
    ) -> "Claimed":
        """Take the key if it is free, or if its holder's lease ran out."""
        ...

    async def answer(self, identity: Identity, holder: int, answer: Kept) -> bool:
        """Keep the answer; False if somebody else holds the key by now."""
        ...

    async def release(self, identity: Identity, holder: int) -> None:
        """Give the key back, if it is still the holder's."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a store says to a claim."""

    decision: Decision
    holder: int = 0
    """With EXECUTE and TAKE_OVER: by which word the store knows the claimer."""
    answer: Kept | None = None
    """With REPLAY; None otherwise."""


def parse(value: str) -> str | None:
    """The key that a header names; None if it is not a key."""
    key = value.strip(" \t")
    if quoted := _QUOTED.fullmatch(key):
        key = _ESCAPED.sub(r"\1", quoted[1])
    return key if _VISIBLE.fullmatch(key) else None


def is_hard_to_guess(key: str) -> bool:
    """Whether a key looks random: a UUID, or twenty characters that vary."""
    if len(key) >= MIN_SECRET and len(set(key)) >= _MIN_DIFFERENT:
        return True
    try:
        return UUID(key).int.bit_count() > _MIN_DIFFERENT
    except ValueError:
        return False


def fingerprint(parts: Iterable[bytes]) -> bytes:
    """SHA-256 over *parts*, each with its length: no two lists have the same bytes.

    Bodies with passwords or addresses can be guessed from it: a store that others may
    read, or that has backups, should keep an HMAC of it.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()


def decide(record: Record | None, asked: bytes, *, now: float) -> Decision:
    """What becomes of a request whose fingerprint is *asked*."""
    if record is None:
        return Decision.EXECUTE
    if record.fingerprint != asked:
        return Decision.MISMATCH
    if record.answer is not None:
        return Decision.REPLAY
    if record.lease_until < now:
        return Decision.TAKE_OVER
    return Decision.WAIT
