"""The two places that ask the machine for the time, and how an instant is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.kernel.clock import monotonic, rfc3339, system_clock

# A day from either end, so that every zone can be written in UTC. Hypothesis takes
# its bounds without a zone.
EARLIEST = datetime(1, 1, 2)  # noqa: DTZ001
LATEST = datetime(9999, 12, 30)  # noqa: DTZ001


class TestSystemClock:
    def test_is_in_utc(self):
        assert system_clock().tzinfo is UTC


class TestMonotonic:
    def test_never_runs_backwards(self):
        readings = [monotonic() for _ in range(1000)]

        assert readings == sorted(readings)


class TestRfc3339:
    @pytest.mark.parametrize(
        ("instant", "written"),
        [
            (datetime(2026, 11, 27, 8, tzinfo=UTC), "2026-11-27T08:00:00.000000Z"),
            (
                datetime(2026, 1, 1, 0, 30, 0, 7, timezone(timedelta(hours=1))),
                "2025-12-31T23:30:00.000007Z",
            ),
        ],
    )
    def test_is_utc_with_z_and_microseconds(self, instant, written):
        assert rfc3339(instant) == written

    @given(st.datetimes(EARLIEST, LATEST, timezones=st.timezones()))
    def test_reads_back_as_the_same_instant(self, instant):
        assert datetime.fromisoformat(rfc3339(instant)) == instant.astimezone(UTC)
