"""Posting to whoever wants to know, however they behave."""

import pytest

from holdfast.simulators.webhooks.sender import NotAnswered, Sender


@pytest.fixture
async def sender():
    sender = Sender(patience_seconds=0.2)
    yield sender
    await sender.close()


@pytest.fixture
def post(sender, receiver):
    async def send(path: str = "") -> int:
        url = receiver.target["url"] + path
        return await sender.post(url, {"webhook-id": "1"}, b"{}")

    return send


class TestPost:
    async def test_says_with_which_status_it_was_answered(self, post, receiver):
        receiver.then_answer(200, 500, 404)

        assert [await post() for _ in range(4)] == [200, 500, 404, 204]

    async def test_uses_its_connection_again(self, post, receiver):
        for _ in range(5):
            await post()

        assert receiver.connections == 1

    async def test_opens_another_when_the_old_one_was_closed(self, post, receiver):
        closing = b"HTTP/1.0 200 OK\r\n\r\n"
        receiver.answers.extend([closing, closing])

        assert [await post() for _ in range(3)] == [200, 200, 204]
        assert receiver.connections == 3

    async def test_reads_an_answer_in_chunks(self, post, receiver):
        receiver.answers.append(
            b"HTTP/1.1 202 X\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        )

        assert [await post(), await post()] == [202, 204]
        assert receiver.connections == 1

    async def test_takes_no_harm_from_what_follows_an_answer(self, post, receiver):
        receiver.answers.append(b"HTTP/1.1 204 X\r\ncontent-length: 2\r\n\r\nno")

        assert [await post(), await post()] == [204, 204]

    async def test_does_not_read_an_answer_without_end(self, post, receiver):
        endless = b"HTTP/1.1 200 X\r\ncontent-length: 999999999\r\n\r\n"
        receiver.answers.append(endless + b"x" * 200_000)

        assert await post() == 200

    @pytest.mark.parametrize(
        "answer", [b"", b"HTTP/1.0 ", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 2"]
    )
    async def test_what_is_no_answer_is_none(self, post, receiver, answer):
        receiver.answers.extend([answer] * 2)

        with pytest.raises(NotAnswered):
            await post()

    async def test_nobody_at_home_is_no_answer(self, sender, receiver):
        await receiver.stop()

        with pytest.raises(NotAnswered):
            await sender.post(receiver.target["url"], {}, b"")

    async def test_sends_the_path_the_query_and_the_length(self, post, receiver):
        await post("?a=1")

        (received,) = receiver.received
        assert received.headers["content-length"] == "2"
        assert received.headers["host"] in receiver.target["url"]
        assert received.body == b"{}"
