"""Who gets what: all or none, never more than there is, everybody in turn."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.inventory.combining import (
    Denied,
    Granted,
    Request,
    grant,
    in_turn,
)

TEA, CUP, JAR = (UUID(int=n) for n in (1, 2, 3))
NEAR, FAR, CLOSED = (UUID(int=n) for n in (11, 12, 13))
LASTS = timedelta(minutes=10)
VARIANTS, PLACES = (TEA, CUP, JAR), (NEAR, FAR)


def wants(number: int, /, *lines: tuple[UUID, int], customer: object = None) -> Request:
    return Request(UUID(int=100 + number), customer or number, lines, LASTS)


LINES = st.dictionaries(st.sampled_from(VARIANTS), st.integers(1, 5), min_size=1).map(
    lambda chosen: tuple(chosen.items())
)
REQUESTS = st.lists(
    st.builds(
        lambda number, customer, lines: wants(number, *lines, customer=customer),
        st.integers(0, 4),
        st.sampled_from("abc"),
        LINES,
    ),
    max_size=8,
)
FREE = st.fixed_dictionaries(
    {variant: st.tuples(st.integers(-2, 6), st.integers(0, 6)) for variant in VARIANTS}
).map(lambda free: {v: list(zip(PLACES, n, strict=True)) for v, n in free.items()})
HELD = st.dictionaries(
    st.integers(0, 4).map(lambda number: UUID(int=100 + number)),
    st.dictionaries(
        st.tuples(st.sampled_from(VARIANTS), st.sampled_from((NEAR, FAR, CLOSED))),
        st.integers(1, 4),
        min_size=1,
    ),
    max_size=3,
)


@dataclass
class Unit:
    """One unit on a shelf; whose it is, if anybody's."""

    variant: UUID
    location: UUID
    holder: UUID | None


class Shelves:
    """The same decisions made with single units and every way to choose them."""

    def __init__(self, levels, held) -> None:
        self.missing = {
            (v, at): -n for v, places in levels.items() for at, n in places if n < 0
        }
        self.units = [
            Unit(v, at, None)
            for v, places in levels.items()
            for at, n in places
            for _ in range(n)
        ]
        self.units += [
            Unit(v, at, holder)
            for holder, units in held.items()
            for (v, at), n in units.items()
            for _ in range(n)
        ]

    def has(self, holder):
        counts = {}
        for unit in self.units:
            if unit.holder == holder:
                at = unit.variant, unit.location
                counts[at] = counts.get(at, 0) + 1
        return counts

    def open_to(self, holder, variant, at):
        own = [u for u in self.units if u.holder == holder]
        free = [u for u in self.units if u.holder is None]
        mine = [u for u in own + free if (u.variant, u.location) == (variant, at)]
        return max(0, len(mine) - self.missing.get((variant, at), 0))

    def decide(self, request):
        before, chosen, short = self.has(request.holder_id), {}, {}
        for variant, quantity in request.lines:
            own = {at: n for (v, at), n in before.items() if v == variant}
            if sum(own.values()) >= quantity:
                room = own
            else:
                room = {
                    at: self.open_to(request.holder_id, variant, at) for at in PLACES
                }
            split = self._best(room, quantity)
            if split is None:
                short[variant] = max(sum(own.values()), sum(room.values()))
            else:
                chosen |= {(variant, at): n for at, n in split.items() if n}
        if short:
            return short
        self._become(request.holder_id, before, chosen)
        return chosen

    @staticmethod
    def _best(room, quantity):
        """Of all ways to choose, the one from fewest and then from nearest places."""
        places = [at for at in (NEAR, FAR, CLOSED) if at in room]
        ways = [
            dict(zip(places, counts, strict=True))
            for counts in product(*(range(room[at] + 1) for at in places))
            if sum(counts) == quantity
        ]
        whole = [way for way in ways if max(way.values()) == quantity]
        ranked = sorted(
            whole or ways, key=lambda way: [way[at] for at in places], reverse=True
        )
        return ranked[0] if ranked else None

    def _become(self, holder, before, after):
        for at in before.keys() | after.keys():
            change = after.get(at, 0) - before.get(at, 0)
            of, to = (None, holder) if change > 0 else (holder, None)
            found = [
                u for u in self.units if (u.variant, u.location, u.holder) == (*at, of)
            ]
            if change < 0 and self.missing.get(at):
                # What comes back to an overdrawn shelf first fills what is missing.
                filled = min(-change, self.missing[at])
                self.missing[at] -= filled
                for unit in found[:filled]:
                    self.units.remove(unit)
                found, change = found[filled:], change + filled
            for unit in found[: abs(change)]:
                unit.holder = to
        # Nobody is given what is in a place that is closed.
        self.units = [
            u for u in self.units if u.holder is not None or u.location != CLOSED
        ]


