"""A refund asked for by a keyed request that died is finished by the next one."""

import msgspec
import pytest

from holdfast.domain.payments import Progress, Refund
from holdfast.kernel.money import Money
from holdfast.platform.idempotency import LEASE, Answer, Claim
from holdfast.workflows.refunding import Refunding


def render(refund: Refund) -> Answer:
    return Answer(201, {}, msgspec.json.encode([refund.id, refund.status]))


@pytest.fixture
def doing(shop):
    return Refunding(shop.db, shop.vault, shop.payments, shop.clock, render)


@pytest.fixture
def claim():
    return Claim("key:1", "refund", "one", b"the same")


class TestRefunding:
    async def test_takes_over_what_died_after_its_promise(
        self, doing, an_order, claim, clock, money_of, control
    ):
        order = await an_order()
        share = Money(500, "EUR")
        promised = await doing._promise(order.id, share, "damaged", "key:1", claim)
        clock.advance(seconds=LEASE.total_seconds() + 1)

        first, replayed = await doing.refund(
            order.id, share, reason="damaged", actor="key:1", claim=claim
        )
        second, again = await doing.refund(
            order.id, share, reason="damaged", actor="key:1", claim=claim
        )

        assert (replayed, again) == (False, True)
        assert first.body == second.body
        assert msgspec.json.decode(first.body) == [str(promised), Progress.SUCCEEDED]
        assert len(control.refunds()) == 1
        assert await money_of(order) == ((1998, 500), (1998, 500))
