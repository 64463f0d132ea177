"""Whose a cart is, and the order that it became."""

import pytest

from holdfast.domain.identity import Anonymous, Guest, Member, Service
from holdfast.kernel.ids import new_id
from holdfast.workflows.carts import owns

TOKEN, ACCOUNT = b"token", new_id()


def member(*scopes, account_id=ACCOUNT):
    return Member(account_id, new_id(), "client", frozenset(scopes))


def may(caller, account_id=ACCOUNT):
    return owns(caller, TOKEN, account_id, scope="carts:write")


class TestOwns:
    def test_the_token_opens_it_whoever_signed_in(self):
        assert may(Guest(TOKEN))
        assert not may(Guest(b"other"))

    def test_the_account_that_it_belongs_to_reaches_it(self):
        assert may(member("carts:own"))

    @pytest.mark.parametrize(
        "stranger",
        [
            member("carts:own", account_id=new_id()),
            member("orders:own"),
            member(),
            Service("client", frozenset({"carts:own"})),
            Anonymous(),
        ],
        ids=["another", "another scope", "no scope", "a service", "nobody"],
    )
    def test_nobody_else_does(self, stranger):
        assert not may(stranger)

    def test_a_guests_cart_is_no_members(self):
        assert not may(member("carts:own"), account_id=None)

    def test_who_may_write_all_reaches_it(self):
        assert may(member("carts:write", account_id=new_id()))
        assert may(Service("client", frozenset({"carts:write"})), account_id=None)

    def test_an_order_asks_for_another_scope(self):
        order = {"scope": "orders:read", "own": "orders:own"}

        assert owns(member("orders:own"), TOKEN, ACCOUNT, **order)
        assert not owns(member("carts:own"), TOKEN, ACCOUNT, **order)
