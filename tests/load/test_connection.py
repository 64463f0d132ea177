"""The load generator's side of HTTP reads what our servers write, however it comes."""

from holdfast.cli.bench.connection import Connection, get, post

ANSWER = (
    b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\n"
    b"content-length: 11\r\n\r\n" + b'{"a": "bc"}'
)


class Reader:
    """Somebody who writes down what was answered."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.is_lost = False

    def connected(self, connection: Connection) -> None:
        self.connection = connection

    def answered(self, status: int, body: bytes) -> None:
        self.answers.append((status, body))

    def lost(self) -> None:
        self.is_lost = True


class TestConnection:
    def test_reads_an_answer(self):
        reader = Reader()

        Connection(reader).data_received(ANSWER)

        assert reader.answers == [(201, b'{"a": "bc"}')]

    def test_reads_an_answer_that_comes_in_any_two_pieces(self):
        for cut in range(1, len(ANSWER)):
            reader = Reader()
            connection = Connection(reader)

            connection.data_received(ANSWER[:cut])
            connection.data_received(ANSWER[cut:])

            assert reader.answers == [(201, b'{"a": "bc"}')], cut

    def test_reads_one_answer_after_the_other(self):
        reader = Reader()
        connection = Connection(reader)

        connection.data_received(ANSWER)
        connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
        connection.data_received(ANSWER)

        assert [status for status, _ in reader.answers] == [201, 204, 201]

    def test_reads_a_length_however_its_name_is_written(self):
        reader = Reader()

        Connection(reader).data_received(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        )

        assert reader.answers == [(200, b"ok")]

    def test_tells_when_the_connection_is_lost(self):
        reader = Reader()

        Connection(reader).connection_lost(None)

        assert reader.is_lost


class TestRequests:
    def test_a_get_carries_its_token(self):
        assert get("/v1/orders/1", b"hfc_x").startswith(
            b"GET /v1/orders/1 HTTP/1.1\r\n"
        )
        assert b"\r\nauthorization: Bearer hfc_x\r\n\r\n" in get("/", b"hfc_x")

    def test_a_post_says_how_long_it_is(self):
        request = post(b"/v1/carts", b"{}", b"idempotency-key: k\r\n")

        assert b"\r\nidempotency-key: k\r\ncontent-length: 2\r\n\r\n{}" in request
