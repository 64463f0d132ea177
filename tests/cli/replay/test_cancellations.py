"""A cancellation goes back to the sale it takes back, and nothing is invented."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.replay.cancellations import Canceled, Matching, Why
from holdfast.kernel.money import Money

POUND = Money(100, "GBP")


class History:
    """Sales and cancellations of one article, written down shortly."""

    def __init__(self) -> None:
        self.matching = Matching()

    def sold(self, invoice, quantity, *, customer="ada", code="TEA", price=POUND, at=1):
        self.matching.sold(
            *(customer, code, invoice), position=at, quantity=quantity, price=price
        )
        return self

    def canceled(
        self, quantity, *, number="C9", customer="ada", code="TEA", price=POUND
    ):
        self.matching.canceled(Canceled(number, customer, code, quantity, price))
        return self

    @property
    def back(self):
        return {(n.number, n.invoice): n.units for n in self.matching.comebacks}

    @property
    def unmatched(self):
        return [(n.quantity, n.why) for n in self.matching.unmatched]


class TestMatching:
    def test_takes_back_the_latest_sale_first(self):
        history = History().sold("1", 5).sold("2", 5).canceled(3)

        assert history.back == {("C9", "2"): {1: 3}}
        assert history.unmatched == []

    def test_goes_on_with_the_sale_before_when_the_latest_is_used_up(self):
        history = History().sold("1", 5).sold("2", 2).canceled(3).canceled(5)

        assert history.back == {("C9", "2"): {1: 2}, ("C9", "1"): {1: 5}}
        assert history.unmatched == [(1, Why.TOO_MANY)]

    def test_knows_the_lines_of_an_invoice_apart(self):
        history = History().sold("1", 2, at=1).sold("1", 2, at=4).canceled(3)

        assert history.back == {("C9", "1"): {4: 2, 1: 1}}

    def test_does_not_take_back_what_was_sold_later(self):
        history = History().canceled(1).sold("1", 5)

        assert history.back == {}
        assert history.unmatched == [(1, Why.NOT_BOUGHT)]

    def test_does_not_take_back_from_another_customer_or_article(self):
        history = (
            History()
            .sold("1", 5, customer="grace")
            .sold("2", 5, code="CUP")
            .canceled(1)
            .canceled(2, customer="")
        )

        assert history.back == {}
        assert history.unmatched == [(1, Why.NOT_BOUGHT), (2, Why.NOBODY)]

    def test_never_takes_a_sale_to_nobody_back(self):
        history = History().sold("1", 5, customer="").canceled(1, customer="")

        assert history.unmatched == [(1, Why.NOBODY)]

    def test_gives_back_what_was_paid_and_counts_where_that_differs(self):
        history = History().sold("1", 5).canceled(2, price=Money(250, "GBP"))

        (back,) = history.matching.comebacks
        assert back.worth == 200
        assert history.matching.other_price_units == 2

    def test_keeps_cancellations_apart(self):
        history = History().sold("1", 5).canceled(2, number="C1").canceled(2)

        assert history.back == {("C1", "1"): {1: 2}, ("C9", "1"): {1: 2}}
        assert (history.matching.cancellations, history.matching.lines) == (2, 2)

    @given(
        st.lists(
            st.tuples(
                st.booleans(), st.integers(1, 9), st.sampled_from(["ada", "grace", ""])
            )
        )
    )
    def test_accounts_for_every_unit_and_takes_none_back_twice(self, rows):
        history, sold, canceled = History(), {}, 0
        for number, (buys, quantity, customer) in enumerate(rows):
            if buys:
                history.sold(str(number), quantity, customer=customer)
                sold[str(number)] = quantity
            else:
                history.canceled(quantity, customer=customer)
                canceled += quantity

        found = history.matching
        left = sum(quantity for quantity, _ in history.unmatched)
        assert found.matched_units + left == canceled
        taken = {}
        for back in found.comebacks:
            units = sum(back.units.values())
            taken[back.invoice] = taken.get(back.invoice, 0) + units
            assert back.worth == units * 100
        assert sum(taken.values()) == found.matched_units
        assert all(taken[invoice] <= sold[invoice] for invoice in taken)