class TestGrant:
    def test_gives_what_there_is_to_who_comes_first(self):
        asked = [wants(n, (TEA, 1)) for n in range(3)]

        outcomes = grant({TEA: [(NEAR, 2)]}, {}, asked)

        assert [type(n) for n in outcomes] == [Granted, Granted, Denied]
        assert outcomes[2] == Denied({TEA: 0})

    def test_a_large_request_that_is_refused_leaves_its_units_to_the_small(self):
        outcomes = grant(
            {TEA: [(NEAR, 2)]}, {}, [wants(1, (TEA, 3)), wants(2, (TEA, 2))]
        )

        assert outcomes[0] == Denied({TEA: 2})
        assert isinstance(outcomes[1], Granted)

    def test_names_every_line_that_falls_short_and_takes_none(self):
        levels = {TEA: [(NEAR, 1)], CUP: [(NEAR, 9)]}
        asked = [wants(1, (TEA, 2), (CUP, 1), (JAR, 1)), wants(2, (CUP, 9))]

        outcomes = grant(levels, {}, asked)

        assert outcomes[0] == Denied({TEA: 1, JAR: 0})
        assert isinstance(outcomes[1], Granted)

    def test_prefers_one_location_that_has_it_all(self):
        (outcome,) = grant({TEA: [(NEAR, 2), (FAR, 3)]}, {}, [wants(1, (TEA, 3))])

        assert outcome == Granted({(TEA, FAR): 3}, is_new=True, is_same=False)

    def test_else_splits_by_priority(self):
        (outcome,) = grant({TEA: [(NEAR, 2), (FAR, 3)]}, {}, [wants(1, (TEA, 4))])

        assert isinstance(outcome, Granted)
        assert outcome.units == {(TEA, NEAR): 2, (TEA, FAR): 2}

    def test_asking_again_takes_nothing_more(self):
        again = wants(1, (TEA, 2))

        first, second, other = grant(
            {TEA: [(NEAR, 3)]}, {}, [again, again, wants(2, (TEA, 1))]
        )

        assert first == Granted({(TEA, NEAR): 2}, is_new=True, is_same=False)
        assert second == Granted({(TEA, NEAR): 2}, is_new=False, is_same=True)
        assert isinstance(other, Granted)

    def test_a_renewal_stands_although_nothing_is_left(self):
        held = {UUID(int=101): {(TEA, NEAR): 2}}

        (outcome,) = grant({TEA: [(NEAR, -1)]}, held, [wants(1, (TEA, 2))])

        assert outcome == Granted({(TEA, NEAR): 2}, is_new=False, is_same=True)

    def test_what_is_given_up_is_there_for_the_next(self):
        held = {UUID(int=101): {(TEA, NEAR): 2, (CUP, NEAR): 1}}
        asked = [wants(1, (TEA, 1)), wants(2, (TEA, 1), (CUP, 1))]

        first, second = grant({TEA: [(NEAR, 0)], CUP: [(NEAR, 0)]}, held, asked)

        assert first == Granted({(TEA, NEAR): 1}, is_new=False, is_same=False)
        assert isinstance(second, Granted)

    def test_who_is_refused_more_keeps_what_it_had(self):
        held = {UUID(int=101): {(TEA, NEAR): 2}}
        asked = [wants(1, (TEA, 4)), wants(2, (TEA, 2))]

        outcomes = grant({TEA: [(NEAR, 1)]}, held, asked)

        assert outcomes == [Denied({TEA: 3}), Denied({TEA: 1})]

    def test_what_comes_back_to_a_closed_location_is_offered_to_nobody(self):
        held = {UUID(int=101): {(TEA, CLOSED): 2}}
        asked = [wants(1, (CUP, 1)), wants(2, (TEA, 1))]

        outcomes = grant({TEA: [(NEAR, 0)], CUP: [(NEAR, 1)]}, held, asked)

        assert [type(n) for n in outcomes] == [Granted, Denied]

    @given(FREE, HELD, REQUESTS)
    def test_decides_as_a_count_of_single_units_does(self, levels, held, requests):
        shelves = Shelves(levels, held)

        outcomes = grant(levels, held, requests)

        for request, outcome in zip(requests, outcomes, strict=True):
            expected = shelves.decide(request)
            said = outcome.units if isinstance(outcome, Granted) else outcome.available
            assert said == expected

    @given(FREE, HELD, REQUESTS)
    def test_promises_no_unit_twice_and_loses_none(self, levels, held, requests):
        outcomes = grant(levels, held, requests)

        after = dict(held)
        for request, outcome in zip(requests, outcomes, strict=True):
            if isinstance(outcome, Granted):
                after[request.holder_id] = outcome.units
                assert {
                    v: sum(n for at, n in outcome.units.items() if at[0] == v)
                    for v, _ in request.lines
                } == dict(request.lines)
        for variant, places in levels.items():
            for location, free in places:
                at = variant, location
                had = sum(units.get(at, 0) for units in held.values())
                has = sum(units.get(at, 0) for units in after.values())
                assert has <= max(had, had + free)

    @given(FREE, REQUESTS)
    def test_a_request_that_fits_alone_is_granted_alone(self, levels, requests):
        for request in requests:
            (outcome,) = grant(levels, {}, [request])

            fits = all(
                n <= sum(max(0, free) for _, free in levels[variant])
                for variant, n in request.lines
            )
            assert isinstance(outcome, Granted) == fits


class TestInTurn:
    def test_everybodys_first_comes_before_anybodys_second(self):
        greedy = [wants(n, (TEA, 1), customer="a") for n in range(3)]
        others = [wants(8, (TEA, 1), customer="b"), wants(9, (TEA, 1), customer="c")]

        assert in_turn([*greedy, *others]) == [greedy[0], *others, *greedy[1:]]

    @given(REQUESTS)
    def test_keeps_everyone_and_the_order_of_each_customer(self, requests):
        turns = in_turn(requests)

        assert sorted(map(id, turns)) == sorted(map(id, requests))
        for customer in "abc":
            own = [r for r in requests if r.customer == customer]
            assert [r for r in turns if r.customer == customer] == own

    @given(REQUESTS)
    def test_nobody_is_two_turns_ahead_of_who_still_waits(self, requests):
        turns = in_turn(requests)

        nth = [
            sum(r.customer == turn.customer for r in turns[:place])
            for place, turn in enumerate(turns)
        ]
        assert nth == sorted(nth)
