"""Each pair of books: the same, repaired for certain, or listed for a person."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.domain.payments import (
    Charge,
    ChargeRefund,
    Difference,
    Owed,
    Progress,
    Refund,
    Repair,
    compare_absent_charge,
    compare_absent_refund,
    compare_charge,
    compare_refund,
)
from holdfast.kernel.ids import new_id
from holdfast.kernel.money import Money

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
ID = new_id()
D, R = Difference, Repair

OURS = Owed(
    id=ID,
    currency="EUR",
    status="confirmed",
    payment_status="captured",
    fulfilment_status="unfulfilled",
    total=1000,
    captured=1000,
    refunded=0,
    refunding=0,
    placed_at=NOW,
    reference="ch_1",
    worth=1000,
    closing=None,
    closing_status=None,
    paid_outside=False,
    unpaid=0,
)
PENDING = replace(OURS, status="pending", payment_status="pending", captured=0)
FAILED = replace(OURS, status="failed", payment_status="failed", captured=0)
ASIDE = replace(OURS, payment_status="authorized", captured=0)
CANCELED = replace(ASIDE, status="canceled")
VOIDED = replace(CANCELED, payment_status="voided")
PARTLY = replace(OURS, payment_status="partially_refunded", refunded=300)
LATE = replace(OURS, status="canceled", worth=0)
LESS = replace(OURS, worth=600)
FREE = replace(OURS, total=0, captured=0)


def charge(status="captured", **changes):
    captured = 1000 if status == "captured" else 0
    known = Charge(
        reference="ch_1",
        key=str(ID),
        status=status,
        amount=Money(1000, "EUR"),
        captured=captured,
        refunded=0,
    )
    return replace(known, **changes)


class TestCompareCharge:
    @pytest.mark.parametrize(
        ("theirs", "ours", "verdict"),
        [
            (charge(), OURS, None),
            (charge(), PENDING, R.SETTLE),
            (charge(), FAILED, R.GIVE_BACK),
            (charge(refunded=1000), FAILED, None),
            (charge(), VOIDED, R.GIVE_BACK),
            (charge(), ASIDE, R.CLOSE),
            (charge(), CANCELED, R.CLOSE),
            (charge(), None, D.UNKNOWN_CHARGE),
            (charge(captured=900), OURS, D.AMOUNT_DIFFERS),
            (charge(captured=900), PENDING, D.AMOUNT_DIFFERS),
            (charge(captured=900), replace(OURS, captured=900, worth=900), None),
            (charge(amount=Money(999, "EUR")), OURS, D.AMOUNT_DIFFERS),
            (charge(amount=Money(1000, "USD")), OURS, D.AMOUNT_DIFFERS),
            (charge(refunded=300), OURS, D.REFUNDS_DIFFER),
            (charge(refunded=300), PARTLY, None),
            (charge(), PARTLY, D.REFUNDS_DIFFER),
            (charge(refunded=300), replace(OURS, refunding=300), None),
            (charge(), replace(OURS, refunding=300), None),
            (charge(), LATE, R.GIVE_BACK),
            (charge(captured=1), replace(LATE, captured=1), R.GIVE_BACK),
            (charge(), replace(LATE, refunding=1000), None),
            (charge(refunded=1000), replace(LATE, refunded=1000), None),
            (charge(refunded=1000), LATE, D.REFUNDS_DIFFER),
            (charge(captured=900), LATE, D.AMOUNT_DIFFERS),
            (charge(), replace(OURS, unpaid=300), D.RETURN_UNPAID),
            (charge(refunded=300), replace(PARTLY, unpaid=300), D.RETURN_UNPAID),
            (charge(), replace(LESS, unpaid=300), D.KEPT_TOO_MUCH),
            (charge(), replace(LATE, unpaid=300), R.GIVE_BACK),
            (charge(), LESS, D.KEPT_TOO_MUCH),
            (charge(), replace(LESS, refunding=400), None),
            (charge(refunded=700), replace(LESS, refunded=700), None),
            (charge(captured=600), replace(LESS, captured=600), None),
            (charge(captured=599), replace(LESS, captured=599), D.CAPTURED_TOO_LITTLE),
            (charge("authorized"), PENDING, R.SETTLE),
            (charge("authorized"), ASIDE, None),
            (charge("authorized"), OURS, D.NOT_CAPTURED),
            (charge("authorized"), FAILED, R.RELEASE),
            (charge("authorized"), VOIDED, R.RELEASE),
            (charge("authorized"), None, D.UNKNOWN_CHARGE),
            (charge("requires_action"), PENDING, None),
            (charge("requires_action"), FAILED, R.RELEASE),
            (charge("requires_action"), OURS, D.NOT_CAPTURED),
            (charge("requires_action"), ASIDE, D.AUTHORIZATION_LOST),
            (charge("requires_action"), None, None),
            (charge("declined"), PENDING, R.SETTLE),
            (charge("declined"), FAILED, None),
            (charge("declined"), OURS, D.NOT_CAPTURED),
            (charge("declined"), FREE, None),
            (charge("canceled"), ASIDE, D.AUTHORIZATION_LOST),
            (charge("canceled"), CANCELED, R.CLOSE),
            (charge("canceled"), VOIDED, None),
            (charge("canceled", amount=Money(0, "XXX")), PENDING, R.SETTLE),
            (charge("canceled"), None, None),
        ],
    )
    def test_says_what_follows(self, theirs, ours, verdict):
        assert compare_charge(theirs, ours) is verdict

    @given(
        theirs=st.builds(
            charge,
            st.sampled_from(
                ["captured", "authorized", "requires_action", "declined", "canceled"]
            ),
            refunded=st.integers(0, 1000),
        ),
        ours=st.sampled_from(
            [OURS, PENDING, FAILED, ASIDE, CANCELED, VOIDED, PARTLY, LATE, LESS]
        ),
    )
    def test_money_is_only_given_back_where_nobody_owes_it(self, theirs, ours):
        verdict = compare_charge(theirs, ours)

        if verdict is Repair.GIVE_BACK:
            assert ours.status in ("failed", "canceled")
            assert theirs.captured > theirs.refunded
        if verdict is Repair.SETTLE:
            assert ours.payment_status == "pending"
        if verdict is Repair.RELEASE:
            assert ours.payment_status in ("failed", "voided")


class TestCompareAbsentCharge:
    @pytest.mark.parametrize(
        ("ours", "verdict"),
        [
            (OURS, D.UNKNOWN_AT_PROVIDER),
            (ASIDE, D.UNKNOWN_AT_PROVIDER),
            (PARTLY, D.UNKNOWN_AT_PROVIDER),
            (PENDING, None),
            (FAILED, None),
            (FREE, None),
            (replace(OURS, paid_outside=True), None),
        ],
    )
    def test_money_needs_a_charge(self, ours, verdict):
        assert compare_absent_charge(ours) is verdict


REFUND = Refund(
    id=new_id(),
    order_id=ID,
    amount=Money(500, "EUR"),
    status=Progress.PENDING,
    reason="damaged",
    requested_by="key:1",
    requested_at=NOW,
)
DONE = replace(REFUND, status=Progress.SUCCEEDED, reference="re_1")
LOST = replace(REFUND, status=Progress.FAILED, failure_reason="closed")


def refund(status, **changes):
    known = ChargeRefund(
        reference="re_1",
        key=str(REFUND.id),
        charge_key=str(ID),
        status=status,
        amount=Money(500, "EUR"),
    )
    return replace(known, **changes)


class TestCompareRefund:
    @pytest.mark.parametrize(
        ("theirs", "ours", "verdict"),
        [
            (refund("succeeded"), DONE, None),
            (refund("succeeded"), REFUND, R.SETTLE_REFUND),
            (refund("succeeded"), LOST, D.REFUND_DIFFERS),
            (refund("succeeded"), None, D.UNKNOWN_REFUND),
            (refund("pending"), REFUND, None),
            (refund("pending"), DONE, D.REFUND_DIFFERS),
            (refund("pending"), LOST, D.REFUND_DIFFERS),
            (refund("pending"), None, D.UNKNOWN_REFUND),
            (refund("failed"), REFUND, R.SETTLE_REFUND),
            (refund("failed"), LOST, None),
            (refund("failed"), DONE, D.REFUND_DIFFERS),
            (refund("failed"), None, None),
            (refund("canceled", charge_key=""), REFUND, R.SETTLE_REFUND),
            (refund("canceled", charge_key=""), None, None),
            (refund("succeeded", amount=Money(501, "EUR")), DONE, D.REFUND_DIFFERS),
            (refund("pending", charge_key="other"), REFUND, D.REFUND_DIFFERS),
        ],
    )
    def test_says_what_follows(self, theirs, ours, verdict):
        assert compare_refund(theirs, ours) is verdict


class TestCompareAbsentRefund:
    def test_only_one_that_went_through_needs_one_there(self):
        assert compare_absent_refund(DONE) is D.REFUND_UNKNOWN_AT_PROVIDER
        assert compare_absent_refund(REFUND) is None
        assert compare_absent_refund(LOST) is None
