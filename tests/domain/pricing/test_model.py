from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.pricing.model import (
    ALWAYS,
    Book,
    Entry,
    Known,
    Period,
    Terms,
    breaks,
    clash,
    lowest_before,
    resolve,
)

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CLUB, TRADE = UUID(int=1), UUID(int=2)
SUMMER, WINTER, WHOLESALE, DEALERS = (UUID(int=n) for n in (11, 12, 13, 14))

moments = st.integers(-60, 60).map(lambda days: NOW + days * DAY)
bounds = st.none() | moments
groups_of = st.frozensets(st.sampled_from([CLUB, TRADE]))


def a_period(start, end):
    if start is not None and end is not None and start >= end:
        start, end = end, start + DAY
    return Period(start, end)


periods = st.just(ALWAYS) | st.builds(a_period, bounds, bounds)
terms = st.builds(
    Terms,
    st.sampled_from([SUMMER, WINTER]),
    st.just("sale"),
    st.none() | groups_of,
    periods,
) | st.builds(
    Terms,
    st.sampled_from([WHOLESALE, DEALERS]),
    st.just("contract"),
    groups_of,
    periods,
)
entries = st.builds(
    Entry,
    amount=st.integers(0, 50),
    min_quantity=st.sampled_from([1, 2, 10]),
    compare_at=st.none() | st.integers(0, 80),
    period=periods,
    terms=st.none() | terms,
    id=st.uuids(),
)
books = st.lists(entries, max_size=8).map(lambda found: Book(tuple(found)))
amounts = st.integers(0, 50)
quantities = st.integers(1, 12)


class TestResolve:
    @given(books, quantities, moments, groups_of)
    def test_is_a_price_of_the_book_that_holds(self, book, quantity, at, groups):
        found = resolve(book, quantity=quantity, at=at, groups=groups)

        if found:
            assert found.entry in book.entries
            assert found.amount == found.entry.amount
            assert found.entry.min_quantity <= quantity
            assert found.entry.period.holds(at)
            assert found.entry.terms is None or found.entry.terms.hold(at, groups)

    @given(books, amounts, quantities, moments, groups_of)
    def test_there_is_one_wherever_the_variant_has_one_for_always(
        self, book, base, quantity, at, groups
    ):
        book = Book((*book.entries, Entry(base)))

        assert resolve(book, quantity=quantity, at=at, groups=groups)

    @given(books, quantities, quantities, moments, groups_of)
    def test_more_units_never_cost_more_each_unless_a_contract_begins(
        self, book, few, more, at, groups
    ):
        few, more = sorted((few, more))
        one = resolve(book, quantity=few, at=at, groups=groups)
        many = resolve(book, quantity=more, at=at, groups=groups)

        if one and (one.agreed or not many.agreed):
            assert many.amount <= one.amount

    @given(books, quantities, moments, groups_of, groups_of)
    def test_another_group_never_makes_it_dearer_but_by_a_contract(
        self, book, quantity, at, groups, others
    ):
        before = resolve(book, quantity=quantity, at=at, groups=groups)
        after = resolve(book, quantity=quantity, at=at, groups=groups | others)

        if before and (before.agreed or not after.agreed):
            assert after.amount <= before.amount

    @given(books, amounts, quantities, moments)
    def test_what_is_for_others_changes_nothing(self, book, base, quantity, at):
        everybodys = tuple(
            n for n in book.entries if n.terms is None or n.terms.groups is None
        )

        assert resolve(book, quantity=quantity, at=at) == resolve(
            Book(everybodys), quantity=quantity, at=at
        )

    @given(books, quantities, moments, groups_of)
    def test_the_order_of_the_book_decides_no_amount(self, book, quantity, at, groups):
        # Of a book as it can be stored: no two prices in one place.
        placed = {
            (n.terms and n.terms.list_id, n.min_quantity, n.period.always): n
            for n in book.entries
        }
        there = Book(tuple(placed.values()))
        back = Book(there.entries[::-1])
        found = [
            resolve(b, quantity=quantity, at=at, groups=groups) for b in (there, back)
        ]

        assert [n and n.amount for n in found[:1]] == [
            n and n.amount for n in found[1:]
        ]

    @given(books, quantities, moments, groups_of)
    def test_is_compared_with_nothing_that_is_not_higher(
        self, book, quantity, at, groups
    ):
        found = resolve(book, quantity=quantity, at=at, groups=groups)

        assert (
            found is None
            or found.compare_at is None
            or (found.compare_at > found.amount)
        )

    def test_a_price_for_a_time_replaces_the_usual_one_even_if_it_is_higher(self):
        next_year = Entry(25, period=Period(NOW, None), id=UUID(int=9))
        book = Book((Entry(20), next_year))

        assert resolve(book, quantity=1, at=NOW - DAY).amount == 20
        assert resolve(book, quantity=1, at=NOW).amount == 25

    def test_a_price_on_record_replaces_that_of_the_variant(self):
        book = Book((Entry(30, id=UUID(int=9)), Entry(20)))

        assert resolve(book, quantity=1, at=NOW).amount == 30

    def test_a_sale_that_is_dearer_is_none(self):
        dear = Entry(30, terms=Terms(SUMMER), id=UUID(int=9))

        found = resolve(Book((dear, Entry(20))), quantity=1, at=NOW)

        assert (found.amount, found.compare_at) == (20, None)

    def test_a_contract_holds_though_it_is_dearer_and_compares_with_nothing(self):
        agreed = Terms(WHOLESALE, "contract", frozenset({TRADE}))
        book = Book((Entry(20), Entry(30, terms=agreed, id=UUID(int=9))))

        found = resolve(book, quantity=1, at=NOW, groups=[TRADE])

        assert (found.amount, found.compare_at) == (30, None)

    def test_a_contract_from_ten_on_leaves_one_at_the_usual_price(self):
        agreed = Terms(WHOLESALE, "contract", frozenset({TRADE}))
        book = Book((Entry(20), Entry(15, 10, terms=agreed, id=UUID(int=9))))

        prices = breaks(book, at=NOW, groups=[TRADE])

        assert [(n, found.amount) for n, found in prices] == [(1, 20), (10, 15)]

    @pytest.mark.parametrize(
        ("reduced", "usual", "compared"),
        [
            (Entry(15, terms=Terms(SUMMER)), Entry(20), 20),
            (Entry(15, terms=Terms(SUMMER)), Entry(20, compare_at=30), 30),
            (Entry(15, terms=Terms(SUMMER), compare_at=28), Entry(20), 28),
            (Entry(15, terms=Terms(SUMMER), compare_at=12), Entry(20), None),
            (Entry(15, period=Period(NOW, None)), Entry(20), 20),
            (Entry(25, period=Period(NOW, None)), Entry(20), None),
            (Entry(15), Entry(20, 5), None),
        ],
        ids=["sale", "reduced_before", "said", "not_lower", "time", "rise", "none"],
    )
    def test_shows_what_it_stands_in_for(self, reduced, usual, compared):
        found = resolve(Book((reduced, usual)), quantity=1, at=NOW)

        assert found.compare_at == compared

    def test_compares_with_nothing_where_there_is_nothing_else(self):
        for only in (
            Entry(15, terms=Terms(SUMMER)),
            Entry(15, period=Period(NOW, None)),
        ):
            assert resolve(Book((only,)), quantity=1, at=NOW).compare_at is None


