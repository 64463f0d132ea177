"""How many guesses there are, and who waits for whom."""

import asyncio
from datetime import timedelta

import pytest

from holdfast.domain import accounts
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id

MINUTE = timedelta(minutes=1)
ADA = "ada@example.com"
HOME = "192.0.2.7"


@pytest.fixture
def guess(database, vault, clock):
    """Claim an attempt; nothing is given back."""

    async def claim(email=ADA, address=HOME, *, place=None, familiar=False):
        subjects = accounts.subjects_of(
            vault, email, address, place=place, familiar_address=familiar
        )
        return await accounts.claim_attempt(database, subjects, at=clock())

    return claim


@pytest.fixture
def counts(database):
    """How many failures are counted, by kind."""

    async def read():
        rows = await database.fetch(
            "SELECT kind, max(failures) AS most FROM sign_in_failures GROUP BY kind"
        )
        return {row["kind"]: row["most"] for row in rows}

    return read


class TestClaimAttempt:
    async def test_the_fifth_failure_makes_the_next_guess_wait(self, guess, clock):
        claims = [await guess() for _ in range(6)]

        assert [claim.refused_until for claim in claims[:5]] == [None] * 5
        assert [claim.blocks for claim in claims[:5]] == [()] * 4 + [("pair",)]
        assert claims[5].refused_until == clock() + timedelta(seconds=30)

    async def test_a_refused_guess_is_not_counted(self, guess, counts):
        for _ in range(20):
            await guess()

        assert await counts() == {"pair": 5, "address": 5, "account": 5}

    async def test_each_further_failure_doubles_the_wait_up_to_a_quarter_hour(
        self, guess, clock
    ):
        for _ in range(5):
            await guess()
        waits = []
        for _ in range(7):
            refused = await guess()
            waits.append((refused.refused_until - clock()).total_seconds())
            clock.now = refused.refused_until
            assert (await guess()).refused_until is None

        assert waits == [30, 60, 120, 240, 480, 900, 900]

    async def test_two_hundred_guesses_at_once_are_five(self, guess, counts):
        async with asyncio.TaskGroup() as group:
            guesses = [group.create_task(guess()) for _ in range(200)]

        let_through = [g for g in guesses if g.result().refused_until is None]
        assert len(let_through) == 5
        assert (await counts())["pair"] == 5

    async def test_the_last_free_guess_goes_to_one_of_those_who_wait_for_it(
        self, guess, database, promised, counts
    ):
        for _ in range(4):
            await guess()

        async def all_wait():
            waiting = await database.fetchval(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return waiting == 15

        # Held until all have seen four failures, and none has counted its own.
        async with asyncio.TaskGroup() as group, database.transaction() as tx:
            await tx.execute("SELECT FROM sign_in_failures FOR UPDATE")
            guesses = [group.create_task(guess()) for _ in range(15)]
            await promised(all_wait)

        assert sum(g.result().refused_until is None for g in guesses) == 1
        assert (await counts())["pair"] == 5

    async def test_an_address_that_tries_many_accounts_waits_after_fifty(
        self, guess, clock
    ):
        claims = [await guess(f"a{n}@example.com") for n in range(51)]

        assert [claim.refused_until for claim in claims[:50]] == [None] * 50
        assert claims[50].refused_until == clock() + timedelta(seconds=30)

    async def test_guesses_from_many_addresses_at_one_account_wait_after_a_hundred(
        self, guess, clock
    ):
        claims = [await guess(address=f"198.51.100.{n}") for n in range(101)]

        assert [claim.refused_until for claim in claims[:100]] == [None] * 100
        assert claims[100].refused_until == clock() + timedelta(minutes=15)

    async def test_an_owner_elsewhere_does_not_wait_for_what_others_do(self, guess):
        for n in range(120):
            await guess(address=f"198.51.100.{n}")
        place = tokens.fingerprint("mine")

        with_token = await guess(address="203.0.113.1", place=place)
        from_home = await guess(address="203.0.113.2", familiar=True)
        stranger = await guess(address="203.0.113.3")

        assert with_token.refused_until is None
        assert from_home.refused_until is None
        assert stranger.refused_until is not None

    async def test_who_shares_the_owners_address_keeps_nobody_out(self, guess):
        for _ in range(6):
            await guess()
        for n in range(60):
            await guess(f"a{n}@example.com")

        owner = await guess(place=tokens.fingerprint("mine"))

        assert owner.refused_until is None

    async def test_a_stolen_place_is_guarded_too(self, guess):
        place = tokens.fingerprint("mine")
        claims = [await guess(address=f"203.0.113.{n}", place=place) for n in range(6)]

        assert claims[5].refused_until is not None

    @pytest.mark.parametrize(
        ("address", "neighbour", "together"),
        [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
            ("192.0.2.1", "::ffff:192.0.2.1", True),
            ("192.0.2.1", "192.0.2.2", False),
            ("fe80::1%eth0", "fe80::2", True),
            (None, None, True),
            (None, "192.0.2.1", False),
            ("/run/shop.sock", "/run/shop.sock", True),
        ],
    )
    async def test_counts_what_one_customer_of_a_provider_has_as_one_address(
        self, guess, address, neighbour, together
    ):
        for _ in range(5):
            await guess(address=address)

        refused = (await guess(address=neighbour)).refused_until is not None

        assert refused is together

    async def test_spellings_of_one_address_are_one_account(self, guess):
        for _ in range(5):
            await guess("Ada@Example.com ")

        assert (await guess("ada@example.COM")).refused_until is not None

    async def test_failures_of_a_pair_are_forgotten_after_a_quiet_day(
        self, guess, clock
    ):
        for _ in range(5):
            await guess()
        clock.advance(hours=24)

        claims = [await guess() for _ in range(5)]

        assert [claim.refused_until for claim in claims] == [None] * 5

    async def test_failures_of_an_address_do_not_add_up_for_ever(self, guess, clock):
        for n in range(100):
            claim = await guess(f"a{n}@example.com")
            clock.advance(seconds=20)
            assert claim.refused_until is None, n

    async def test_subjects_cannot_be_read_from_the_table(self, guess, database):
        await guess()

        rows = await database.fetch("SELECT f::text AS row FROM sign_in_failures f")

        assert len(rows) == 3
        for row in rows:
            for plain in (ADA, HOME):
                assert plain not in row["row"]
                assert plain.encode().hex() not in row["row"]

    async def test_orders_its_locks_whatever_comes_at_once(self, guess):
        """Guesses that share an account or an address wait, and never deadlock."""
        async with asyncio.TaskGroup() as group:
            for n in range(200):
                group.create_task(guess(f"a{n % 7}@example.com", f"192.0.2.{n % 11}"))


class TestGiveBackAttempt:
    async def test_a_right_guess_leaves_no_failure_of_the_pair(
        self, guess, database, counts
    ):
        for _ in range(4):
            await guess()

        await accounts.give_back_attempt(database, await guess(), forget=("pair",))

        assert await counts() == {"address": 4, "account": 4}

    async def test_a_guess_that_was_never_looked_into_makes_nobody_wait(
        self, guess, database, counts
    ):
        for _ in range(4):
            await guess()

        await accounts.give_back_attempt(database, await guess())

        assert (await counts())["pair"] == 4
        assert (await guess()).refused_until is None

    async def test_a_wait_that_others_brought_about_stays(self, guess, database, clock):
        claims = [await guess() for _ in range(5)]
        clock.advance(seconds=30)
        claims.append(await guess())

        await accounts.give_back_attempt(database, claims[0])

        assert (await guess()).refused_until == clock() + MINUTE

    async def test_a_thousand_right_passwords_from_one_address_wait_for_nobody(
        self, guess, database
    ):
        for n in range(60):
            claim = await guess(f"a{n}@example.com")
            assert claim.refused_until is None
            await accounts.give_back_attempt(database, claim, forget=("pair",))


class TestForgetFailures:
    async def test_forgets_those_of_yesterday_and_no_others(
        self, guess, database, clock, counts
    ):
        await guess("old@example.com", "192.0.2.1")
        clock.advance(hours=25)
        await guess("new@example.com", "192.0.2.2")

        async with database.transaction() as tx:
            forgotten = await accounts.forget_failures(tx, now=clock(), limit=10)

        assert forgotten == 3
        assert await counts() == {"pair": 1, "address": 1, "account": 1}

    async def test_forgets_no_more_at_once_than_it_may(self, guess, database, clock):
        await guess()
        clock.advance(hours=25)

        async with database.transaction() as tx:
            assert await accounts.forget_failures(tx, now=clock(), limit=2) == 2


class TestRememberPlaces:
    async def remember(self, database, account_id, *places, at):
        async with database.transaction() as tx:
            await accounts.remember_places(tx, account_id, places, at=at)

    async def test_keeps_the_latest(self, database, clock, an_account_id):
        for n in range(50):
            clock.advance(minutes=1)
            place = b"%d" % n
            await self.remember(database, an_account_id, place, b"address", at=clock())

        rows = await database.fetch("SELECT place FROM familiar_places")
        kept = sorted((row["place"] for row in rows), key=lambda p: (len(p), p))
        assert kept == [b"%d" % n for n in range(9, 50)] + [b"address"]

    async def test_forgets_what_was_not_used_for_a_year(
        self, database, clock, an_account_id
    ):
        await self.remember(database, an_account_id, b"old", at=clock())
        clock.advance(days=360)
        await self.remember(database, an_account_id, b"new", at=clock())
        clock.advance(days=6)

        async with database.transaction() as tx:
            forgotten = await accounts.forget_places(tx, now=clock(), limit=10)

        (left,) = await database.fetch("SELECT place FROM familiar_places")
        assert (forgotten, left["place"]) == (1, b"new")


class TestSecondFactorSubject:
    async def test_who_knows_the_password_cannot_keep_the_owner_from_a_code(
        self, database, vault, clock
    ):
        account_id = new_id()
        anywhere = accounts.second_factor_subject(vault, account_id, None)
        mine = accounts.second_factor_subject(vault, account_id, b"my kitchen")
        for _ in range(6):
            last = await accounts.claim_attempt(database, [anywhere], at=clock())

        owner = await accounts.claim_attempt(database, [mine], at=clock())

        assert last.refused_until is not None
        assert owner.refused_until is None
