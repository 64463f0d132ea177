import pytest

from holdfast.resilience import (
    BodyTooLarge,
    DeadlineExceeded,
    NotEnoughTime,
    Overloaded,
    QuotaExceeded,
    Rejected,
    TimedOut,
)
from holdfast.resilience.asgi import Rejection, Reply


def raising(error):
    async def app(scope, receive, send):
        raise error

    return app


class TestRejection:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (BodyTooLarge(), 413),
            (Rejected(), 503),
            (Overloaded(), 503),
            (QuotaExceeded(), 429),
            (TimedOut(), 504),
            (ValueError("secret"), 500),
        ],
    )
    async def test_answers_for_what_is_raised_below(self, converse, error, status):
        talk = await converse().hold(Rejection(raising(error)))

        assert talk.status == status
        assert b"secret" not in talk.body

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (TimedOut(), b"unknown"),
            (DeadlineExceeded(1.0, "nothing-happened"), b"nothing-happened"),
            (NotEnoughTime(stage="request"), b"nothing-happened"),
        ],
        ids=["a call that timed out", "a request that was cut", "one not begun"],
    )
    async def test_says_whether_anything_happened(self, converse, error, outcome):
        talk = await converse().hold(Rejection(raising(error)))

        assert talk.status == 504
        assert talk.body.endswith(b" Outcome: %s.\n" % outcome)

    async def test_logs_what_it_tells_nobody(self, converse, caplog):
        """A mistake in a function of the app's would else be a 500 out of nowhere."""
        error = ValueError("secret")

        await converse().hold(Rejection(raising(error)))

        (record,) = caplog.records
        assert record.exc_info[1] is error

    async def test_logs_nothing_that_is_as_it_should_be(self, converse, caplog):
        await converse().hold(Rejection(raising(Overloaded())))

        assert caplog.records == []

    async def test_announces_a_wait_rounded_up(self, converse):
        app = Rejection(raising(Overloaded(retry_after_seconds=1.2)))

        assert (await converse().hold(app)).fields[b"retry-after"] == b"2"

    async def test_hands_the_writing_to_the_app_that_asks_for_it(self, converse):
        def render(error, scope):
            return Reply(418, f"{scope['method']} {error}".encode())

        app = Rejection(raising(ValueError("tea")), render=render)
        talk = await converse().hold(app)

        assert (talk.status, talk.body) == (418, b"POST tea")

    async def test_lets_an_answer_pass(self, converse):
        talk = await converse().hold(Rejection(Reply(200, b"fine")))

        assert (talk.status, talk.body) == (200, b"fine")

    async def test_does_not_write_into_a_response_that_has_begun(self, converse):
        async def app(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise ValueError("too late")

        talk = converse()
        with pytest.raises(ValueError, match="too late"):
            await talk.hold(Rejection(app))

        assert len(talk.sent) == 1

    async def test_leaves_what_is_not_http_alone(self, converse):
        kinds = []

        async def lifespan(scope, receive, send):
            kinds.append(scope["type"])

        await converse(kind="lifespan").hold(Rejection(lifespan))

        assert kinds == ["lifespan"]
