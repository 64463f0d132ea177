"""Each caller gets their share and no more; what they could pretend gains nothing."""

from contextlib import suppress
from dataclasses import replace

import pytest

from holdfast.api.policy import Priority
from holdfast.api.protection.metrics_rate import RateMetrics
from holdfast.api.protection.policies import Bundle, Policies
from holdfast.api.protection.quotas import Quotas, Who
from holdfast.api.protection.rate_layers import CallerLimit
from holdfast.cli.explain import meaning_of
from holdfast.domain.identity import Anonymous, Guest, Member, Operator, Service
from holdfast.kernel import tokens
from holdfast.kernel.ids import new_id
from holdfast.platform.metrics import Metrics
from holdfast.platform.rates import read
from holdfast.platform.vault import Vault
from holdfast.resilience.errors import QuotaExceeded

HOUR = "1/h"


async def show():
    return {"tea": True}


async def show_named(name):
    return {"tea": name}


@pytest.fixture
def limited(edge, route):
    """An edge with limits as they are said, behind a proxy that names its clients."""

    def make(said, **settings):
        return edge(
            route("GET", "/livez", show, priority=Priority.EXEMPT),
            route("GET", "/v1/tea", show),
            route("POST", "/v1/tea", show, cost=5),
            route("PUT", "/v1/tea", show, cost=5, scope="carts:write", guest=True),
            route("DELETE", "/v1/tea", show, cost=0),
            route("GET", "/v1/tea/{name}", show_named),
            HOLDFAST_RATE_LIMITS=said,
            HOLDFAST_TRUSTED_PROXIES="127.0.0.1",
            **settings,
        )

    return make


async def passed(site, requests):
    """How many of *requests* are let through."""
    answers = [await site.client.request(*ask, headers=said) for ask, said in requests]
    return sum(answer.status_code != 429 for answer in answers)


def by(address, ask=("GET", "/v1/tea"), **said):
    return ask, {"X-Forwarded-For": address, **said}


def cart(number):
    token = tokens.mint(tokens.CART, number.to_bytes(32, "big"))
    return {"Authorization": f"Bearer {token}"}


class TestByAddress:
    async def test_stops_a_flood_from_one_address_and_no_other(self, limited):
        site = limited(f"address={HOUR}:3")

        assert await passed(site, [by("192.0.2.1")] * 9) == 3
        assert await passed(site, [by("192.0.2.2")] * 9) == 3

    async def test_whatever_it_asks_for(self, limited):
        site = limited(f"address={HOUR}:5")
        asks = [
            *(("GET", "/v1/tea"), ("HEAD", "/v1/tea"), ("OPTIONS", "/v1/tea")),
            *(
                ("GET", "/nowhere"),
                ("GET", "/V1/TEA"),
                ("GET", "/v1/tea/"),
                ("GET", "/"),
            ),
            *(("GET", "//v1/tea"), ("GET", "/v1/%74ea"), ("PATCH", "/v1/tea")),
            *(("BREW", "/v1/tea"), ("GET", "/v1/tea?x=1"), ("POST", "/v1/tea")),
        ]

        assert await passed(site, [by("192.0.2.1", ask) for ask in asks]) == 5

    async def test_does_not_stop_those_who_ask_for_health(self, limited):
        site = limited(f"address={HOUR}:1")

        assert await passed(site, [by("192.0.2.1", ("GET", "/livez"))] * 9) == 9

    @pytest.mark.parametrize(
        "same",
        [
            lambda n: f"2001:db8:1:2:{n:x}::{n:x}",
            lambda n: f"10.9.8.{n}, 192.0.2.1",
            lambda n: f"192.0.2.1:{1024 + n}",
            lambda n: f"::ffff:192.0.2.1%{n}",
            lambda n: ("192.0.2.1", "[::ffff:c000:201]:1", "::FFFF:192.0.2.1")[n % 3],
        ],
        ids=["addresses of a /64", "forged hops", "ports", "zones", "spellings"],
    )
    async def test_cannot_be_told_another_one(self, limited, same):
        site = limited(f"address={HOUR}:20")

        assert await passed(site, [by(same(number)) for number in range(60)]) == 20

    async def test_knows_neighbours_of_ipv6_apart(self, limited):
        site = limited(f"address={HOUR}:1")

        assert await passed(site, [by(f"2001:db8:1:{n}::1") for n in range(9)]) == 9


