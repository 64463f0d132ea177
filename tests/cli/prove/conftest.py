"""Histories and books as they would be, made up."""

import itertools

import pytest

from holdfast.cli.prove.facts import Charge, Level, Order
from holdfast.cli.prove.history import Said

_number = itertools.count(1)


@pytest.fixture
def said():
    """One request and its answer."""

    def make(act="checkout", status=201, *, cart="cart-1", at=0.0, took=0.1, **more):
        told = {"key": "key-1", "lines": (("TEA", 1),), "process": 0, **more}
        return Said(
            act=act, cart=cart, status=status, began=at, ended=at + took, **told
        )

    return make


@pytest.fixture
def order():
    def make(order_id="order-1", *, status="confirmed", cart="cart-1", **more):
        wanted = {"lines": (("TEA", 1),), "total": 999, "refunded": 0, **more}
        wanted.setdefault("captured", wanted["total"])
        number = f"HF-{next(_number)}"
        return Order(
            id=order_id,
            number=number,
            cart=cart,
            status=status,
            currency="EUR",
            **wanted,
        )

    return make


@pytest.fixture
def charge():
    def make(key="order-1", *, status="captured", captured=999, **more):
        refunded, reference = more.get("refunded", 0), more.get("reference", f"R-{key}")
        return Charge(
            key=key,
            reference=reference,
            status=status,
            amount=999,
            currency="EUR",
            captured_amount=captured,
            refunded_amount=refunded,
        )

    return make


@pytest.fixture
def level():
    def make(*, units=10, available=9, held=0, promised=1):
        return Level(
            sku="TEA",
            units=units,
            on_hand=units,
            reserved=held + promised,
            available=available,
            held=held,
            promised=promised,
        )

    return make
