"""Moments that people tell: which there are, and the nearest to one there is not.

Python, JSON and PostgreSQL end their calendars at different days, and what is before
the end in one time zone is beyond it in another: PostgreSQL keeps
``9999-12-31T23:59:59-05:00`` as a day of the year 10000, which nobody here can read
again. So whatever a moment is told for, it is on a calendar of the shop's own: the
years 2001 to 8999 in UTC, so far from any end that no time zone, and nothing that is
counted from it, leads beyond.
"""

from datetime import UTC, datetime, timedelta

_FIRST = datetime(2001, 1, 1, tzinfo=UTC)
_END = datetime(9000, 1, 1, tzinfo=UTC)
_LAST = _END - timedelta(microseconds=1)

OFF_CALENDAR = "must be between the years 2001 and 8999"
"""What is wrong with a moment that is not on it."""


def on_calendar(moment: datetime) -> bool:
    """Whether there is such a moment; it says its time zone."""
    return _FIRST <= moment < _END


def nearest(moment: datetime) -> datetime:
    """The moment in UTC; the first or the last there is for one beyond.

    For whoever asks since when or until when: nothing happened beyond either.
    """
    return min(max(moment, _FIRST), _LAST).astimezone(UTC)
