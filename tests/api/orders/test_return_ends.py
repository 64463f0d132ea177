"""A return ends by itself when its money went, whoever died or failed meanwhile."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from holdfast.domain import notifications, payments
from holdfast.kernel.ids import new_id
from holdfast.platform.jobs import Job
from holdfast.worker.handlers import TASKS, TASKS_BY_EVENT, Reach
from holdfast.workflows import refunds
from holdfast.workflows.reconciliation import Reconciliation

ONE = {"lines": [{"position": 1, "quantity": 1}], "reason": "damaged"}


@pytest.fixture
def act(client, operator):
    """Do something with a return as an operator."""

    async def send(found, what, body=None):
        headers = {**operator, "Idempotency-Key": f"key-{new_id()}"}
        path = f"/v1/returns/{found['id']}/{what}"
        return await client.post(path, json=body, headers=headers)

    return send


@pytest.fixture
def approved(place, operator, act):
    """An order of a TEA that was shipped, and a return of it that was approved."""

    async def make(method="pm_card_ok"):
        placed = await place(method, TEA=1)
        body = {"by": "hand"}
        await placed.send("shipments", body, by=operator, key=f"s-{new_id()}")
        found = (await placed.send("returns", ONE, key=f"r-{new_id()}")).json()
        said = {"instructions": "To 1 Quay.\nPut this e-mail inside."}
        return placed, (await act(found, "approval", said)).json()

    return make


@pytest.fixture
def work(shop, database):
    """Do what the worker does because of every event that there is."""
    payments_of_worker = shop.payments

    async def run():
        reach = Reach(
            *(database, shop.vault, None, shop.clock), payments=payments_of_worker
        )
        rows = await database.fetch("SELECT id, type, payload FROM outbox ORDER BY id")
        for row in rows:
            for task in TASKS_BY_EVENT.get(row["type"], ()):
                if "refund" in task or "return" in task:
                    job = Job(task, row["id"], row["type"], row["payload"])
                    await TASKS[task](job, reach)

    return run


@pytest.fixture
def status(client, operator):
    async def read(found):
        path = f"/v1/returns/{found['id']}"
        return (await client.get(path, headers=operator)).json()["status"]

    return read


@pytest.fixture
def end_refund(payment_provider, shop, clock, database):
    """Let the provider end the one refund that is pending, and find it out."""

    async def end(outcome):
        row = await database.fetchrow("SELECT id FROM refunds WHERE status = 'pending'")
        async with httpx.AsyncClient(trust_env=False) as provider:
            answer = await provider.post(
                f"{payment_provider.url}/control/refunds/{row['id']}/complete",
                json={"outcome": outcome},
            )
        answer.raise_for_status()
        clock.advance(minutes=5)
        await refunds.carry_out_due(database, shop.payments, clock=clock)
        return row["id"]

    return end


@pytest.fixture
def reconcile(shop):
    """Hold the books of the last two days against each other; what is left open."""

    async def run():
        since = shop.clock() - timedelta(days=2)
        doing = Reconciliation(shop.db, shop.vault, shop.payments, shop.clock)
        await doing.run(since)
        page = await payments.discrepancies(
            shop.db, after=None, limit=9, open_only=True
        )
        return [(one.kind, one.subject) for one in page.items]

    return run


class TestWhoDied:
    async def test_is_finished_by_the_worker(
        self, approved, act, shop, nobody_pays, work, status, refunded, database
    ):
        _, found = await approved()
        shop.payments = nobody_pays
        received = await act(found, "receipt")
        before = await status(found)

        await work()
        await work()

        assert received.json()["status"] == before == "received"
        assert await status(found) == "completed"
        assert refunded() == 999
        told = await database.fetch(
            "SELECT 1 FROM outbox WHERE type = 'ordering.return.completed'"
        )
        assert len(told) == 1


class TestRefundThatFails:
    async def test_keeps_the_return_open_until_another_try_succeeds(
        self, approved, act, end_refund, work, status, client, operator
    ):
        _, found = await approved("pm_refund_pending")
        await act(found, "receipt")
        failed = await end_refund("fail")
        await work()
        after_failure = await status(found)
        retried = await client.post(f"/v1/refunds/{failed}/retry", headers=operator)

        await end_refund("succeed")
        await work()

        assert retried.is_success, retried.text
        assert after_failure == "received"
        assert await status(found) == "completed"

    async def test_is_listed_however_old_the_order_until_it_is_tried_again(
        self, approved, act, end_refund, reconcile, client, operator, clock
    ):
        placed, found = await approved("pm_refund_pending")
        clock.advance(days=60)
        await act(found, "receipt")
        before = await reconcile()
        failed = await end_refund("fail")

        listed = await reconcile()
        await client.post(f"/v1/refunds/{failed}/retry", headers=operator)

        assert before == []
        assert listed == [("return_unpaid", placed.order["id"])]
        assert await reconcile() == []
        again = await end_refund("fail")
        assert again != failed
        assert await reconcile() == listed, "another try of it failed, too"

    async def test_of_goods_that_did_not_come_back_is_none_of_these(
        self, place, operator, end_refund, reconcile
    ):
        placed = await place("pm_refund_pending", TEA=1)
        body = {"amount": {"amount": 100, "currency": "EUR"}, "reason": "kindness"}
        await placed.send("refunds", body, by=operator, key="refund")
        await end_refund("fail")

        assert await reconcile() == []


class TestAtOnce:
    async def test_is_complete_when_the_provider_is_quick(self, approved, act, status):
        _, found = await approved()

        await act(found, "receipt")

        assert await status(found) == "completed"


class TestMoneyThatIsNotThereYet:
    @pytest.fixture
    def settings(self, settings):
        return replace(settings, capture="shipment")

    async def test_is_waited_for(self, place, operator, act, shop, nobody_pays, level):
        placed = await place(TEA=1)
        shop.payments = nobody_pays
        await placed.send("shipments", {"by": "hand"}, by=operator, key="ship")
        found = (await placed.send("returns", ONE, key="ask")).json()
        await act(found, "approval")

        answer = await act(found, "receipt")

        assert answer.json()["type"] == "/problems/capture-under-way"
        assert await level("TEA") == (9, 0)

    async def test_is_not_waited_for_once_it_is_lost(
        self, place, operator, act, level, payment_provider
    ):
        placed = await place(TEA=1)
        path = f"/v1/charges/by-key/{placed.order['id']}/void"
        async with httpx.AsyncClient(base_url=payment_provider.url) as provider:
            (await provider.post(path)).raise_for_status()
        await placed.send("shipments", {"by": "hand"}, by=operator, key="ship")
        found = (await placed.send("returns", ONE, key="ask")).json()
        await act(found, "approval")

        answer = await act(found, "receipt")

        assert answer.json()["status"] == "completed"
        assert answer.json()["refund"]["amount"] == 0
        assert await level("TEA") == (10, 0)


class TestMail:
    async def test_tells_how_to_send_it_back_and_what_goes_back(
        self, approved, act, work, database, vault
    ):
        placed, found = await approved()
        await act(found, "receipt")

        await work()
        await work()

        mails = await notifications.latest(database, vault, limit=10)
        number = placed.order["number"]
        body_of = {mail.subject: mail.body for mail in mails}
        assert len(mails) == 3
        ways = body_of[f"You can send back goods of your order {number}"]
        assert "1 x Title of TEA (TEA)" in ways
        assert "To 1 Quay.\nPut this e-mail inside." in ways
        arrived = body_of[f"Your return of order {number} has arrived"]
        assert "9.99 EUR go back to where the money came from" in arrived

    async def test_tells_why_not(self, place, operator, act, work, database, vault):
        placed = await place(TEA=1)
        await placed.send("shipments", {"by": "hand"}, by=operator, key="ship")
        found = (await placed.send("returns", ONE, key="ask")).json()
        await act(found, "rejection", {"explanation": "It was worn."})

        await work()

        (mail,) = await notifications.latest(database, vault, limit=10)
        assert "is not accepted" in mail.subject
        assert "It was worn." in mail.body

    async def test_says_nothing_to_somebody_who_was_erased(
        self, approved, work, database, vault
    ):
        await approved()
        await database.fetch("UPDATE orders SET sealed = NULL, email_index = NULL")

        await work()

        assert await notifications.latest(database, vault, limit=10) == []
