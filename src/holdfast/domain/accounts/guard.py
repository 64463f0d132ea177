"""Counts guesses, and makes those wait who guess too often.

An attempt is counted before it is looked into, in one statement, and taken back when it
turns out right: two hundred guesses at once are two hundred counted guesses, and all
but the first few are refused. What is counted together, a subject, is a keyed hash of
an e-mail address, of where a request came from, or of both; so an account that does
not exist is guarded like one that does.

Whoever was here before is not held back by what others do elsewhere: a sign-in leaves
a token, its place, and a guess that shows one is counted by that place alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from holdfast.kernel import tokens
from holdfast.kernel.email import canonical
from holdfast.platform import sql
from holdfast.platform.db import Connection, Row, Transaction
from holdfast.platform.proxies import site_of
from holdfast.platform.vault import Vault

Kind: TypeAlias = Literal["pair", "address", "account", "second_factor"]
Counts: TypeAlias = Literal["always", "known_place", "other_place", "stranger"]
"""When a guess is counted by something: by how familiar the place is."""

_SQL = sql.load("holdfast.domain.accounts")
_CLAIM = _SQL["claim_attempt"]
_GIVE_BACK = _SQL["give_back_attempt"]
_FORGET_FAILURES = _SQL["forget_failures"]
_REMEMBER_PLACES = _SQL["remember_places"]
_FORGET_PLACES = _SQL["forget_places"]

PLACES_KEPT_OF_ONE = 40
"""Places of an account, besides those where its owner is."""
FAILURES_KEPT = timedelta(days=1)
PLACES_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures are free, and how long the wait is after each further one."""

    kind: Kind
    free: int
    """The last of these makes the next guess wait."""
    first_wait: timedelta
    """Doubled by each further failure."""
    longest_wait: timedelta
    forgotten_after: timedelta
    """Counted from the last failure, or from the first if *fixed*."""
    fixed: bool = False


_LIMITS = (
    Limit("pair", 5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=24)),
    # An office of a thousand has one address: its few wrong passwords an hour must not
    # add up for ever, so they are counted in quarters of an hour.
    Limit(
        "address",
        50,
        timedelta(seconds=30),
        timedelta(minutes=15),
        timedelta(minutes=15),
        fixed=True,
    ),
    # Only for those who come from where the account was never used.
    Limit(
        "account", 100, timedelta(minutes=15), timedelta(hours=1), timedelta(hours=1)
    ),
    Limit(
        "second_factor",
        5,
        timedelta(seconds=30),
        timedelta(minutes=15),
        timedelta(hours=24),
    ),
)
LIMITS: dict[Kind, Limit] = {limit.kind: limit for limit in _LIMITS}
"""The whole table of thresholds; ``docs/explanation/sign-in.md`` shows it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What guesses have in common."""

    kind: Kind
    value: bytes
    """A keyed hash."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that was counted, or refused."""

    subjects: tuple[Subject, ...]
    """By what it was counted."""
    refused_until: datetime | None = None
    """When to come again; None if the attempt may be made."""
    blocks: tuple[Kind, ...] = ()
    """What waits from now on, unless this attempt is right."""


def subjects_of(
    vault: Vault,
    email: str,
    address: str | None,
    *,
    place: bytes | None,
    familiar_address: bool,
) -> tuple[Subject, ...]:
    """By what a guess at a password is counted.

    *place* is one that was checked to be familiar, *familiar_address* whether the
    account was used from this address before.
    """
    return counting(
        candidates(vault, email, address, place=place),
        familiar_place=place is not None,
        familiar_address=familiar_address,
    )


def candidates(
    vault: Vault, email: str, address: str | None, *, place: bytes | None
) -> tuple[tuple[Counts, Subject], ...]:
    """By what a guess may be counted while nobody knows whether *place* is familiar."""
    who, site = canonical(email), site_of(address)
    anywhere: tuple[tuple[Counts, Subject], ...] = (
        ("other_place", _subject(vault, "pair", f"{who}\n{site}")),
        ("other_place", _subject(vault, "address", site)),
        ("stranger", _subject(vault, "account", who)),
    )
    if place is None:
        return anywhere
    shown = _subject(vault, "pair", f"{who}\nplace {place.hex()}")
    return (("known_place", shown), *anywhere)


def counting(
    those: Iterable[tuple[Counts, Subject]],
    *,
    familiar_place: bool,
    familiar_address: bool,
) -> tuple[Subject, ...]:
    """Of candidates *those* that count; ``claim_attempt`` in SQL decides the same."""
    answers: dict[Counts, bool] = {
        "always": True,
        "known_place": familiar_place,
        "other_place": not familiar_place,
        "stranger": not (familiar_place or familiar_address),
    }
    return tuple(subject for counts, subject in those if answers[counts])


