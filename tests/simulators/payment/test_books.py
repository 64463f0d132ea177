"""The money adds up, whatever is asked in which order, and after a restart."""

import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.clock import HOUR, Clock
from holdfast.simulators.journal import Journal
from holdfast.simulators.payment import Ledger, Line
from holdfast.simulators.payment.charge import ChargeRequest
from holdfast.simulators.payment.ledger import KeyReused, WrongState
from holdfast.simulators.payment.refund import RefundRequest
from holdfast.simulators.payment.refunds import RefundExceedsCharge, Refunds
from holdfast.simulators.register import Full

KEYS = st.sampled_from(["a", "b", "c"])
AMOUNTS = st.integers(1, 12)
METHODS = st.sampled_from(
    ["pm_card_ok", "pm_refund_fails", "pm_refund_pending", "pm_refund_pending_fails"]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), KEYS, METHODS, st.booleans(), st.booleans()),
        st.tuples(st.just("capture"), KEYS, AMOUNTS),
        st.tuples(st.sampled_from(["void", "cancel", "complete", "decline"]), KEYS),
        st.tuples(st.just("refund"), KEYS, KEYS, AMOUNTS),
        st.tuples(st.just("cancel_refund"), KEYS),
        st.tuples(st.just("wait"), KEYS),
    ),
    max_size=40,
)
REFUSALS = (KeyReused, WrongState, RefundExceedsCharge, Full, ValueError)


class Books:
    """A ledger and its refunds, told what to do by name."""

    def __init__(self, journal: Journal[Line], clock: Clock) -> None:
        self.ledger = Ledger(journal, clock=clock)
        self.refunds = Refunds(self.ledger)
        self.clock = clock

    def charge(self, key, method, manual, challenged) -> None:
        request = ChargeRequest(
            10, "EUR", method, "r", capture="manual" if manual else "automatic"
        )
        challenge = "http://pay/{}".format if challenged else None
        self.ledger.charge(key, request, decline_reason=None, challenge=challenge)

    def cancel(self, key) -> None:
        self.ledger.cancel(key)

    def refund(self, key, charge_key, amount) -> None:
        request = RefundRequest(charge_key, amount, "EUR")
        entry = self.ledger.entries.find(charge_key)
        if entry is not None and self.refunds.known(key, request) is None:
            self.refunds.refund(key, request, entry)

    def cancel_refund(self, key) -> None:
        self.refunds.cancel(key)

    def wait(self, _) -> None:
        self.clock.advance(HOUR)

    def __getattr__(self, name):
        """What is done to a charge there is, and nothing to one there is not."""
        does = {
            "capture": self.ledger.capture,
            "void": self.ledger.void,
            "complete": lambda entry: self.ledger.complete(entry, decline_reason=None),
            "decline": lambda entry: self.ledger.complete(entry, decline_reason="no"),
        }[name]

        def act(key, *rest):
            entry = self.ledger.entries.find(key)
            return does(entry, *rest) if entry else None

        return act

    def state(self) -> dict[str, object]:
        refunds = self.refunds.entries.page(start=0, limit=100)
        return {
            "charges": self.ledger.page(start=0, limit=100),
            "refunds": [entry.refund for entry in refunds],
            "captured": self.ledger.captured_by_currency(),
            "authorized": self.ledger.authorized_by_currency(),
            "refunded": self.refunds.succeeded_by_currency(),
        }


class TestBooks:
    @given(steps=STEPS)
    def test_add_up_and_are_the_same_after_a_restart(self, steps):
        clock = Clock()
        clock.set(0, frozen=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "payment.jsonl"
            with closing(Journal(path, Line)) as journal:
                books = Books(journal, clock)
                for action, *rest in steps:
                    try:
                        getattr(books, action)(*rest)
                    except REFUSALS:
                        continue
                state = books.state()
            with closing(Journal(path, Line)) as journal:
                again = Books(journal, clock).state()

        assert again == state
        captured = authorized = refunded = 0
        for charge in state["charges"]:
            held = [r.holds for r in state["refunds"] if r.charge_key == charge.key]
            assert charge.refunded_amount == sum(held) <= charge.captured_amount
            assert (charge.captured_amount > 0) == (charge.status == "captured")
            captured += charge.captured_amount
            authorized += charge.amount * (charge.status == "authorized")
        for refund in state["refunds"]:
            refunded += refund.amount * (refund.status == "succeeded")
        assert state["captured"].get("EUR", 0) == captured
        assert state["authorized"].get("EUR", 0) == authorized
        assert state["refunded"].get("EUR", 0) == refunded
