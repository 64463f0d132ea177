"""What was written down is what is read."""

from holdfast.cli.prove.history import Log, digest, read


class TestLog:
    def test_keeps_every_answer_and_appends(self, said, tmp_path):
        path = tmp_path / "history.jsonl"
        first, second = said("hold", 409, problem="out-of-stock"), said(order="order-1")

        for one in (first, second):
            log = Log(path)
            log.add(one)
            log.close()

        assert read(path) == [first, second]


class TestDigest:
    def test_differs_when_a_byte_does(self):
        assert digest(b"{}") == digest(b"{}")
        assert digest(b"{}") != digest(b"{ }")