def second_factor_subject(
    vault: Vault, account_id: UUID, place: bytes | None
) -> Subject:
    """By what a guess at a code is counted: by account, in familiar places apart."""
    where = "anywhere" if place is None else place.hex()
    return _subject(vault, "second_factor", f"{account_id}\n{where}")


def password_subject(vault: Vault, account_id: UUID, session_id: UUID) -> Subject:
    """By what guesses are counted of somebody who is signed in already."""
    return _subject(vault, "pair", f"{account_id}\nsession {session_id}")


def address_place(vault: Vault, address: str | None) -> bytes:
    """An address as a place: a keyed hash."""
    return vault.index(site_of(address), purpose="place")


def token_place(place: str | None) -> bytes | None:
    """A place's token as it is stored; None if it is not one of ours."""
    if place is None or not tokens.plausible(place, tokens.PLACE):
        return None
    return tokens.fingerprint(place)


async def claim_attempt(
    connection: Connection, subjects: Iterable[Subject], *, at: datetime
) -> Claim:
    """Count an attempt before it is made, or refuse it.

    Give it back when it was right, or could not be looked into. A refused attempt is
    not counted. To be called outside of a transaction: the rows are locked to its end.
    """
    wanted = tuple(subjects)
    always: list[tuple[Counts, Subject]] = [("always", subject) for subject in wanted]
    rows = await claim_rows(connection, (None, None, None), always, at=at)
    return claimed(rows, wanted, at=at)


async def claim_rows(
    connection: Connection,
    whose: tuple[bytes | None, bytes | None, bytes | None],
    those: Sequence[tuple[Counts, Subject]],
    *,
    at: datetime,
) -> list[Row]:
    """Count an attempt by *those* that count; the rows are for ``claimed``.

    *whose* it is: indexes of an e-mail address, of the place that was shown, of where
    the request comes from. Each row says how the owner of that address signs in.
    """
    limits = [LIMITS[subject.kind] for _, subject in those]
    return await connection.fetch(
        _CLAIM,
        *whose,
        [counts for counts, _ in those],
        [subject.kind for _, subject in those],
        [subject.value for _, subject in those],
        [limit.free for limit in limits],
        [limit.first_wait for limit in limits],
        [limit.longest_wait for limit in limits],
        [limit.forgotten_after for limit in limits],
        [limit.fixed for limit in limits],
        at,
    )


def claimed(
    rows: Iterable[Mapping[str, Any]], wanted: tuple[Subject, ...], *, at: datetime
) -> Claim:
    """What became of an attempt that was to be counted by all that were *wanted*."""
    told = [row for row in rows if row["kind"] is not None]
    counted = {row["kind"]: row["blocked_until"] for row in told if row["counted"]}
    if len(counted) == len(wanted):
        blocks = tuple(kind for kind, until in counted.items() if until is not None)
        return Claim(wanted, blocks=blocks)
    kept = tuple(subject for subject in wanted if subject.kind in counted)
    refused = [row["blocked_until"] for row in told if not row["counted"]]
    if not refused:
        # Others took the last attempts while this statement waited for them.
        refused = [
            at + LIMITS[subject.kind].first_wait
            for subject in wanted
            if subject.kind not in counted
        ]
    return Claim(kept, refused_until=max(refused))


async def give_back_attempt(
    connection: Connection, claim: Claim, *, forget: Sequence[Kind] = ()
) -> None:
    """Take an attempt back, and all failures of the kinds to *forget*."""
    limits = [LIMITS[subject.kind].free for subject in claim.subjects]
    await connection.fetch(
        _GIVE_BACK,
        [subject.kind for subject in claim.subjects],
        [subject.value for subject in claim.subjects],
        limits,
        list(forget),
    )


async def remember_places(
    tx: Transaction, account_id: UUID, places: Sequence[bytes], *, at: datetime
) -> None:
    """Note that the owner of an account was there; the latest 40 are kept."""
    await tx.execute(_REMEMBER_PLACES, account_id, places, at, PLACES_KEPT_OF_ONE)


async def forget_failures(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget failures of more than a day ago, up to *limit*; returns how many."""
    rows = await tx.fetch(_FORGET_FAILURES, now - FAILURES_KEPT, now, limit)
    return len(rows)


async def forget_places(tx: Transaction, *, now: datetime, limit: int) -> int:
    """Forget places that were not used for a year, up to *limit*; returns how many."""
    rows = await tx.fetch(_FORGET_PLACES, now - PLACES_KEPT, limit)
    return len(rows)


def _subject(vault: Vault, kind: Kind, value: str) -> Subject:
    return Subject(kind, vault.index(value, purpose=f"sign_in.{kind}"))
