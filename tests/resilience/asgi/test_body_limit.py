from contextlib import suppress

import pytest

from holdfast.resilience import BodyTooLarge
from holdfast.resilience.asgi import BodyLimit, Reply


class Reading:
    """An app that reads the whole body."""

    def __init__(self):
        self.body = None

    async def __call__(self, scope, receive, send):
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.body = body


@pytest.fixture
def app():
    return Reading()


class TestBodyLimit:
    async def test_lets_a_body_of_exactly_the_limit_through(self, app, converse):
        headers = [(b"host", b"x"), (b"content-length", b"10")]
        await converse([b"01234", b"56789"], headers).hold(
            BodyLimit(app, limit_bytes=10)
        )

        assert app.body == b"0123456789"

    async def test_refuses_a_declared_length_unread(self, app, converse):
        talk = converse([b"01234567890"], [(b"content-length", b"11")])

        with pytest.raises(BodyTooLarge) as raised:
            await talk.hold(BodyLimit(app, limit_bytes=10))

        assert raised.value.limit_bytes == 10
        assert talk.pieces == [b"01234567890"]

    async def test_counts_a_chunked_body_as_it_arrives(self, app, converse):
        pieces = [b"01234", b"56789", b"!", b"never read"]
        talk = converse(pieces, [(b"transfer-encoding", b"chunked")])

        with pytest.raises(BodyTooLarge):
            await talk.hold(BodyLimit(app, limit_bytes=10))

        assert talk.pieces == [b"never read"]

    @pytest.mark.parametrize("length", [b"5", b"-1", b"ten", b"1e3"])
    async def test_a_false_declaration_gains_nothing(self, app, converse, length):
        talk = converse([b"0" * 11], [(b"content-length", length)])

        with pytest.raises(BodyTooLarge):
            await talk.hold(BodyLimit(app, limit_bytes=10))

    @pytest.mark.parametrize("version", ["2", "3"])
    async def test_counts_where_nothing_announces_a_body(self, app, converse, version):
        """Only HTTP/1 says by its fields that there is one."""
        talk = converse([b"0" * 11])

        with pytest.raises(BodyTooLarge):
            await BodyLimit(app, limit_bytes=10)(
                {**talk.scope, "http_version": version}, talk.receive, talk.send
            )

    @pytest.mark.parametrize("then", [None, RuntimeError("of the framework's")])
    async def test_is_not_told_otherwise_by_a_framework(self, app, converse, then):
        """FastAPI makes 400 of whatever goes wrong while a body is read."""

        async def framework(scope, receive, send):
            try:
                await app(scope, receive, send)
            except BodyTooLarge:
                await Reply(400, b"parsing")(scope, receive, send)
                if then is not None:
                    raise then from None

        talk = converse([b"0" * 11], [(b"transfer-encoding", b"chunked")])
        with pytest.raises(BodyTooLarge):
            await talk.hold(BodyLimit(framework, limit_bytes=10))

        assert talk.sent == []

    async def test_leaves_an_answer_that_had_begun_alone(self, converse):
        async def early(scope, receive, send):
            await Reply(200, b"fine")(scope, receive, send)
            with suppress(BodyTooLarge):
                await receive()

        talk = converse([b"0" * 11], [(b"transfer-encoding", b"chunked")])
        await talk.hold(BodyLimit(early, limit_bytes=10))

        assert (talk.status, talk.body) == (200, b"fine")

    async def test_passes_on_what_else_goes_wrong(self, converse):
        async def broken(scope, receive, send):
            await receive()
            raise RuntimeError("its own")

        talk = converse([b"0" * 9], [(b"transfer-encoding", b"chunked")])
        with pytest.raises(RuntimeError, match="its own"):
            await talk.hold(BodyLimit(broken, limit_bytes=10))

    async def test_may_be_asked_what_holds_for_this_request(self, app, converse):
        def limit(scope):
            return 20 if scope["method"] == "PUT" else 10

        lengthy = [(b"content-length", b"11")]
        talk = converse([b"0" * 11], lengthy)
        with pytest.raises(BodyTooLarge) as raised:
            await talk.hold(BodyLimit(app, limit_bytes=limit))
        talk = converse([b"0" * 11], lengthy, method="PUT")
        await talk.hold(BodyLimit(app, limit_bytes=limit))

        assert raised.value.limit_bytes == 10
        assert app.body == b"0" * 11

    async def test_leaves_a_request_without_a_body_alone(self, app, converse):
        await converse([b""], [(b"host", b"x")]).hold(BodyLimit(app, limit_bytes=10))

        assert app.body == b""

    async def test_leaves_what_is_not_http_alone(self, converse):
        kinds = []

        async def lifespan(scope, receive, send):
            kinds.append(scope["type"])

        await converse(kind="lifespan").hold(BodyLimit(lifespan))

        assert kinds == ["lifespan"]
