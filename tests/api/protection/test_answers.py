import msgspec
import pytest

from holdfast.api.policy import Priority
from holdfast.api.protection.answers import Replies, Written, refusals, waits

TIERS = [priority for priority in Priority if priority >= 0]


class TestWaits:
    @pytest.mark.parametrize(
        ("priority", "begins", "ends"),
        [
            (Priority.PAY, 1, 2),
            (Priority.BUY, 1, 2),
            (Priority.BROWSE, 2, 8),
            (Priority.OPERATE, 8, 30),
            (Priority.BULK, 30, 60),
        ],
    )
    def test_are_longer_for_those_who_can_wait(self, priority, begins, ends):
        found = waits(priority)

        assert (min(found), max(found), len(found)) == (begins, ends, 8)

    @pytest.mark.parametrize("priority", TIERS)
    def test_spread_those_who_were_refused_together(self, priority):
        found = waits(priority)

        assert max(found.count(seconds) for seconds in found) <= 4


class TestReplies:
    def test_tell_nothing_but_that_there_is_too_much(self):
        reply = Replies().reply(Priority.BROWSE, "r1")

        assert reply.status == 503
        assert msgspec.json.decode(reply.body) == {
            "type": "/problems/overloaded",
            "title": "There is more work than can be done in time.",
            "status": 503,
            "instance": "/requests/r1",
        }

    def test_are_given_in_turn(self):
        replies = Replies()
        told = [
            int(dict(replies.reply(Priority.BROWSE, "r").headers)[b"retry-after"])
            for _ in range(16)
        ]

        assert told == waits(Priority.BROWSE) * 2


class TestWritten:
    @pytest.mark.parametrize("priority", TIERS)
    def test_is_short(self, priority):
        head, body = Written(refusals(priority)).answer(b"0" * 36)

        assert len(head) + len(body) < 500
        assert b"content-length: %d\r\n" % len(body) in head

    def test_takes_an_id_as_it_is(self):
        head, body = Written(refusals(Priority.PAY)).answer(b"%d100%")

        assert b"x-request-id: %d100%\r\n" in head
        assert msgspec.json.decode(body)["instance"] == "/requests/%d100%"
