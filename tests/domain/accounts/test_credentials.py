"""A sign-in is counted, and what it is checked against is found, in one statement."""

from datetime import timedelta

import pytest

from holdfast.domain import accounts
from holdfast.domain.accounts import Credentials
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id

ADA, NOBODY = "ada@example.com", "nobody@example.com"
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.1"
PHC = "$argon2id$not looked at here"


@pytest.fixture
async def ada(database, vault, clock):
    """An account with a password; returns its id."""
    account_id, now = new_id(), clock()
    async with database.transaction() as tx:
        await accounts.create(
            tx,
            vault,
            account_id=account_id,
            email=ADA,
            password=PHC,
            verified_at=now,
            at=now,
        )
    return account_id


@pytest.fixture
async def place(ada, database, vault, clock):
    """What the owner keeps at home, where she was before."""
    token = tokens.new_token(tokens.PLACE)
    places = [tokens.fingerprint(token), accounts.address_place(vault, HOME)]
    async with database.transaction() as tx:
        await accounts.remember_places(tx, ada, places, at=clock())
    return token


@pytest.fixture
def begin(database, vault, clock):
    """Begin to sign in; returns what is known, and the claim."""

    async def attempt(email=ADA, address=ELSEWHERE, *, place=None):
        return await accounts.begin_sign_in(
            database, vault, email, place=place, address=address, at=clock()
        )

    return attempt


@pytest.fixture
def counted(database):
    """How many failures are counted, by kind."""

    async def read():
        rows = await database.fetch(
            "SELECT kind, max(failures) AS most FROM sign_in_failures GROUP BY kind"
        )
        return {row["kind"]: row["most"] for row in rows}

    return read


class TestBeginSignIn:
    async def test_says_how_the_owner_signs_in(self, ada, begin, clock):
        known, _ = await begin()

        assert (known.account_id, known.password) == (ada, PHC)
        assert known.password_changed_at == clock()
        assert known.usable
        assert not known.second_factor

    async def test_of_nobody_there_is_nothing_to_say(self, begin):
        known, claim = await begin(NOBODY)

        assert known == Credentials()
        assert claim.refused_until is None

    @pytest.mark.parametrize(
        ("email", "address", "shows", "kinds"),
        [
            (ADA, ELSEWHERE, "the place", {"pair"}),
            (ADA, HOME, "the place", {"pair"}),
            (ADA, HOME, "none", {"pair", "address"}),
            (ADA, HOME, "another", {"pair", "address"}),
            (ADA, ELSEWHERE, "none", {"pair", "address", "account"}),
            (ADA, ELSEWHERE, "another", {"pair", "address", "account"}),
            (NOBODY, HOME, "the place", {"pair", "address", "account"}),
            (NOBODY, ELSEWHERE, "none", {"pair", "address", "account"}),
        ],
    )
    async def test_is_counted_by_how_familiar_the_place_is(
        self, place, begin, counted, email, address, shows, kinds
    ):
        another = tokens.new_token(tokens.PLACE)
        shown = {"the place": place, "another": another, "none": None}[shows]

        known, claim = await begin(email, address, place=shown)

        assert await counted() == dict.fromkeys(kinds, 1)
        # What is to be given back is what the server counted.
        assert {subject.kind for subject in claim.subjects} == kinds
        assert (known.place is not None) == (kinds == {"pair"})

    @pytest.mark.parametrize("email", [ADA, NOBODY])
    async def test_the_fifth_failure_makes_the_next_wait(
        self, ada, begin, counted, clock, email
    ):
        claims = [(await begin(email))[1] for _ in range(7)]

        assert [claim.refused_until for claim in claims[:5]] == [None] * 5
        assert claims[4].blocks == ("pair",)
        until = clock() + timedelta(seconds=30)
        assert [claim.refused_until for claim in claims[5:]] == [until] * 2
        assert await counted() == {"pair": 5, "address": 5, "account": 5}
