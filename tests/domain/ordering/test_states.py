"""The tables of the three machines, and what lines say together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.ordering import (
    FULFILMENT,
    ORDER,
    PAYMENT,
    FulfilmentStatus,
    OrderStatus,
    PaymentStatus,
)
from holdfast.domain.ordering.states import CAPTURED, fulfilment_of, is_complete

MACHINES = [
    pytest.param(ORDER, OrderStatus, id="order"),
    pytest.param(PAYMENT, PaymentStatus, id="payment"),
    pytest.param(FULFILMENT, FulfilmentStatus, id="fulfilment"),
]
PATHS = {
    "order": "pending>confirmed pending>failed confirmed>completed confirmed>canceled "
    "completed>confirmed",
    "payment": "pending>authorized pending>captured pending>failed "
    "authorized>captured authorized>voided captured>partially_refunded "
    "captured>refunded partially_refunded>refunded",
    "fulfilment": "unfulfilled>partially_fulfilled unfulfilled>fulfilled "
    "partially_fulfilled>fulfilled partially_fulfilled>unfulfilled "
    "fulfilled>partially_fulfilled fulfilled>unfulfilled",
}


class TestMachine:
    @pytest.mark.parametrize(("machine", "states"), MACHINES)
    def test_allows_these_steps_and_no_other(self, machine, states):
        steps = {
            f"{start}>{end}"
            for start in states
            for end in states
            if machine.allows(start, end)
        }

        assert steps == set(PATHS[machine.kind].split())

    @pytest.mark.parametrize(("machine", "states"), MACHINES)
    def test_reaches_every_state_from_its_start(self, machine, states):
        reached, waiting = {machine.start}, [machine.start]
        while waiting:
            for state in machine.transitions[waiting.pop()] - reached:
                reached.add(state)
                waiting.append(state)

        assert reached == set(states) == set(machine.transitions)

    @pytest.mark.parametrize(("machine", "states"), MACHINES)
    def test_knows_from_where_a_state_is_reached(self, machine, states):
        for end in states:
            assert set(machine.sources(end)) == {
                start for start in states if end in machine.transitions[start]
            }

    def test_ends_where_nothing_follows(self):
        final = {state for state in OrderStatus if ORDER.final(state)}

        assert final == {OrderStatus.CANCELED, OrderStatus.FAILED}
        assert {state for state in PaymentStatus if PAYMENT.final(state)} == {
            PaymentStatus.REFUNDED,
            PaymentStatus.VOIDED,
            PaymentStatus.FAILED,
        }


class TestFulfilmentOf:
    @pytest.mark.parametrize(
        ("lines", "wanted"),
        [
            ([(2, 0, 0)], "unfulfilled"),
            ([(2, 2, 0)], "unfulfilled"),
            ([(2, 0, 1)], "partially_fulfilled"),
            ([(2, 1, 1)], "fulfilled"),
            ([(2, 0, 2), (1, 0, 0)], "partially_fulfilled"),
            ([(2, 0, 2), (1, 1, 0)], "fulfilled"),
            ([(2, 0, 2), (1, 0, 1)], "fulfilled"),
        ],
    )
    def test_counts_what_was_not_canceled(self, lines, wanted):
        assert fulfilment_of(lines) == wanted

    @given(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)),
            min_size=1,
        ).map(lambda parts: [(c + s + o, c, s) for c, s, o in parts])
    )
    def test_is_fulfilled_when_something_was_shipped_and_nothing_is_left(self, lines):
        left = any(
            quantity > canceled + shipped for quantity, canceled, shipped in lines
        )
        shipped = any(shipped for _, _, shipped in lines)

        found = fulfilment_of(lines)

        assert (found is FulfilmentStatus.FULFILLED) is (shipped and not left)
        assert (found is FulfilmentStatus.UNFULFILLED) is (not shipped)


class TestIsComplete:
    @pytest.mark.parametrize("payment", list(PaymentStatus))
    @pytest.mark.parametrize("fulfilment", list(FulfilmentStatus))
    def test_is_shipped_and_paid_whatever_was_given_back(self, payment, fulfilment):
        wanted = payment in CAPTURED and fulfilment is FulfilmentStatus.FULFILLED

        assert is_complete(payment, fulfilment) is wanted
