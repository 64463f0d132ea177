import pytest

from holdfast.resilience.asgi import Reply


class TestReply:
    async def test_sends_status_fields_and_body(self, converse):
        talk = await converse().hold(Reply(201, b"made", [(b"x-one", b"1")]))

        assert talk.status == 201
        assert talk.fields == {b"content-length": b"4", b"x-one": b"1"}
        assert talk.body == b"made"

    async def test_gives_head_everything_but_the_body(self, converse):
        talk = await converse(method="HEAD").hold(Reply(200, b"made"))

        assert talk.fields[b"content-length"] == b"4"
        assert talk.body == b""

    @pytest.mark.parametrize("status", [204, 304])
    async def test_announces_no_length_where_there_can_be_none(self, converse, status):
        talk = await converse().hold(Reply(status))

        assert talk.fields == {}
