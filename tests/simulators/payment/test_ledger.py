"""What the payment provider remembers."""

import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from holdfast.simulators.journal import Journal
from holdfast.simulators.payment import Ledger, Line
from holdfast.simulators.payment.charge import ChargeRequest

KEYS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("cancel"), KEYS),
        st.tuples(st.just("restart"), KEYS),
        st.tuples(
            st.just("charge"),
            KEYS,
            st.sampled_from(["EUR", "USD"]),
            st.sampled_from([None, "card_declined"]),
        ),
    ),
    max_size=30,
)


class TestLedger:
    @given(steps=STEPS)
    def test_a_key_has_one_outcome_for_good_and_the_sums_follow(self, steps):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "payment.jsonl"
            journal = Journal(path, Line)
            ledger = Ledger(journal)
            outcomes = {}
            for action, key, *rest in steps:
                if action == "restart":
                    journal.close()
                    journal = Journal(path, Line)
                    ledger = Ledger(journal)
                    continue
                if action == "cancel":
                    charge = ledger.cancel(key)
                else:
                    currency, reason = rest
                    # One key, one wish: reuse for another is tested at the door.
                    wish = f"{key}-{currency}-{reason}"
                    key = wish  # noqa: PLW2901
                    charge, _ = ledger.charge(
                        key,
                        ChargeRequest(5, currency, "pm_card_ok", "r"),
                        decline_reason=reason,
                    )
                assert outcomes.setdefault(key, charge) == charge == ledger.find(key)
            journal.close()

        counts = Counter(charge.status for charge in outcomes.values())
        assert {
            status: ledger.count(status)
            for status in ("captured", "declined", "canceled")
        } == {status: counts[status] for status in ("captured", "declined", "canceled")}
        captured = [c for c in outcomes.values() if c.status == "captured"]
        assert sum(ledger.captured_by_currency().values()) == 5 * len(captured)
        assert ledger.page(start=0, limit=100) == list(outcomes.values())
        assert ledger.last(100) == list(outcomes.values())[::-1]

    def test_reads_what_was_written_before_there_were_partial_captures(self, tmp_path):
        path = tmp_path / "payment.jsonl"
        path.write_text(
            '{"charge":{"id":"ch_1","key":"k","status":"captured","amount":5,'
            '"currency":"EUR","reference":"r","decline_reason":null,"created_at":'
            '"2026-11-27T08:00:00.000000Z"},"payment_method":"pm_card_ok"}\n'
        )

        with closing(Journal(path, Line)) as journal:
            ledger = Ledger(journal)

        assert ledger.captured_by_currency() == {"EUR": 5}
        charge = ledger.find("k")
        assert charge is not None
        assert (charge.captured_amount, charge.refunded_amount) == (5, 0)

    def test_nothing_is_remembered_that_could_not_be_written(self, tmp_path):
        with closing(Journal(tmp_path / "payment.jsonl", Line)) as journal:
            ledger = Ledger(journal)
        request = ChargeRequest(5, "EUR", "pm_card_ok", "r")

        failures = []
        for attempt in (
            lambda: ledger.charge("k", request, decline_reason=None),
            lambda: ledger.cancel("k"),
        ):
            try:
                attempt()
            except OSError as error:
                failures.append(error)

        assert len(failures) == 2
        assert ledger.find("k") is None
        assert ledger.count("captured") == 0