class TestBreaks:
    @given(books, moments, groups_of, quantities)
    def test_say_the_price_of_every_quantity(self, book, at, groups, quantity):
        said = breaks(book, at=at, groups=groups)
        found = resolve(book, quantity=quantity, at=at, groups=groups)
        reached = [holding for least, holding in said if least <= quantity]

        assert (reached[-1].amount if reached else None) == (found and found.amount)


known = st.builds(
    Known,
    entries,
    st.builds(
        lambda at, n: Period(at, n and at + n * DAY),
        moments,
        st.none() | st.integers(1, 60),
    ),
)


class TestLowestBefore:
    @given(st.lists(known, max_size=6), groups_of)
    def test_is_what_looking_at_every_day_finds(self, past, groups):
        # All bounds are whole days away, so a look a day misses nothing.
        amount_on = {}
        for days in range(-100, 1):
            on = NOW + days * DAY
            book = Book(tuple(n.entry for n in past if n.on_record.holds(on)))
            found = resolve(book, quantity=1, at=on, groups=groups)
            amount_on[days] = found and found.amount
        began = 0
        while began > -99 and amount_on[began - 1] == amount_on[0]:
            began -= 1
        window = [amount_on[days] for days in range(max(began - 30, -100), began)]
        wanted = min((n for n in window if n is not None), default=None)

        lowest = lowest_before(past, at=NOW, groups=groups)

        assert lowest == (None if amount_on[0] is None else wanted)

    @pytest.mark.parametrize(
        ("days_ago", "lowest"), [(40, 100), (31, 100), (30, 90), (10, 90)]
    )
    def test_looks_back_thirty_days_from_the_reduction_not_from_today(
        self, days_ago, lowest
    ):
        reduced = NOW - 20 * DAY
        ended = reduced - days_ago * DAY + DAY
        past = [
            Known(Entry(90), Period(ended - DAY, ended)),
            Known(Entry(100), Period(ended, reduced)),
            Known(Entry(80), Period(reduced, None)),
        ]

        assert lowest_before(past, at=NOW) == lowest

    def test_a_new_price_has_nothing_before_it(self):
        assert lowest_before([Known(Entry(80), Period(NOW, None))], at=NOW) is None


class TestClash:
    @given(st.lists(periods, max_size=6))
    def test_is_found_where_two_have_a_moment_in_common(self, found):
        days = [NOW + n * DAY for n in range(-62, 63)]
        dated = [n for n in found if not n.always]
        shared = any(sum(n.holds(day) for n in dated) > 1 for day in days)
        twice = len(found) - len(dated) > 1

        assert (clash(found) is not None) == (shared or twice)

    def test_names_the_later_one(self):
        first, second = Period(NOW, NOW + 2 * DAY), Period(NOW + DAY, None)

        assert clash([second, ALWAYS, first]) == 0
        assert clash([first, ALWAYS, second]) == 2
