import random
from collections import Counter

import pytest

from holdfast.resilience import MemoryLimiter, Quota, QuotaExceeded
from holdfast.resilience.asgi import RateLimit, Rejection, Reply
from holdfast.resilience.asgi.rate_limit import is_shared_cacheable
from holdfast.resilience.events import RateDecided

QUICK = Quota("quick", burst=4, tokens=1)
DAILY = Quota("daily", burst=100, tokens=100, period_seconds=86_400)


class App:
    """Answers, and counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.headers = [(b"cache-control", b"private")]

    async def __call__(self, scope, receive, send):
        self.calls += 1
        if scope["type"] == "http":
            await Reply(200, b"fine", self.headers)(scope, receive, send)


class Guard:
    """A layer around an app, with everything that a test wants to turn."""

    def __init__(self) -> None:
        self.now = 0.0
        self.app = App()
        self.subject = "ada"
        self.quotas = [QUICK]
        self.cost = 1
        self.modes = {}
        self.events = []
        self.limiter = MemoryLimiter(timer=self.timer)
        self.scope = None

    def timer(self):
        return self.now

    def subject_of(self, scope):
        self.scope = scope
        return self.subject

    def layer(self, **options):
        return RateLimit(
            self.app,
            limiter=self.limiter,
            subject_of=self.subject_of,
            quotas_of=lambda _scope: self.quotas,
            cost_of=lambda _scope: self.cost,
            mode_of=lambda quota: self.modes.get(quota.name, "enforce"),
            labels_of=lambda scope: (scope["method"],),
            listen=self.events.append,
            timer=self.timer,
            **{"chance": lambda: 0.0, **options},
        )


@pytest.fixture
def guard():
    return Guard()


class TestRateLimit:
    async def test_lets_through_what_the_quota_grants(self, guard, converse):
        layer = guard.layer()
        for _ in range(4):
            await converse().hold(layer)

        with pytest.raises(QuotaExceeded):
            await converse().hold(layer)

        assert guard.app.calls == 4

    async def test_says_what_a_429_has_to_say(self, guard, converse):
        layer = guard.layer()
        guard.quotas = [DAILY, QUICK]
        guard.cost = 4
        await converse().hold(layer)

        with pytest.raises(QuotaExceeded) as raised:
            await converse().hold(layer)

        assert raised.value.policies == ("quick",)
        assert raised.value.retry_after_seconds == 4
        assert [s.remaining for s in raised.value.standings] == [96, 0]
        assert not raised.value.too_costly

    async def test_announces_no_wait_that_would_not_help(self, guard, converse):
        guard.cost = 5

        with pytest.raises(QuotaExceeded) as raised:
            await converse().hold(guard.layer())

        assert raised.value.too_costly
        assert raised.value.retry_after_seconds is None

    async def test_spreads_the_return_of_a_thousand_who_were_refused_at_once(
        self, guard, converse
    ):
        guard.cost = 4
        dice = random.Random(5)  # noqa: S311 - the same each time
        layer = guard.layer(chance=dice.random)
        await converse().hold(layer)
        guard.cost = 1

        waits = Counter()
        for _ in range(1_000):
            with pytest.raises(QuotaExceeded) as raised:
                await converse().hold(layer)
            waits[raised.value.retry_after_seconds] += 1

        assert len(waits) >= 3
        assert max(waits.values()) <= 500
        assert min(waits) >= 1

    async def test_is_answered_429_with_the_fields(self, guard, converse):
        guard.cost = 4
        app = Rejection(guard.layer())
        await converse().hold(app)

        talk = await converse().hold(app)

        assert talk.status == 429
        assert talk.fields[b"retry-after"] == b"4"
        assert talk.fields[b"ratelimit"] == b'"quick";r=0;t=1'
        assert talk.fields[b"ratelimit-policy"] == b'"quick";q=4;w=4'
        assert talk.fields[b"cache-control"] == b"no-store"

    async def test_lets_a_request_of_nobody_through(self, guard, converse):
        guard.subject = None
        layer = guard.layer()
        for _ in range(10):
            await converse().hold(layer)

        assert guard.events == []

    async def test_leaves_what_is_not_http_alone(self, guard, converse):
        await converse(kind="lifespan").hold(guard.layer())

        assert guard.app.calls == 1
        assert guard.scope is None

    async def test_by_default_every_request_costs_one_and_everything_is_enforced(
        self, guard, converse
    ):
        layer = RateLimit(
            guard.app,
            limiter=guard.limiter,
            subject_of=lambda _scope: "ada",
            quotas_of=lambda _scope: [QUICK],
        )
        for _ in range(4):
            await converse().hold(layer)

        with pytest.raises(QuotaExceeded):
            await converse().hold(layer)


class TestFields:
    async def test_are_added_below_half(self, guard, converse):
        layer = guard.layer()
        answers = [await converse().hold(layer) for _ in range(3)]

        assert [b"ratelimit" in talk.fields for talk in answers] == [
            False,
            False,
            True,
        ]
        assert answers[2].fields[b"ratelimit"] == b'"quick";r=1;t=1'
        assert answers[2].fields[b"cache-control"] == b"private"

    async def test_are_always_added_where_that_is_asked_for(self, guard, converse):
        talk = await converse().hold(guard.layer(always_tell=True))

        assert talk.fields[b"ratelimit"] == b'"quick";r=3;t=1'

    async def test_are_never_given_to_a_shared_cache(self, guard, converse):
        guard.app.headers = [(b"cache-control", b"public, max-age=5")]

        talk = await converse().hold(guard.layer(always_tell=True))

        assert b"ratelimit" not in talk.fields
        assert b"ratelimit-policy" not in talk.fields

    async def test_are_not_there_without_quotas(self, guard, converse):
        guard.quotas = []

        talk = await converse().hold(guard.layer(always_tell=True))

        assert b"ratelimit" not in talk.fields
        assert guard.events == []

    @pytest.mark.parametrize(
        ("fields", "authorized", "kept"),
        [
            ([], False, False),
            ([(b"cache-control", b"max-age=5")], False, True),
            ([(b"cache-control", b"max-age=5")], True, False),
            ([(b"Cache-Control", b"Public")], True, True),
            ([(b"cache-control", b"s-maxage=5")], True, True),
            ([(b"cache-control", b"public, no-store")], False, False),
            (
                [(b"cache-control", b"public"), (b"cache-control", b"private")],
                False,
                False,
            ),
            ([(b"expires", b"0")], False, True),
            ([(b"last-modified", b"0")], False, True),
            ([(b"last-modified", b"0")], True, False),
            ([(b"last-modified", b"0"), (b"cache-control", b"private")], False, False),
        ],
    )
    def test_a_shared_cache_may_keep(self, fields, authorized, kept):
        asked = [(b"authorization", b"Bearer x")] if authorized else []

        assert is_shared_cacheable({"headers": asked}, fields) is kept


class TestModes:
    async def test_shadow_refuses_nobody_and_changes_no_answer(self, guard, converse):
        guard.modes["quick"] = "shadow"
        layer = guard.layer(always_tell=True)

        answers = [await converse().hold(layer) for _ in range(6)]

        assert {talk.status for talk in answers} == {200}
        assert not any(b"ratelimit" in talk.fields for talk in answers)
        assert [event.outcome for event in guard.events] == [
            *["allowed"] * 4,
            *["shadow_denied"] * 2,
        ]

    async def test_shadow_stands_apart_from_what_is_enforced(self, guard, converse):
        guard.quotas = [DAILY, QUICK]
        guard.modes["quick"] = "shadow"
        layer = guard.layer(always_tell=True)
        for _ in range(5):
            talk = await converse().hold(layer)

        assert talk.fields[b"ratelimit-policy"] == b'"daily";q=100;w=86400'
        assert [event.policies for event in guard.events[-2:]] == [
            ("daily",),
            ("quick",),
        ]

    async def test_off_does_not_even_ask(self, guard, converse):
        guard.modes["quick"] = "off"
        layer = guard.layer()
        for _ in range(10):
            await converse().hold(layer)

        assert len(guard.limiter) == 0
        assert guard.events == []

    async def test_changes_at_the_next_request(self, guard, converse):
        layer = guard.layer()
        guard.cost = 4
        await converse().hold(layer)
        with pytest.raises(QuotaExceeded):
            await converse().hold(layer)

        guard.modes["quick"] = "off"
        await converse().hold(layer)
        guard.modes["quick"] = "enforce"

        with pytest.raises(QuotaExceeded):
            await converse().hold(layer)


class TestListeners:
    async def test_learn_of_every_decision(self, guard, converse):
        layer = guard.layer()
        await converse().hold(layer)

        assert guard.events == [
            RateDecided(("quick",), "allowed", "local", 0.0, ("POST",))
        ]

    @pytest.mark.parametrize(("cost", "outcome"), [(4, "denied"), (5, "too_costly")])
    async def test_learn_of_every_refusal(self, guard, converse, cost, outcome):
        guard.quotas = [DAILY, QUICK]
        layer = guard.layer()
        await converse().hold(layer)
        guard.cost = cost

        with pytest.raises(QuotaExceeded):
            await converse().hold(layer)

        assert guard.events[-1].policies == ("quick",)
        assert guard.events[-1].outcome == outcome

    async def test_find_the_decision_in_the_scope(self, guard, converse):
        guard.quotas = [DAILY, QUICK]
        await converse().hold(guard.layer())

        assert guard.scope["holdfast.decisions"] == ["rate:daily+quick=allowed"]
