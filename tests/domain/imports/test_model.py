"""What an import job is, without a database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.imports import (
    MAX_FAULTS_KEPT,
    Fault,
    Job,
    Link,
    Place,
    Tally,
    kept,
)
from holdfast.domain.imports.model import MAX_MESSAGE_CHARS, outcome_of
from holdfast.kernel.ids import new_id

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
JOB = Job(
    id=new_id(),
    format="jsonl",
    currency="EUR",
    overwrite_stock=False,
    status="running",
    actor="key:1",
    sha256=b"",
    size_bytes=200,
    done=Place(50, 2),
    tally=Tally(),
    failure=None,
    created_at=NOW,
    updated_at=NOW,
    finished_at=None,
)


class TestProgress:
    def test_is_by_bytes_of_the_file(self):
        assert JOB.progress == 0.25

    def test_is_all_at_the_end_whatever_lines_are_empty_there(self):
        assert replace(JOB, status="completed", finished_at=NOW).progress == 1.0

    def test_is_nothing_before_anything_came(self):
        assert replace(JOB, size_bytes=0, done=Place(0, 0)).progress == 0.0


class TestJob:
    @pytest.mark.parametrize(("at", "ended"), [(None, False), (NOW, True)])
    def test_has_ended_when_it_says_when(self, at, ended):
        assert replace(JOB, finished_at=at).has_ended is ended

    def test_fails_for_a_reason_or_not_at_all(self):
        assert outcome_of(None) == "completed"
        assert outcome_of("the file is empty") == "failed"


class TestTally:
    @given(*[st.tuples(*[st.integers(0, 10**9)] * 4)] * 2)
    def test_adds_up_each_by_itself(self, one, other):
        added = Tally(*one) + Tally(*other)

        assert added == Tally(*map(sum, zip(one, other, strict=True)))


class TestKept:
    def test_numbers_go_on_from_those_before(self):
        faults = [Fault(7, "a", "one"), Fault(9, "b", "two")]

        assert [n.number for n in kept(faults, 3)] == [4, 5]

    @pytest.mark.parametrize("before", [MAX_FAULTS_KEPT - 1, MAX_FAULTS_KEPT + 5])
    def test_ends_at_the_limit(self, before):
        faults = [Fault(line, "", "bad") for line in range(3)]

        assert len(kept(faults, before)) == max(0, MAX_FAULTS_KEPT - before)

    @given(st.text(st.characters(exclude_categories=()), max_size=600))
    def test_holds_nothing_a_database_cannot(self, text):
        (noted,) = kept([Fault(1, text, text)], 0)

        for said in (noted.fault.handle, noted.fault.message):
            assert len(said) <= MAX_MESSAGE_CHARS
            assert "\x00" not in said
            said.encode()


class TestLink:
    LINK = Link("tea", 1, ("cup", "pot"), {"goes_with": "jug", "after": "cup"})

    def test_names_every_product_it_leads_to_once(self):
        assert self.LINK.names == {"cup", "pot", "jug"}
        assert Link("tea", 1).names == frozenset()

    def test_tells_what_leads_nowhere_by_its_place_in_the_row(self):
        assert self.LINK.lost({"cup"}) == [
            "related/1 does not exist",
            "attributes/goes_with does not exist",
        ]
        assert self.LINK.lost({"cup", "pot", "jug"}) == []
