"""Signing in with a code after the password, and every way of cheating at it."""

import asyncio
import base64

import pytest
from cases import cases

from holdfast.domain import accounts
from holdfast.domain.identity import Origin
from holdfast.workflows.sign_in import (
    ChallengeNotValid,
    CodeRefused,
    Proved,
    SecondFactorNeeded,
    TooManyAttempts,
)

HOME = Origin("192.0.2.7", "Firefox", "req-1")
THIEF = Origin("198.51.100.1", "curl")


@pytest.fixture
def answer(sign_in):
    async def send(challenge, code, *, origin=HOME, **where):
        return await sign_in.by_code(challenge, code, origin=origin, **where)

    return send


async def at_once(times, ask):
    """Do the same many times at once; returns how many came through."""

    async def one():
        try:
            return isinstance(await ask(), Proved)
        except (CodeRefused, TooManyAttempts):
            return False

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(times)]
    return sum(task.result() for task in tasks)


class TestByCode:
    async def test_the_password_alone_opens_nothing(self, ada_with_codes, recorded):
        asked = await ada_with_codes.enter()

        assert isinstance(asked, SecondFactorNeeded)
        assert await recorded() == []

    async def test_password_and_code_prove_who_it_is(
        self, ada_with_codes, answer, clock, recorded
    ):
        challenge = await ada_with_codes.challenge()
        clock.advance(minutes=2)

        proved = await answer(challenge, ada_with_codes.code(clock()))

        assert proved.account_id == ada_with_codes.account_id
        assert proved.methods == ("pwd", "otp", "mfa")
        assert proved.authenticated_at == clock()
        assert await recorded() == [("sign_in.succeeded", ada_with_codes.account_id)]

    @pytest.mark.parametrize("seconds", [-30, 30])
    async def test_takes_a_code_of_a_clock_that_is_a_little_off(
        self, ada_with_codes, answer, clock, seconds
    ):
        now = clock()
        challenge = await ada_with_codes.challenge()
        clock.advance(seconds=seconds)
        code = ada_with_codes.code(clock())
        clock.now = now

        assert isinstance(await answer(challenge, code), Proved)

    @pytest.mark.parametrize("seconds", [-60, 60])
    async def test_takes_none_that_is_further_off(
        self, ada_with_codes, answer, clock, seconds
    ):
        now = clock()
        challenge = await ada_with_codes.challenge()
        clock.advance(seconds=seconds)
        code = ada_with_codes.code(clock())
        clock.now = now

        with pytest.raises(CodeRefused):
            await answer(challenge, code)

    @pytest.mark.parametrize(
        "code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "\x00", "x" * 10_000]
    )
    async def test_refuses_what_is_no_code(self, ada_with_codes, answer, code):
        with pytest.raises(CodeRefused):
            await answer(await ada_with_codes.challenge(), code)

    async def test_takes_no_code_twice(self, ada_with_codes, answer, clock, recorded):
        code = ada_with_codes.code(clock())
        await answer(await ada_with_codes.challenge(), code)

        with pytest.raises(CodeRefused):
            await answer(await ada_with_codes.challenge(), code)

        assert (await recorded())[-1][0] == "second_factor.failed"

    async def test_takes_no_code_that_is_older_than_one_it_took(
        self, ada_with_codes, answer, clock
    ):
        older = ada_with_codes.code(clock())
        clock.advance(seconds=30)
        await answer(await ada_with_codes.challenge(), ada_with_codes.code(clock()))

        with pytest.raises(CodeRefused):
            await answer(await ada_with_codes.challenge(), older)

    async def test_one_code_at_once_lets_one_in(self, ada_with_codes, answer, clock):
        challenge = await ada_with_codes.challenge()
        code = ada_with_codes.code(clock())

        assert await at_once(20, lambda: answer(challenge, code)) == 1

    async def test_guessing_codes_is_over_after_five(
        self, ada_with_codes, answer, clock, recorded
    ):
        challenge = await ada_with_codes.challenge()
        wrong = ada_with_codes.wrong_code(clock())
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await answer(challenge, wrong)

        with pytest.raises(TooManyAttempts) as raised:
            await answer(challenge, ada_with_codes.code(clock()))

        assert raised.value.retry_after_seconds == 30
        kinds = [kind for kind, _ in await recorded()]
        assert kinds == ["second_factor.failed"] * 5 + ["sign_in.blocked"]

    async def test_a_new_challenge_brings_no_new_guesses(
        self, ada_with_codes, answer, clock
    ):
        wrong = ada_with_codes.wrong_code(clock())
        for n in range(5):
            challenge = await ada_with_codes.challenge(origin=Origin(f"192.0.2.{n}"))
            with pytest.raises(CodeRefused):
                await answer(challenge, wrong)

        with pytest.raises(TooManyAttempts):
            await answer(await ada_with_codes.challenge(), wrong)

    async def test_two_hundred_codes_at_once_are_five_guesses(
        self, ada_with_codes, answer, clock, recorded
    ):
        challenge = await ada_with_codes.challenge()
        wrong = ada_with_codes.wrong_code(clock())

        assert await at_once(200, lambda: answer(challenge, wrong)) == 0

        kinds = [kind for kind, _ in await recorded()]
        assert kinds.count("second_factor.failed") == 5

    async def test_a_thief_of_the_password_keeps_no_owner_from_the_code(
        self, ada_with_codes, answer, clock
    ):
        first = await answer(
            await ada_with_codes.challenge(), ada_with_codes.code(clock())
        )
        clock.advance(minutes=1)
        stolen = await ada_with_codes.challenge(origin=THIEF)
        wrong = ada_with_codes.wrong_code(clock())
        for _ in range(5):
            with pytest.raises(CodeRefused):
                await answer(stolen, wrong, origin=THIEF)

        mine = await ada_with_codes.challenge(place=first.place)
        proved = await answer(mine, ada_with_codes.code(clock()))

        assert proved.place == first.place


