"""Ids are UUIDv7: unique, and in the order of their making."""

import time
from uuid import UUID

from holdfast.kernel.ids import new_id, new_id_text


class TestNewId:
    def test_is_a_uuid_of_version_7(self):
        made = new_id()

        assert made.version == 7
        assert made.variant == "specified in RFC 4122"

    def test_tells_the_millisecond_it_was_made_in(self):
        before = time.time_ns() // 1_000_000
        milliseconds = new_id().int >> 80
        after = time.time_ns() // 1_000_000

        assert before <= milliseconds <= after

    def test_sort_in_the_order_of_their_making_within_a_millisecond_too(self):
        made = []
        for _ in range(1_000):
            made.append(new_id())
            due = time.perf_counter_ns() + 1_000
            while time.perf_counter_ns() < due:
                pass

        assert sorted(made) == made

    def test_no_two_are_the_same(self):
        assert len({new_id() for _ in range(10_000)}) == 10_000


class TestNewIdText:
    def test_is_one_in_its_usual_spelling_and_of_now(self):
        before, text, after = new_id(), new_id_text(), new_id()
        made = UUID(text)

        assert str(made) == text
        assert (made.version, made.variant) == (7, before.variant)
        assert before.int >> 64 <= made.int >> 64 <= after.int >> 64

    def test_no_two_are_the_same(self):
        assert len({new_id_text() for _ in range(10_000)}) == 10_000