class TestByCaller:
    async def test_takes_what_a_route_costs(self, limited):
        site = limited(f"guest={HOUR}:20")

        assert await passed(site, [by("192.0.2.1", ("POST", "/v1/tea"))] * 9) == 4

    async def test_counts_what_guests_read_apart_from_what_they_change(self, limited):
        site = limited(f"browsing={HOUR}:2 guest={HOUR}:5")
        asks = [("GET", "/v1/tea"), ("HEAD", "/v1/tea/x"), ("POST", "/v1/tea")] * 3

        assert await passed(site, [by("192.0.2.1", ask) for ask in asks]) == 3

    async def test_many_cart_tokens_gain_nothing(self, limited):
        site = limited(f"guest={HOUR}:50 cart={HOUR}:50")
        ask = ("PUT", "/v1/tea")

        minted = [by("192.0.2.1", ask, **cart(number)) for number in range(60)]

        assert await passed(site, minted) == 10

    async def test_one_cart_is_limited_wherever_it_comes_from(self, limited):
        site = limited(f"cart={HOUR}:10")
        ask = ("PUT", "/v1/tea")

        wandering = [by(f"192.0.2.{n}", ask, **cart(1)) for n in range(9)]

        assert await passed(site, wandering) == 2

    async def test_takes_nothing_for_what_costs_nothing(self, limited):
        site = limited(f"*={HOUR}:1 address=off")

        assert await passed(site, [by("192.0.2.1", ("DELETE", "/v1/tea"))] * 9) == 9

    async def test_is_not_counted_where_protection_is_off(self, limited):
        site = limited(f"*={HOUR}:1", HOLDFAST_PROTECTION="off")

        assert await passed(site, [by("192.0.2.1")] * 9) == 9


class TestRefusal:
    async def test_says_which_limit_when_to_come_and_what_there_is(self, limited):
        site = limited(f"browsing=1/10s:3 guest={HOUR}:7")
        said = {"X-Forwarded-For": "192.0.2.1", "X-Request-Id": "q1"}
        for _ in range(3):
            answer = await site.client.get("/v1/tea", headers=said)
            assert answer.status_code == 200

        answer = await site.client.get("/v1/tea", headers=said)

        wait = int(answer.headers["retry-after"])
        assert 10 <= wait <= 15
        assert answer.status_code == 429
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["ratelimit-policy"] == '"browsing";q=3;w=30'
        assert answer.headers["ratelimit"] == '"browsing";r=0;t=10'
        assert answer.json() == {
            "type": "/problems/quota-exceeded",
            "title": "The caller has used up a quota; the same call may succeed later.",
            "status": 429,
            "violated-policies": ["browsing"],
            "retry_after": wait,
            "instance": "/requests/q1",
        }

    async def test_of_what_can_never_be_has_no_time_to_come_back(self, limited):
        site = limited(f"guest={HOUR}:4")

        answer = await site.client.post("/v1/tea")

        assert answer.status_code == 429
        assert "retry-after" not in answer.headers
        assert answer.json()["detail"] == (
            "The request costs more than there can ever be."
        )

    async def test_is_in_the_log_with_the_address_and_route(self, limited):
        site = limited(f"browsing={HOUR}:1")
        await passed(site, [by("2001:db8::7")] * 2)

        line = site.logged[1]

        assert line["status"] == 429
        assert line["client"] == "2001:db8::7"
        assert line["route"] == "/v1/tea"


class TestFields:
    async def test_are_told_guests_once_half_is_gone(self, limited):
        site = limited(f"browsing={HOUR}:4")
        ask, said = by("192.0.2.1")
        answers = [await site.client.request(*ask, headers=said) for _ in range(3)]

        assert [a.headers.get("ratelimit", "-")[:14] for a in answers] == [
            "-",
            "-",
            '"browsing";r=1',
        ]

    async def test_are_told_others_always(self, said_to):
        headers = await said_to(Operator(new_id(), "Test", frozenset()))

        assert headers[b"ratelimit-policy"] == b'"key";q=5000;w=10'
        assert headers[b"ratelimit"] == b'"key";r=4995;t=1'

    async def test_are_not_put_where_a_cache_keeps_them(self, said_to):
        caller = Operator(new_id(), "Test", frozenset())

        headers = await said_to(caller, [(b"cache-control", b"public, max-age=60")])

        assert headers == {b"cache-control": b"public, max-age=60"}


