"""Setting up a second factor, and doing without it again."""

import asyncio

import pyotp
import pytest

from holdfast.domain.accounts import WrongPassword
from holdfast.domain.identity import Origin
from holdfast.kernel.ids import new_id
from holdfast.workflows.second_factor import (
    SecondFactorEnabled,
    SecondFactorMissing,
    SecondFactors,
    WrongCode,
)
from holdfast.workflows.sign_in import Proved, TooManyAttempts

HOME = Origin("192.0.2.7", "Firefox", "req-1")
PASSWORD = "correct horse battery staple"
HERE = {"session_id": new_id(), "origin": HOME}


@pytest.fixture
def factors(database, vault, hasher, clock):
    return SecondFactors(database, vault, hasher, clock)


@pytest.fixture
def begun(factors, ada):
    """Begin; returns the device."""

    async def begin():
        secret, _ = await factors.begin(
            ada.account_id, PASSWORD, **HERE, issuer="shop.test"
        )
        return pyotp.TOTP(secret)

    return begin


@pytest.fixture
def told(database):
    """What the owner is to be told of by e-mail."""

    async def read():
        rows = await database.fetch("SELECT purpose FROM account_requests ORDER BY id")
        return [row["purpose"] for row in rows]

    return read


class TestBegin:
    async def test_gives_a_secret_of_160_bits_for_the_device(self, factors, ada):
        secret, uri = await factors.begin(
            ada.account_id, PASSWORD, **HERE, issuer="shop.test"
        )

        device = pyotp.parse_uri(uri)
        assert len(pyotp.TOTP(secret).byte_secret()) == 20
        assert (device.secret, device.name) == (secret, ada.email)
        assert (device.issuer, device.digits) == ("shop.test", 6)

    async def test_needs_the_password(self, factors, ada):
        with pytest.raises(WrongPassword):
            await factors.begin(ada.account_id, "wrong", **HERE, issuer="shop")

        assert not (await factors.state(ada.account_id)).enabled

    async def test_who_borrowed_the_device_guesses_five_times(self, factors, ada):
        for _ in range(5):
            with pytest.raises(WrongPassword):
                await factors.begin(ada.account_id, "wrong", **HERE, issuer="shop")

        with pytest.raises(TooManyAttempts):
            await factors.begin(ada.account_id, PASSWORD, **HERE, issuer="shop")

    async def test_changes_nothing_until_the_first_code(self, begun, factors, ada):
        await begun()

        assert not (await factors.state(ada.account_id)).enabled
        assert isinstance(await ada.enter(), Proved)


class TestConfirm:
    async def test_the_first_code_puts_it_to_use(
        self, begun, factors, ada, clock, recorded, told
    ):
        device = await begun()
        codes = await factors.confirm(ada.account_id, device.at(clock()), **HERE)

        state = await factors.state(ada.account_id)
        assert (state.enabled, state.recovery_codes_left) == (True, 10)
        assert len(set(codes)) == 10
        assert {len(code.replace("-", "")) for code in codes} == {16}
        await ada.challenge()
        assert await recorded() == [("second_factor.enabled", ada.account_id)]
        assert await told() == ["second_factor_enabled"]

    async def test_the_first_code_opens_nothing_after_that(
        self, begun, factors, ada, clock, sign_in
    ):
        device = await begun()
        code = device.at(clock())
        await factors.confirm(ada.account_id, code, **HERE)

        with pytest.raises(Exception, match="not right"):
            await sign_in.by_code(await ada.challenge(), code, origin=HOME)

    async def test_a_wrong_code_leaves_it_off(
        self, begun, factors, ada, clock, recorded
    ):
        device = await begun()
        wrong = device.at(clock(), counter_offset=9)

        with pytest.raises(WrongCode):
            await factors.confirm(ada.account_id, wrong, **HERE)

        assert not (await factors.state(ada.account_id)).enabled
        assert await recorded() == [("second_factor.failed", ada.account_id)]

    async def test_needs_a_beginning(self, factors, ada):
        with pytest.raises(SecondFactorMissing):
            await factors.confirm(ada.account_id, "123456", **HERE)

    async def test_a_beginning_is_good_for_an_hour(self, begun, factors, ada, clock):
        device = await begun()
        clock.advance(minutes=61)

        with pytest.raises(SecondFactorMissing):
            await factors.confirm(ada.account_id, device.at(clock()), **HERE)

    async def test_a_second_beginning_ends_the_first(self, begun, factors, ada, clock):
        first = await begun()
        second = await begun()

        with pytest.raises(WrongCode):
            await factors.confirm(ada.account_id, first.at(clock()), **HERE)
        await factors.confirm(ada.account_id, second.at(clock()), **HERE)

    async def test_comes_once_however_often_it_is_sent(
        self, begun, factors, ada, clock
    ):
        device = await begun()
        code = device.at(clock())

        async def send():
            try:
                return await factors.confirm(ada.account_id, code, **HERE)
            except (SecondFactorMissing, SecondFactorEnabled):
                return None

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(send()) for _ in range(5)]

        assert sum(task.result() is not None for task in tasks) == 1

    async def test_one_in_use_is_not_replaced(self, ada_with_codes, factors):
        account_id = ada_with_codes.account_id

        with pytest.raises(SecondFactorEnabled):
            await factors.begin(account_id, PASSWORD, **HERE, issuer="shop")
        with pytest.raises(SecondFactorEnabled):
            await factors.confirm(account_id, "123456", **HERE)


