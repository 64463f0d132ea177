"""The calendar that everything told is on."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.moments import nearest, on_calendar

WEST, EAST = timezone(-timedelta(hours=5)), timezone(timedelta(hours=1))
ZONES = st.integers(-1439, 1439).map(lambda n: timezone(timedelta(minutes=n)))
ANY_MOMENT = st.datetimes(timezones=ZONES)


class TestOnCalendar:
    @pytest.mark.parametrize(
        "moment",
        [
            datetime(2001, 1, 1, tzinfo=UTC),
            datetime(2026, 11, 23, tzinfo=EAST),
            datetime(8999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            datetime(2000, 12, 31, 20, tzinfo=WEST),
        ],
    )
    def test_has_the_years_that_things_are_sold_in(self, moment):
        assert on_calendar(moment)

    @pytest.mark.parametrize(
        "moment",
        [
            datetime(1, 1, 1, tzinfo=EAST),
            datetime(2001, 1, 1, tzinfo=EAST),
            datetime(8999, 12, 31, 23, tzinfo=WEST),
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=WEST),
        ],
    )
    def test_has_no_other_whatever_year_its_own_zone_writes(self, moment):
        assert not on_calendar(moment)

    @given(ANY_MOMENT)
    def test_is_the_same_calendar_in_every_zone(self, moment):
        if on_calendar(moment):
            assert on_calendar(moment.astimezone(UTC))
            assert 2001 <= moment.astimezone(UTC).year <= 8999


class TestNearest:
    @given(ANY_MOMENT)
    def test_is_always_on_the_calendar(self, moment):
        assert on_calendar(nearest(moment))

    @given(ANY_MOMENT.filter(on_calendar))
    def test_of_one_that_is_there_is_the_same_in_utc(self, moment):
        assert nearest(moment) == moment
        assert nearest(moment).tzinfo is UTC

    def test_of_one_beyond_is_the_first_or_the_last(self):
        assert nearest(datetime(1, 1, 1, tzinfo=EAST)).year == 2001
        assert nearest(datetime(9999, 12, 31, 23, tzinfo=WEST)).year == 8999
