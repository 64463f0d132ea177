"""Made-up histories that contain each kind of violation, and the honest ones beside."""

import pytest

from holdfast.cli.prove import judging


class TestUnitsAddUp:
    def test_sold_held_and_left_are_what_there_was(self, level, order):
        verdict = judging.units_add_up([level(available=7, held=2)], [order()])

        assert verdict.kept
        assert verdict.checked == 10

    @pytest.mark.parametrize(("available", "held"), [(9, 1), (8, 0)])
    def test_notices_a_unit_too_many_and_a_unit_that_is_gone(
        self, level, order, available, held
    ):
        levels = [level(available=available, held=held)]

        assert len(judging.units_add_up(levels, [order()]).broken) == 1

    def test_notices_what_is_sold_and_not_set_aside(self, level, order):
        levels = [level(available=9, promised=0)]

        assert "set aside" in judging.units_add_up(levels, [order()]).broken[0]

    def test_counts_no_order_that_failed(self, level, order):
        levels = [level(available=10, promised=0)]

        assert judging.units_add_up(levels, [order(status="failed")]).kept


class TestHoldsEnd:
    def test_notices_one_that_does_not(self, level):
        assert judging.holds_end([level(held=0)]).kept
        assert not judging.holds_end([level(held=1)]).kept


class TestNeverBeyondStock:
    def test_a_hold_may_follow_another_that_ended(self, said):
        history = [
            said("hold", cart="a", at=0.0, expires=4.0),
            said("hold", cart="b", at=4.1, expires=8.0),
        ]

        verdict = judging.never_beyond_stock(history, {"TEA": 1})

        assert verdict.kept
        assert verdict.checked == 2

    def test_notices_a_hold_beyond_what_was_there(self, said):
        history = [
            said("hold", cart="a", at=0.0, expires=4.0),
            said("hold", cart="b", at=3.0, expires=7.0),
        ]

        verdict = judging.never_beyond_stock(history, {"TEA": 1})

        assert verdict.broken == ["2 of TEA were granted at once, of 1"]

    def test_notices_a_hold_on_what_somebody_has_bought(self, said):
        history = [
            said(cart="a", at=0.0),
            said("hold", cart="b", at=60.0, expires=64.0),
        ]

        assert not judging.never_beyond_stock(history, {"TEA": 1}).kept

    def test_a_hold_is_had_no_longer_than_until_its_cart_asks_again(self, said):
        history = [
            said("hold", cart="a", at=0.0, expires=4.0),
            said("release", 204, cart="a", at=1.0),
            said("hold", cart="b", at=1.05, took=0.2, expires=5.0),
        ]

        assert judging.never_beyond_stock(history, {"TEA": 1}).kept

    def test_a_hold_and_its_order_are_one_unit(self, said):
        history = [
            said("hold", cart="a", at=0.0, expires=4.0),
            said(cart="a", at=1.0),
            said(cart="a", at=2.0),
        ]

        assert judging.never_beyond_stock(history, {"TEA": 1}).kept


class TestToldOrdersExist:
    def test_is_what_clients_were_told(self, said, order):
        history = [said(order="order-1"), said(order="order-1")]

        verdict = judging.told_orders_exist(history, [order()])

        assert verdict.kept
        assert verdict.checked == 1

    def test_notices_an_order_that_was_acknowledged_and_is_gone(self, said):
        verdict = judging.told_orders_exist([said(order="order-1")], [])

        assert verdict.broken == ["order order-1 was answered 201 and is gone"]

    def test_notices_one_of_which_the_buyer_waits_to_hear_more(self, said):
        history = [said(status=202, order="order-1")]

        assert not judging.told_orders_exist(history, []).kept

    def test_notices_one_that_was_told_paid_and_is_not(self, said, order):
        history = [said(order="order-1")]

        verdict = judging.told_orders_exist(history, [order(status="failed")])

        assert verdict.broken == ["order order-1 was told paid and is failed"]

    def test_notices_one_that_was_told_declined_and_is_paid(self, said, order):
        history = [said(status=402, order="order-1")]

        assert not judging.told_orders_exist(history, [order()]).kept

    def test_notices_other_goods_than_were_wanted(self, said, order):
        history = [said(order="order-1")]
        other = order(lines=(("TEA", 2),))

        assert not judging.told_orders_exist(history, [other]).kept

    def test_what_was_lost_promises_nothing(self, said):
        assert judging.told_orders_exist([said(status=0)], []).kept


