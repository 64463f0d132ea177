"""No product goes in without a row that may be its own."""

import io

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.catalog.csv_rows import START, records
from holdfast.domain.catalog.csv_runs import MAX_CHARS, MAX_UNREAD, runs

KEYS = st.sampled_from(["a", "b", "c", "d", "e"])


def read(*lines, start=START):
    file = io.BytesIO("\n".join(["key,cell", *lines, ""]).encode())
    return list(runs(records(file, ("key",), start=start)))


def told(*lines):
    """By key how many rows go in, and the lines that keep it out."""
    return [
        (run.key, len(run.rows), [fault.line for fault in run.faults])
        for run in read(*lines)
    ]


class TestRows:
    def test_with_the_same_key_are_one_product(self):
        assert told("a,1", "a,2", "b,1") == [("a", 2, []), ("b", 1, [])]

    def test_that_are_apart_are_not(self):
        assert told("a,1", "b,1", "a,2") == [("a", 1, []), ("b", 1, []), ("a", 1, [])]


class TestUnreadableRow:
    def test_with_the_key_of_the_product_behind_it_is_of_that_one(self):
        """It was taken for one of the product before it, and b went in by half."""
        assert told("a,1", "b,1,more", "b,2") == [("a", 1, []), ("b", 0, [3])]

    def test_with_the_key_of_the_product_before_it_is_of_that_one(self):
        assert told("a,1", "a,2,more", "b,1") == [("a", 0, [3]), ("b", 1, [])]

    def test_between_two_of_a_product_is_of_that_one(self):
        assert told("a,1", "x,2,more", "a,3") == [("a", 0, [3])]

    def test_with_another_key_is_all_that_is_left_of_a_third(self):
        found = read("a,1", "x,1,more", "x,2,more", "y,1,more", "b,1")

        assert [(run.key, len(run.rows), run.line) for run in found] == [
            ("a", 1, 2),
            ("x", 0, 3),
            ("y", 0, 5),
            ("b", 1, 6),
        ]
        assert [len(run.faults) for run in found] == [0, 2, 1, 0]

    def test_with_no_key_keeps_both_neighbours_out_and_says_why(self):
        before, behind = read("a,1", "what is this,2,more", "b,3")

        assert not before.rows
        assert not behind.rows
        assert [(fault.line, fault.message) for fault in before.faults] == [
            (2, "line 3 cannot be read and may be of this product")
        ]
        assert [(fault.line, fault.message) for fault in behind.faults] == [
            (4, "line 3 cannot be read and may be of this product"),
            (3, "has 3 columns where the header has 2"),
        ]

    def test_with_no_key_is_of_none_that_is_not_beside_it(self):
        assert told("a,1", "?,2,more", "x,3,more", "?,4,more", "b,5") == [
            ("a", 0, [2]),
            ("?", 0, [3]),
            ("x", 0, [4]),
            ("b", 0, [6, 5]),
        ]

    def test_with_no_key_at_the_end_is_of_the_last(self):
        assert told("a,1", "?,2,more") == [("a", 0, [3])]

    def test_alone_is_nobodys(self):
        (run,) = read("?,1,more")

        assert (run.rows, run.line, len(run.faults)) == ((), 0, 1)

    def test_of_which_there_are_too_many_keeps_out_what_is_around_them(self):
        many = ["x,1,more"] * (2 * MAX_UNREAD + 1)

        found = read("a,1", *many, "a,2", "b,1")

        assert [(run.key, len(run.rows)) for run in found if run.key != "x"] == [
            ("a", 0),
            ("a", 1),
            ("b", 1),
        ]
        assert sum(len(run.faults) for run in found) == len(many) + 1

    def test_of_a_product_are_told_up_to_a_number(self):
        many = ["a,1", "x,1,more"] * (MAX_UNREAD + 9)

        (run,) = read(*many, "a,2")

        assert len(run.faults) == MAX_UNREAD + 1
        assert run.faults[-1].message.startswith("and further rows")


class TestLargeProduct:
    def test_is_refused_once(self):
        size = 100_000
        rows = [f"a,{'x' * size}"] * (MAX_CHARS // size + 9)

        (run,) = read(*rows)

        assert not run.rows
        assert [fault.message for fault in run.faults] == ["the product is too large"]


class TestAnyFile:
    @given(st.data())
    def test_lets_no_product_in_that_has_lost_a_row(self, data):
        keys = data.draw(st.lists(KEYS, unique=True))
        lines, broken = [], set()
        for key in keys:
            for _ in range(data.draw(st.integers(1, 3))):
                kinds = [f"{key},1", f"{key},1,2", "?,1,2"]
                lines.append(data.draw(st.sampled_from(kinds)))
                if lines[-1] != f"{key},1":
                    broken.add(key)

        whole = {run.key: len(run.rows) for run in read(*lines) if run.rows}

        assert whole.keys().isdisjoint(broken)
        assert whole == {key: lines.count(f"{key},1") for key in whole}

    @given(st.lists(st.tuples(KEYS | st.just("?"), st.sampled_from(["1", "1,2", '"']))))
    def test_is_read_from_the_end_of_any_product_as_from_the_start(self, cells):
        lines = [",".join(one) for one in cells]

        whole = read(*lines)

        for number, run in enumerate(whole, 1):
            assert read(*lines, start=run.end) == whole[number:]

    @given(st.lists(st.tuples(KEYS | st.just("?"), st.sampled_from(["1", "1,2"]))))
    def test_is_told_of_with_every_line_that_cannot_be_read(self, cells):
        lines = [",".join(one) for one in cells]

        found = read(*lines)

        bad = [number for number, line in enumerate(lines, 2) if line.endswith("1,2")]
        faults = [fault for run in found for fault in run.faults]
        assert [f.line for f in faults if "columns" in f.message] == bad
