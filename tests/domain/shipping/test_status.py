"""Where a parcel is follows from what happened last, however it was told."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.shipping import ShipmentStatus, TrackingEvent, status_of

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
EVENTS = st.lists(
    st.builds(
        TrackingEvent,
        st.uuids().map(str),
        st.sampled_from(list(ShipmentStatus)),
        # Few moments, so that many coincide.
        st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
    ),
    max_size=8,
)


@given(EVENTS, st.randoms())
def test_the_order_of_telling_and_repeating_make_no_difference(events, chance):
    told = events + events[:3]
    chance.shuffle(told)

    assert status_of(told) is status_of(events)


@given(EVENTS)
def test_it_is_that_of_a_latest_event(events):
    last = max((event.happened_at for event in events), default=None)

    assert status_of(events) in (
        {event.status for event in events if event.happened_at == last} or {None}
    )


def test_arriving_counts_more_than_what_happened_at_the_same_moment():
    events = [
        TrackingEvent(str(n), status, NOON)
        for n, status in enumerate((ShipmentStatus.DELIVERED, ShipmentStatus.EXCEPTION))
    ]

    assert status_of(events) is ShipmentStatus.DELIVERED