class TestOneOrderACart:
    def test_notices_a_second(self, order):
        orders = [order("order-1"), order("order-2")]

        assert judging.one_order_a_cart(orders).broken == ["cart cart-1 has 2 orders"]

    def test_one_that_failed_does_not_count(self, order):
        orders = [order("order-1", status="failed"), order("order-2")]

        assert judging.one_order_a_cart(orders).kept


class TestSameAnswerToOneKey:
    def test_notices_an_answer_that_changed(self, said):
        history = [said(digest="one"), said(digest="two")]

        assert len(judging.same_answer_to_one_key(history).broken) == 1

    def test_notices_another_status(self, said):
        history = [said(status=202, digest="one"), said(status=201, digest="one")]

        assert not judging.same_answer_to_one_key(history).kept

    def test_what_says_to_come_back_may_be_followed_by_anything(self, said):
        history = [
            said(status=503, digest="busy"),
            said(status=409, digest="in progress"),
            said(status=0),
            said(digest="one"),
            said(digest="one"),
            said(key="key-2", digest="another"),
        ]

        verdict = judging.same_answer_to_one_key(history)

        assert verdict.kept
        assert verdict.checked == 3


class TestOneCaptureAnOrder:
    def test_is_the_total(self, order, charge):
        assert judging.one_capture_an_order([order()], [charge()]).kept

    def test_notices_a_double_capture(self, order, charge):
        charges = [charge(reference="HF-1"), charge("other", reference="HF-1")]

        verdict = judging.one_capture_an_order([order()], charges)

        assert verdict.broken == ["HF-1 was captured 2 times"]

    @pytest.mark.parametrize("captured", [998, 0])
    def test_notices_too_little(self, order, charge, captured):
        charges = [charge(captured=captured)]

        assert not judging.one_capture_an_order([order()], charges).kept

    def test_notices_an_order_that_nobody_paid(self, order):
        assert not judging.one_capture_an_order([order()], []).kept


class TestNothingForNothing:
    def test_notices_money_for_an_order_that_failed(self, order, charge):
        orders = [order(status="failed")]

        assert not judging.nothing_for_nothing(orders, [charge()]).kept
        assert judging.nothing_for_nothing(orders, [charge(refunded=999)]).kept

    def test_notices_money_for_no_order(self, charge):
        assert not judging.nothing_for_nothing([], [charge()]).kept

    def test_notices_money_that_is_still_set_aside(self, charge):
        charges = [charge(status="authorized", captured=0)]

        assert not judging.nothing_for_nothing([], charges).kept


class TestCapturedIsPaid:
    def test_compares_what_is_kept(self, order, charge):
        assert judging.captured_is_paid([order()], [charge()]).kept
        assert not judging.captured_is_paid([order()], []).kept
        assert not judging.captured_is_paid([], [charge()]).kept

    def test_notices_an_order_whose_money_was_not_noted(self, order, charge):
        assert not judging.captured_is_paid([order(captured=0)], [charge()]).kept


class TestOnlyHonestAnswers:
    @pytest.mark.parametrize(
        ("act", "status", "problem"),
        [
            ("hold", 409, "out-of-stock"),
            ("checkout", 503, "database-unavailable"),
            ("checkout", 0, ""),
            ("checkout", 504, "commit-unclear"),
            ("release", 404, "reservation-not-found"),
        ],
    )
    def test_a_shop_that_is_hit_may_say(self, said, act, status, problem):
        assert judging.only_honest_answers([said(act, status, problem=problem)]).kept

    @pytest.mark.parametrize(
        ("act", "status", "problem"),
        [
            ("checkout", 500, ""),
            ("hold", 500, "internal"),
            ("hold", 404, "cart-not-found"),
            ("checkout", 409, "stock-changed"),
            ("checkout", 504, "deadline-exceeded"),
        ],
    )
    def test_but_never(self, said, act, status, problem):
        history = [said(act, status, problem=problem)]

        assert not judging.only_honest_answers(history).kept
