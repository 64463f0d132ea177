"""Killed between any two steps: what was begun is finished, once, or never was."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.domain.shipping import ShipmentStatus
from holdfast.platform.idempotency import Claim
from holdfast.workflows.fulfilment import Fulfilment, Wish, lease_of_fulfilment

from .conftest import render

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("balanced")]

DOOMED = Path(__file__).with_name("doomed.py")
# What the shop looks like afterwards: shipments, labels, and what is on hand.
SENDING = {
    "before_the_first_commit": ([], 0, (10, 3)),
    "before_asking": (["pending"], 0, (10, 3)),
    "while_asking": (["pending"], None, (10, 3)),
    "after_asking": (["pending"], 1, (10, 3)),
    "before_the_sale": (["pending"], 1, (10, 3)),
    "before_the_last_commit": (["pending"], 1, (10, 3)),
    "before_the_answer": (["created"], 1, (7, 0)),
}
CANCELING = {
    "before_canceling": ("created", 1, (7, 0)),
    "while_canceling": ("created", None, (7, 0)),
    "after_canceling": ("created", 0, (7, 0)),
    "before_it_is_back": ("created", 0, (7, 0)),
    "before_the_last_commit": ("created", 0, (7, 0)),
}


@pytest.fixture
async def order(stocked, place):
    await stocked(TEA=(10, 0))
    return await place(TEA=3)


@pytest.fixture
def labels(carrier):
    def count():
        made = carrier.get("/v1/shipments?limit=100")["items"]
        return len([s for s in made if s["status"] != "canceled"])

    return count


@pytest.fixture
def killed_at(settings, clock):
    """Let a process do something, and die on the way."""

    def run(point, **what):
        told = {"now": clock().isoformat(), "environ": dict(settings.raw), **what}
        done = subprocess.run(  # noqa: S603 - our own interpreter and script
            [sys.executable, str(DOOMED), point],
            input=json.dumps(told),
            text=True,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr

    return run


@pytest.mark.parametrize("point", SENDING)
class TestSending:
    @pytest.fixture
    async def dead(self, order, point, killed_at, carrier, shipments, labels, level):
        """Somebody began to send the order and died."""
        if point == "while_asking":
            carrier.misbehave(latency_ms={"fixed": 300}, on=["shipment"])
        killed_at(point, order_id=str(order.id), key="k")
        carrier.misbehave(fail="none")
        states, made, on_shelf = SENDING[point]
        assert [s.status for s in await shipments(order)] == states
        assert made is None or labels() == made
        assert await level("TEA") == on_shelf

    async def test_is_finished_by_the_next_request_with_the_key(
        self, dead, order, dispatch, clock, shipments, labels, level
    ):
        lease = lease_of_fulfilment(0.5)
        clock.advance(seconds=lease.total_seconds() + 1)
        claim = Claim("key:1", "shipments", "k", b"says", lease)

        answer, _ = await Fulfilment(dispatch, render).ship(
            order.id, Wish(), actor="key:1", claim=claim
        )

        assert answer.status == 201
        (shipment,) = await shipments(order)
        assert shipment.status is ShipmentStatus.CREATED
        assert (labels(), await level("TEA")) == (1, (7, 0))

    async def test_is_finished_by_the_worker(
        self, dead, order, point, let_the_timer_finish, shipments, labels, level, again
    ):
        await let_the_timer_finish()

        found = await shipments(order)
        if point == "before_the_first_commit":
            # Nobody was promised anything.
            assert found == []
            assert (await again(order)).fulfilment_status == "unfulfilled"
            return
        assert [s.status for s in found] == ["created"]
        assert (labels(), await level("TEA")) == (1, (7, 0))


@pytest.mark.parametrize("point", CANCELING)
class TestCanceling:
    async def test_is_finished_by_the_worker(
        self,
        order,
        ship,
        point,
        killed_at,
        carrier,
        let_the_timer_finish,
        shipments,
        labels,
        level,
        again,
    ):
        (shipment,) = await ship(order)
        if point == "while_canceling":
            carrier.misbehave(latency_ms={"fixed": 300}, on=["cancel"])
        killed_at(point, shipment_id=str(shipment.id))
        carrier.misbehave(fail="none")
        (found,) = await shipments(order)
        state, left, on_shelf = CANCELING[point]
        assert (found.status, await level("TEA")) == (state, on_shelf)
        assert left is None or labels() == left

        await let_the_timer_finish()

        (found,) = await shipments(order)
        assert found.status is ShipmentStatus.CANCELED
        assert (labels(), await level("TEA")) == (0, (10, 3))
        assert (await again(order)).fulfilment_status == "unfulfilled"
