"""How much time a request has, and which requests are not begun."""

import pytest

from holdfast.resilience import NotEnoughTime, deadline, remaining
from holdfast.resilience.asgi import Reply
from holdfast.resilience.asgi.allowance import Allowance
from holdfast.resilience.errors import TimeoutMalformed
from holdfast.resilience.events import BudgetClamped, NotStarted


def asked(value):
    return [(b"x-request-timeout-ms", value)]


async def done(scope, receive, send):
    await Reply(200, b"done")(scope, receive, send)


class TestBudget:
    async def test_is_that_of_the_route(self, converse, site):
        left = []

        async def app(scope, receive, send):
            left.append(remaining(lambda: 100.0))
            await done(scope, receive, send)

        made = site(app, allowance=lambda _: Allowance(7.0), timer=lambda: 100.0)
        talk = await made.ask(converse())

        assert (left, talk.status, made.events) == ([7.0], 200, [])
        assert remaining() is None

    async def test_can_be_made_shorter_by_the_client(self, converse, site):
        left = []

        async def app(_scope, _receive, _send):
            left.append(remaining(lambda: 100.0))

        made = site(app, timer=lambda: 100.0)
        await made.ask(converse(headers=[(b"host", b"shop"), *asked(b"1500")]))

        assert left == [1.5]
        assert made.scope["holdfast.decisions"] == ["deadline:asked=1500ms"]

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            (b"0", 0.010),
            (b"9", 0.010),
            (b"10001", 10),
            (b"9" * 40, 10),
            (b"000000000000000000010", 10),
        ],
    )
    async def test_is_clamped(self, converse, value, seconds, site):
        left = []

        async def app(_scope, _receive, _send):
            left.append(remaining(lambda: 100.0))

        made = site(app, timer=lambda: 100.0)
        await made.ask(converse(headers=asked(value)))

        assert left == [pytest.approx(seconds)]
        assert made.events == [BudgetClamped()]

    @pytest.mark.parametrize(
        "value",
        [b"", b"-1", b"+5", b"1e3", b"1.5", b"5s", b"0x10", b"1_000", b"5, 6", b"\xff"],
        ids=range(10),
    )
    async def test_that_is_no_number_is_refused(self, converse, value, site):
        made = site(done)

        with pytest.raises(TimeoutMalformed):
            await made.layer(
                converse(headers=asked(value)).scope, converse().receive, None
            )

    async def test_said_twice_is_refused(self, converse, site):
        talk = await site(done).ask(converse(headers=asked(b"50") + asked(b"50")))

        assert talk.status == 400

    async def test_counts_from_when_the_request_arrived(self, converse, site):
        left = []

        async def app(_scope, _receive, _send):
            left.append(remaining(lambda: 100.0))

        made = site(app, timer=lambda: 100.0)
        await made.ask(converse(), **{"holdfast.received_at": 98.5})

        assert left == [8.5]

    async def test_used_up_by_waiting_is_not_begun(self, converse, site):
        async def never(_scope, _receive, _send):
            raise AssertionError

        made = site(never, timer=lambda: 100.0)
        talk = await made.ask(converse(), **{"holdfast.received_at": 89.0})

        assert talk.status == 504
        assert made.events == [NotStarted("request")]

    async def test_is_for_requests_only(self, converse, site):
        kinds = []

        async def app(scope, _receive, _send):
            kinds.append((scope["type"], deadline.current()))

        await site(app).layer(converse(kind="lifespan").scope, None, None)

        assert kinds == [("lifespan", None)]


class TestNotStarted:
    async def test_what_usually_takes_longer_is_refused(self, converse, site):
        now = 100.0

        async def app(scope, receive, send):
            nonlocal now
            now += 2
            await done(scope, receive, send)

        made = site(app, timer=lambda: now)
        await made.ask(converse())

        with pytest.raises(NotEnoughTime) as refused:
            await made.layer(
                converse(headers=asked(b"1500")).scope, converse().receive, None
            )

        assert refused.value.outcome == "nothing-happened"
        assert made.events == [NotStarted("request")]
        assert (await made.ask(converse(headers=asked(b"5000")))).status == 200

    async def test_never_for_one_that_asks_for_nothing(self, converse, site):
        """However slow the route has been: its own budget is what it needs."""
        allowance = Allowance(10.0)
        allowance.usual.note(60.0)

        talk = await site(done, allowance=lambda _: allowance).ask(converse())

        assert talk.status == 200

    async def test_what_was_cut_short_is_known_to_take_longer(
        self, converse, site, working
    ):
        allowance = Allowance(10.0)
        made = site(working(), allowance=lambda _: allowance)

        await made.ask(converse(headers=asked(b"20")))

        assert allowance.usual.seconds == pytest.approx(0.030)
