"""The second factor over HTTP: setting it up, signing in with it, giving it up."""

import pytest

PASSWORD = "correct horse battery staple"


@pytest.fixture
async def ada_with_codes(ada, with_codes, clock):
    await with_codes(ada)
    # The first code was taken to set it up.
    clock.advance(minutes=1)
    return ada


async def challenge_of(customer, **fields):
    answer = await customer.enter(**fields)
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/second-factor-required"
    return answer.json()["challenge"]


class TestSignIn:
    async def test_takes_the_code_after_the_password(self, ada_with_codes, clock):
        ada = ada_with_codes
        challenge = await challenge_of(ada)

        answer = await ada.post(
            "/v1/sessions/second-factor",
            challenge=challenge,
            code=ada.device.at(clock()),
        )

        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json()["access_token"].count(".") == 2

    async def test_takes_no_code_twice(self, ada_with_codes, clock):
        ada = ada_with_codes
        code = ada.device.at(clock())
        path = "/v1/sessions/second-factor"
        await ada.post(path, challenge=await challenge_of(ada), code=code)

        again = await ada.post(path, challenge=await challenge_of(ada), code=code)

        assert again.status_code == 401
        assert again.json()["type"] == "/problems/code-refused"

    async def test_makes_those_wait_who_guess_codes(self, ada_with_codes, clock):
        ada = ada_with_codes
        challenge = await challenge_of(ada)
        wrong = ada.device.at(clock(), counter_offset=9)

        answers = [
            await ada.post(
                "/v1/sessions/second-factor", challenge=challenge, code=wrong
            )
            for _ in range(6)
        ]

        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert answers[-1].headers["retry-after"] == "30"

    async def test_takes_a_challenge_through_its_own_client_only(
        self, ada_with_codes, a_client, clock
    ):
        ada = ada_with_codes
        challenge = await challenge_of(ada)
        other = await a_client("account:read")

        answer = await ada.post(
            "/v1/sessions/second-factor",
            client_id=other,
            challenge=challenge,
            code=ada.device.at(clock()),
        )

        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/challenge-not-valid"

    async def test_asks_nobody_who_has_the_password_wrong(self, ada_with_codes):
        answer = await ada_with_codes.enter("wrong")

        assert answer.json()["type"] == "/problems/invalid-login"


class TestOwn:
    async def test_is_off_at_first(self, ada):
        session = await ada.opened()

        answer = await session.send("GET", "/v1/me/second-factor")

        assert answer.json() == {"enabled": False, "recovery_codes_left": 0}

    async def test_goes_on_with_a_code_and_off_with_password_and_code(
        self, ada, clock, with_codes
    ):
        session = await ada.opened()
        await with_codes(ada)
        on = await session.send("GET", "/v1/me/second-factor")
        clock.advance(minutes=1)
        both = {"password": PASSWORD, "code": ada.device.at(clock())}

        done = await session.send("DELETE", "/v1/me/second-factor", json=both)

        off = await session.send("GET", "/v1/me/second-factor")
        assert on.json() == {"enabled": True, "recovery_codes_left": 10}
        assert done.status_code == 204
        assert off.json()["enabled"] is False

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({"password": "wrong", "code": "now"}, "wrong-password"),
            ({"password": PASSWORD, "code": "000"}, "wrong-code"),
        ],
    )
    async def test_stays_on_without_either(self, ada, clock, with_codes, body, problem):
        session = await ada.opened()
        await with_codes(ada)
        clock.advance(minutes=1)
        if body["code"] == "now":
            body = {**body, "code": ada.device.at(clock())}

        answer = await session.send("DELETE", "/v1/me/second-factor", json=body)

        assert answer.status_code == 403
        assert answer.json()["type"] == f"/problems/{problem}"

    async def test_new_recovery_codes_take_the_place_of_the_old(
        self, ada, clock, with_codes
    ):
        session = await ada.opened()
        await with_codes(ada)
        clock.advance(minutes=1)
        both = {"password": PASSWORD, "code": ada.device.at(clock())}

        answer = await session.send("POST", "/v1/me/recovery-codes", json=both)

        (code, *others) = answer.json()["recovery_codes"]
        entered = await ada.post(
            "/v1/sessions/second-factor", challenge=await challenge_of(ada), code=code
        )
        assert answer.status_code == 201
        assert len(others) == 9
        assert entered.status_code == 201
