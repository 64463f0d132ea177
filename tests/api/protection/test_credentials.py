"""Attempts at credentials are few, and nobody is kept out by what others do."""

import pytest

from holdfast.api.protection.credentials import attempt
from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import Policies
from holdfast.api.protection.quotas import Quotas
from holdfast.api.routes import ROUTES
from holdfast.domain.identity import Origin
from holdfast.kernel import tokens
from holdfast.platform.metrics import Metrics
from holdfast.platform.settings import Settings
from holdfast.platform.vault import Vault
from holdfast.resilience.errors import QuotaExceeded

NO_CLIENT = {"email": "ada@example.com", "password": "guess", "client_id": "none"}


@pytest.fixture
def settings(settings):
    """The shop's settings, with the usual limits for attempts and a proxy."""
    few = "*=1000000/s credentials=5/h credentials-address=12/h token=40/h"
    return Settings.read(
        {
            **settings.raw,
            "HOLDFAST_RATE_LIMITS": few,
            "HOLDFAST_TRUSTED_PROXIES": "127.0.0.1",
        }
    )


@pytest.fixture
def guess(client):
    """Try to sign in; returns the status."""

    async def send(email="ada@example.com", address="192.0.2.1", **said):
        answer = await client.post(
            "/v1/sessions",
            json={**NO_CLIENT, "email": email, **said},
            headers={"X-Forwarded-For": address},
        )
        return answer.status_code

    return send


class TestSignIn:
    async def test_is_tried_five_times_at_one_account(self, guess):
        seen = [await guess() for _ in range(7)]

        assert seen.count(429) == 2
        assert seen[5:] == [429, 429]

    async def test_at_one_account_by_any_spelling(self, guess):
        spellings = ["ada@example.com", "ADA@example.com ", "Ada@Example.COM"]

        seen = [await guess(email) for email in spellings * 3]

        assert seen.count(429) == 4

    async def test_from_elsewhere_is_not_held_back(self, guess):
        for _ in range(6):
            await guess()

        assert await guess(address="192.0.2.2") != 429

    async def test_from_a_device_of_the_account_is_counted_apart(self, guess):
        for _ in range(6):
            await guess()

        assert await guess(place=tokens.new_token(tokens.PLACE)) != 429
        assert await guess(place="made up") == 429

    async def test_is_tried_a_dozen_times_from_one_address(self, guess):
        seen = [await guess(f"{n}@example.com", "2001:db8::1") for n in range(15)]

        assert seen.count(429) == 3
        assert await guess("ada@example.com", "2001:db8::ffff") == 429

    async def test_that_is_refused_says_so_without_saying_who_there_is(self, client):
        for email in ("ada@example.com", "nobody@example.com"):
            answers = [
                await client.post("/v1/sessions", json={**NO_CLIENT, "email": email})
                for _ in range(6)
            ]
            problem = answers[-1].json()
            assert problem["type"] == "/problems/quota-exceeded"
            assert problem["violated-policies"] == ["credentials"]
            assert answers[-1].headers["ratelimit-policy"] == (
                '"credentials";q=5;w=3600'
            )


class TestEveryRoute:
    @pytest.mark.parametrize(
        "path",
        [
            *("/v1/sessions", "/v1/sessions/second-factor", "/v1/accounts"),
            *("/v1/accounts/confirm", "/v1/email-changes/confirm"),
            *("/v1/password-resets", "/v1/password-resets/confirm", "/sign-in"),
            *("/sign-in/code", "/sign-in/link", "/sign-up", "/sign-up/confirm"),
            *("/password/forgot", "/password/reset", "/email/confirm"),
        ],
    )
    async def test_shares_the_limit_of_the_address(self, client, path):
        said = {"X-Forwarded-For": "192.0.2.1"}

        seen = [(await client.post(path, headers=said)).status_code for _ in range(14)]

        assert 429 not in seen[:12]
        assert seen[12:] == [429, 429]

    def test_that_takes_a_secret_is_limited_by_attempts(self):
        words = ("session", "password", "sign-in", "sign-up", "account", "second-fact")
        others = {
            route.path
            for route in ROUTES
            if route.method in ("POST", "PUT")
            and any(word in route.path for word in words)
            # Of operators, about somebody else.
            and "{account_id" not in route.path
            and route.guesses is None
        }

        assert others == {
            # They end what there is, or follow a proof that was given.
            "/account/sessions/end",
            "/sign-in/join",
        }

    async def test_of_somebody_signed_in_is_limited_by_account(self, client, signed_in):
        ada, bob = await signed_in(), await signed_in()
        body = {"current_password": "guess", "new_password": "a good long new one"}

        async def guesses(who):
            for _ in range(6):
                answer = await client.put(
                    "/v1/me/password", json=body, headers=who.headers
                )
            return answer

        assert (await guesses(ada)).json()["violated-policies"] == ["credentials"]
        answer = await client.put("/v1/me/password", json=body, headers=bob.headers)
        assert answer.status_code != 429


class TestPage:
    async def test_says_in_words_when_to_try_again(self, client):
        for _ in range(13):
            answer = await client.post("/sign-in")

        assert answer.status_code == 429
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert int(answer.headers["retry-after"]) > 0
        assert "Try again in" in answer.text
        assert "ratelimit" in answer.headers


class TestMail:
    @pytest.mark.parametrize("path", ["/v1/password-resets", "/v1/accounts"])
    async def test_is_sent_to_one_address_a_few_times(self, client, path):
        body = {"email": "ada@example.com"}

        seen = [(await client.post(path, json=body)).status_code for _ in range(7)]

        assert seen == [202] * 5 + [429] * 2

    async def test_to_reset_is_not_used_up_by_signing_in(self, client, guess):
        for _ in range(6):
            await guess(address="127.0.0.1")

        answer = await client.post(
            "/v1/password-resets", json={"email": "ada@example.com"}
        )

        assert answer.status_code == 202


class TestToken:
    async def test_that_is_refused_counts_as_ten(self, client):
        wrong = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "y"}

        seen = [
            (await client.post("/oauth/token", data=wrong)).status_code
            for _ in range(6)
        ]

        assert 429 not in seen[:4]
        assert seen[4:] == [429, 429]


class TestAttempt:
    @pytest.fixture
    def quotas(self):
        return Quotas(
            Policies(), vault=Vault.fresh(), metrics=RateMetrics(Metrics({}).registry)
        )

    async def test_from_no_address_is_counted_too(self, quotas):
        for _ in range(5):
            await attempt(quotas, "sign-in", "ada@example.com", Origin())

        with pytest.raises(QuotaExceeded):
            await attempt(quotas, "sign-in", "ada@example.com", Origin())