class TestChallenge:
    async def test_expires_after_five_minutes(self, ada_with_codes, answer, clock):
        challenge = await ada_with_codes.challenge()
        clock.advance(minutes=5)

        with pytest.raises(ChallengeNotValid):
            await answer(challenge, ada_with_codes.code(clock()))

    async def test_of_one_client_is_nothing_to_another(
        self, ada_with_codes, answer, clock
    ):
        challenge = await ada_with_codes.challenge(client="till")
        code = ada_with_codes.code(clock())

        for client in ("app", "browser", ""):
            with pytest.raises(ChallengeNotValid):
                await answer(challenge, code, client=client)
        assert isinstance(await answer(challenge, code, client="till"), Proved)

    async def test_that_was_tampered_with_is_refused(
        self, ada_with_codes, answer, clock
    ):
        sealed = bytearray(base64.urlsafe_b64decode(await ada_with_codes.challenge()))
        sealed[-1] ^= 1
        forged = base64.urlsafe_b64encode(sealed).decode()

        with pytest.raises(ChallengeNotValid):
            await answer(forged, ada_with_codes.code(clock()))

    @cases("made_up", ["", "é", "hfb_x", "AAAA", "!" * 9, "A" * 5000])
    async def test_that_was_made_up_is_refused(self, ada_with_codes, answer, made_up):
        with pytest.raises(ChallengeNotValid):
            await answer(made_up, "123456")

    async def test_says_nothing_about_whose_it_is(self, ada_with_codes):
        challenge = await ada_with_codes.challenge()

        sealed = base64.urlsafe_b64decode(challenge)
        assert str(ada_with_codes.account_id).encode() not in sealed

    async def test_is_worth_nothing_after_the_password_was_changed(
        self, ada_with_codes, answer, database, vault, clock
    ):
        challenge = await ada_with_codes.challenge()
        clock.advance(seconds=1)
        async with database.transaction() as tx:
            await accounts.set_password(
                tx, vault, ada_with_codes.account_id, "another", clock()
            )

        with pytest.raises(ChallengeNotValid):
            await answer(challenge, ada_with_codes.code(clock()))

    async def test_is_worth_nothing_after_the_account_was_disabled(
        self, ada_with_codes, answer, database, clock
    ):
        challenge = await ada_with_codes.challenge()
        async with database.transaction() as tx:
            await accounts.disable(tx, ada_with_codes.account_id, clock())

        with pytest.raises(ChallengeNotValid):
            await answer(challenge, ada_with_codes.code(clock()))


class TestRecoveryCodes:
    async def test_open_the_account_once(self, ada_with_codes, answer, recorded):
        code = ada_with_codes.recovery_codes[3]
        proved = await answer(await ada_with_codes.challenge(), code)

        with pytest.raises(CodeRefused):
            await answer(await ada_with_codes.challenge(), code)

        assert proved.methods == ("pwd", "otp", "mfa")
        assert [kind for kind, _ in await recorded()][:2] == [
            "recovery_code.used",
            "sign_in.succeeded",
        ]

    async def test_may_be_typed_without_hyphens_and_with_lookalikes(
        self, ada_with_codes, answer
    ):
        code = ada_with_codes.recovery_codes[0]
        typed = code.replace("-", " ").upper().replace("0", "O").replace("1", "I")

        assert isinstance(await answer(await ada_with_codes.challenge(), typed), Proved)

    async def test_one_at_once_lets_one_in(self, ada_with_codes, answer):
        challenge = await ada_with_codes.challenge()
        code = ada_with_codes.recovery_codes[0]

        assert await at_once(20, lambda: answer(challenge, code)) == 1

    async def test_of_another_account_open_nothing(
        self, ada_with_codes, a_person, answer
    ):
        eve = await a_person("eve@example.com")
        await eve.set_up()

        with pytest.raises(CodeRefused):
            await answer(await ada_with_codes.challenge(), eve.recovery_codes[0])

    async def test_are_not_in_the_database_nor_is_the_secret(
        self, ada_with_codes, database
    ):
        rows = await database.fetch(
            "SELECT c::text AS row FROM recovery_codes c"
            " UNION ALL SELECT f::text FROM second_factors f"
        )

        assert len(rows) == 11
        secrets = [ada_with_codes.secret, *ada_with_codes.recovery_codes]
        secrets += [code.replace("-", "") for code in ada_with_codes.recovery_codes]
        for row in rows:
            for secret in secrets:
                assert secret not in row["row"]
                assert secret.encode().hex() not in row["row"]