class TestDisable:
    async def test_takes_password_and_code(
        self, ada_with_codes, factors, clock, recorded, told
    ):
        ada = ada_with_codes
        await factors.disable(ada.account_id, PASSWORD, ada.code(clock()), **HERE)

        assert not (await factors.state(ada.account_id)).enabled
        assert isinstance(await ada.enter(), Proved)
        assert ("second_factor.disabled", ada.account_id) in await recorded()
        assert await told() == ["second_factor_disabled"]

    @pytest.mark.parametrize("missing", ["password", "code"])
    async def test_either_alone_is_not_enough(
        self, ada_with_codes, factors, clock, missing
    ):
        ada, now = ada_with_codes, clock()
        password = "wrong" if missing == "password" else PASSWORD
        code = ada.wrong_code(now) if missing == "code" else ada.code(now)

        with pytest.raises((WrongPassword, WrongCode)):
            await factors.disable(ada.account_id, password, code, **HERE)

        assert (await factors.state(ada.account_id)).enabled

    async def test_codes_cannot_be_guessed_here_either(
        self, ada_with_codes, factors, clock
    ):
        ada = ada_with_codes
        wrong = ada.wrong_code(clock())
        for _ in range(5):
            with pytest.raises(WrongCode):
                await factors.disable(ada.account_id, PASSWORD, wrong, **HERE)

        with pytest.raises(TooManyAttempts):
            await factors.disable(ada.account_id, PASSWORD, ada.code(clock()), **HERE)

    async def test_there_must_be_one(self, ada, factors):
        with pytest.raises(SecondFactorMissing):
            await factors.disable(ada.account_id, PASSWORD, "123456", **HERE)


class TestReplaceRecoveryCodes:
    async def test_is_recorded(self, ada_with_codes, factors, clock, recorded):
        await factors.replace_recovery_codes(
            ada_with_codes.account_id, PASSWORD, ada_with_codes.code(clock()), **HERE
        )

        assert await recorded() == [
            ("recovery_codes.replaced", ada_with_codes.account_id)
        ]

    async def test_those_before_are_good_for_nothing(
        self, ada_with_codes, factors, clock, sign_in
    ):
        ada = ada_with_codes
        fresh = await factors.replace_recovery_codes(
            ada.account_id, PASSWORD, ada.code(clock()), **HERE
        )

        with pytest.raises(Exception, match="not right"):
            await sign_in.by_code(
                await ada.challenge(), ada.recovery_codes[0], origin=HOME
            )
        proved = await sign_in.by_code(await ada.challenge(), fresh[0], origin=HOME)
        assert proved.account_id == ada.account_id
        assert (await factors.state(ada.account_id)).recovery_codes_left == 9