@pytest.fixture
def quotas():
    """Buckets of one process, with the rates that are said."""

    def make(said="", **different):
        rates, faults = read(said)
        assert faults == []
        return Quotas(
            Policies(rates),
            vault=Vault.fresh(),
            metrics=RateMetrics(Metrics({}).registry),
            **different,
        )

    return make


@pytest.fixture
def said_to(quotas, route):
    """Ask for something as *caller*; returns the headers of the answer."""

    async def ask(caller, headers=()):
        sent = []

        async def answer(scope, receive, send):
            await send(
                {"type": "http.response.start", "status": 200, "headers": list(headers)}
            )

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "headers": [],
            "holdfast.route": route("POST", "/v1/tea", show, cost=5),
            "holdfast.caller": caller,
            "holdfast.client_address": "192.0.2.1",
        }
        await CallerLimit(answer, quotas=quotas())(scope, None, send)
        return dict(sent[0]["headers"])

    return ask


class TestKnown:
    @pytest.mark.parametrize(
        ("caller", "role", "names"),
        [
            (Operator(new_id(), "k", frozenset()), "key", ["key"]),
            (Service("c-1", frozenset()), "service", ["service"]),
            (
                Member(new_id(), new_id(), "c-1", frozenset({"carts:own", "openid"})),
                "customer",
                ["customer", "customer-daily"],
            ),
            (
                Member(new_id(), new_id(), "c-1", frozenset({"orders:read"})),
                "staff",
                ["staff"],
            ),
        ],
        ids=["key", "service", "customer", "staff"],
    )
    def test_is_limited_as_what_it_is(self, quotas, caller, role, names):
        who = quotas().known(caller)

        assert who.role == role
        assert [quota.name for quota in who.bundle.enforced] == names

    def test_of_two_sessions_of_an_account_is_one(self, quotas):
        account = new_id()
        one, two = (Member(account, new_id(), c, frozenset()) for c in ("c-1", "c-2"))

        assert quotas().known(one).subject == quotas().known(two).subject

    def test_has_no_guests(self, quotas):
        for caller in (Anonymous(), Guest(b"x" * 32)):
            with pytest.raises(TypeError, match="known by address only"):
                quotas().known(caller)

    async def test_pays_all_limits_or_none(self, quotas):
        """The daily limit is used up: nothing is taken from the other."""
        buckets = quotas(f"customer={HOUR}:10 customer-daily={HOUR}:6")
        who = buckets.known(Member(new_id(), new_id(), "c-1", frozenset()))
        await buckets.take(who, 5)

        with pytest.raises(QuotaExceeded) as refusal:
            await buckets.take(who, 5)

        assert refusal.value.policies == ("customer-daily",)
        left = {s.quota.name: s.remaining for s in await buckets.take(who, 0)}
        assert left == {"customer": 5, "customer-daily": 1}


class TestDecisions:
    """What ``holdfast explain`` is told of a request."""

    @pytest.mark.parametrize(
        ("said", "cost", "shadow", "decision"),
        [
            ("browsing=1/h:5", 5, False, "denied"),
            ("browsing=1/h:5", 6, False, "too_costly"),
            ("browsing=1/h:5", 5, True, "shadow_denied"),
        ],
    )
    async def test_are_in_words_that_are_explained(
        self, quotas, said, cost, shadow, decision
    ):
        buckets = quotas(said)
        policy = buckets.policies.by_name["browsing"]
        bundle = Bundle.of([replace(policy, shadow=shadow)])
        who = Who("guest", "192.0.2.1", bundle, here=True)
        scope = {}

        with suppress(QuotaExceeded):
            for _ in range(2):
                await buckets.take(who, cost, "read", scope)

        (told,) = scope["holdfast.decisions"]
        assert told == f"rate:browsing={decision}"
        assert meaning_of(told)[1]


class TestSealed:
    def test_hides_an_address_and_is_the_same_each_time(self, quotas):
        buckets = quotas()

        assert buckets.sealed("192.0.2.1") == buckets.sealed("192.0.2.1")
        assert buckets.sealed("192.0.2.1") != buckets.sealed("192.0.2.2")
        assert "192.0.2.1" not in buckets.guest("192.0.2.1", reads=False).subject
