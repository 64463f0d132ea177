"""Nobody learns by signing in which addresses have an account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import SignInBusy
from holdfast.domain.identity import Origin
from holdfast.kernel.errors import DomainError
from holdfast.workflows.sign_in import SignIn

NOBODY = "nobody@example.com"


class Overheard:
    """A connection or database whose statements are written down."""

    def __init__(self, inner, said):
        self._inner = inner
        self._said = said

    def __getattr__(self, name):
        if name in ("transaction", "statement"):
            return lambda: self._open(name)
        method = getattr(self._inner, name)

        async def ask(query, *args):
            self._said.append(query)
            return await method(query, *args)

        return ask

    @asynccontextmanager
    async def _open(self, kind) -> AsyncIterator["Overheard"]:
        self._said.append(kind)
        async with getattr(self._inner, kind)() as tx:
            yield Overheard(tx, self._said)


class Watched:
    """A hasher that counts, and may be full."""

    def __init__(self, hasher, said, *, full=False):
        self._hasher = hasher
        self._said = said
        self._full = full

    def turn(self):
        return self._hasher.turn()

    async def verify(self, phc, password):
        self._said.append("hash")
        if self._full:
            raise SignInBusy(1)
        return await self._hasher.verify(phc, password)


@pytest.fixture
def attempts_at(database, vault, hasher, clock):
    """Guess several times; returns what was done and answered, attempt by attempt."""

    async def guess(email, *, times, full=False, origin=None):
        seen = []
        for n in range(times):
            said = []
            watched = Watched(hasher, said, full=full)
            doors = SignIn(Overheard(database, said), vault, watched, clock)
            whence = origin or Origin(f"198.51.100.{n}")
            try:
                answer = await doors.by_password(email, "wrong", origin=whence)
            except DomainError as error:
                answer = (type(error), error.details)
            seen.append((said, answer))
        return seen

    return guess


@pytest.fixture
async def somebody(request, a_person, database, clock):
    """Accounts in every state, by the parameter."""
    person = await a_person(verified=request.param != "unverified")
    if request.param == "disabled":
        async with database.transaction() as tx:
            await accounts.disable(tx, person.account_id, clock())
    if request.param == "with codes":
        await person.set_up()
    return person


STATES = ["active", "unverified", "disabled", "with codes"]


@pytest.mark.parametrize("somebody", STATES, indirect=True)
class TestWrongPassword:
    async def test_does_the_same_and_says_the_same_as_for_nobody(
        self, somebody, attempts_at
    ):
        known = await attempts_at(somebody.email, times=3)
        unknown = await attempts_at(NOBODY, times=3)

        assert known == unknown
        assert [said.count("hash") for said, _ in known] == [1, 1, 1]

    async def test_waits_at_the_same_attempt_for_the_same_time(
        self, somebody, attempts_at
    ):
        here = Origin("192.0.2.99")
        known = await attempts_at(somebody.email, times=7, origin=here)
        unknown = await attempts_at(NOBODY, times=7, origin=here)

        assert known == unknown
        # Refused without a hash, and with nothing written.
        assert [said.count("hash") for said, _ in known] == [1] * 5 + [0] * 2
        assert known[-1][0].count("transaction") == 0

    async def test_waits_alike_after_a_hundred_failures_everywhere(
        self, somebody, attempts_at
    ):
        known = await attempts_at(somebody.email, times=102)
        unknown = await attempts_at(NOBODY, times=102)

        assert known == unknown
        assert known[-1][1] == known[-2][1]

    async def test_finds_no_room_alike(self, somebody, attempts_at):
        known = await attempts_at(somebody.email, times=2, full=True)
        unknown = await attempts_at(NOBODY, times=2, full=True)

        assert known == unknown
