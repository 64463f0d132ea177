"""An erased person is gone for good, and the books still balance."""

import asyncio

import pytest

from holdfast.domain import identity
from holdfast.kernel.ids import new_id
from holdfast.workflows import account_mail, personal_data
from holdfast.workflows.personal_data import forget_late
from holdfast.workflows.personal_tables import HELD

from .conftest import PASSWORD


class TestErase:
    async def test_leaves_nothing_of_the_person(
        self, client, a_life, operator, traces, dump
    ):
        ada = await a_life()
        before = await traces()

        answer = await client.delete(
            f"/v1/customers/{ada.account_id}", headers=operator
        )

        assert answer.status_code == 204, answer.text
        assert {"orders.sealed", "emails.sealed", "sessions.sealed"} <= before.keys()
        assert await traces() == {}
        assert ada.said_in(dump()) == []

    async def test_does_with_each_table_what_is_said(
        self, client, a_life, operator, database
    ):
        ada = await a_life()

        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)

        left = [
            table
            for table, (_, fate) in HELD.items()
            if fate.startswith("deleted")
            and await database.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        ]
        assert left == []
        reasons = await database.fetch("SELECT end_reason FROM sessions")
        assert {row["end_reason"] for row in reasons} == {"account_erased"}

    async def test_keeps_orders_with_lines_and_totals(self, client, a_life, operator):
        ada = await a_life()
        path = f"/v1/orders/{ada.orders[0]}"
        before = (await client.get(path, headers=operator)).json()

        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)

        after = (await client.get(path, headers=operator)).json()
        assert before["lines"]
        for field in ("number", "status", "lines", "subtotal", "total", "placed_at"):
            assert after[field] == before[field]
        assert after["email"] is after["shipping_address"] is None

    async def test_keeps_everybody_else(self, client, a_life, operator):
        ada, eve = await a_life(), await a_life("Evangeline")
        before = (await client.post("/v1/me/export", headers=eve.headers)).json()

        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)

        after = (await client.post("/v1/me/export", headers=eve.headers)).json()
        for section in before.keys() - {"exported_at", "security_events"}:
            assert after[section] == before[section], section

    async def test_ends_every_way_in(self, client, a_life, operator, clock):
        ada = await a_life()

        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)
        clock.advance(seconds=5)

        assert (await client.get("/v1/me", headers=ada.headers)).status_code == 401
        for path in ("", "/addresses", "/orders"):
            answer = await client.get(
                f"/v1/customers/{ada.account_id}{path}", headers=operator
            )
            assert answer.status_code == 404
        listed = await client.get("/v1/customers", headers=operator)
        assert listed.json()["items"] == []

    async def test_again_changes_nothing(self, client, a_life, operator, dump):
        ada = await a_life()
        path = f"/v1/customers/{ada.account_id}"
        await client.delete(path, headers=operator)

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(client.delete(path, headers=operator))
                for _ in range(3)
            ]

        assert {task.result().status_code for task in tasks} == {204}
        assert dump().count("account.erased") == 1

    async def test_by_several_at_once_happens_once(
        self, client, a_life, operator, dump
    ):
        ada = await a_life()
        path = f"/v1/customers/{ada.account_id}"
        home = {"name": "A", "line1": "1", "city": "Cork", "country": "IE"}

        async with asyncio.TaskGroup() as group:
            erasing = [
                group.create_task(client.delete(path, headers=operator))
                for _ in range(4)
            ]
            for _ in range(4):
                group.create_task(
                    client.post(f"{path}/addresses", json=home, headers=operator)
                )

        assert {task.result().status_code for task in erasing} == {204}
        assert dump().count("account.erased") == 1
        assert "INSERT INTO public.customer_addresses" not in dump()

    async def test_that_breaks_half_way_has_not_begun(
        self, client, a_life, operator, monkeypatch, traces
    ):
        ada = await a_life()
        before = await traces()

        async def die(*_):
            raise RuntimeError("the process ends here")

        monkeypatch.setattr(personal_data.identity, "forget_origins", die)
        answer = await client.delete(
            f"/v1/customers/{ada.account_id}", headers=operator
        )

        assert answer.status_code == 500
        assert await traces() == before

    async def test_waits_for_an_order_that_is_not_settled(
        self, client, a_life, operator, database, traces
    ):
        ada = await a_life()
        await database.fetch(
            "UPDATE orders SET status = 'pending', payment_status = 'pending',"
            " settled_at = NULL, completed_at = NULL, captured_amount = 0,"
            " payment_reference = NULL WHERE id = $1",
            ada.orders[1],
        )
        before = await traces()
        path = f"/v1/customers/{ada.account_id}"

        refused = await client.delete(path, headers=operator)
        kept = await traces()
        await database.fetch(
            "UPDATE orders SET status = 'confirmed', payment_status = 'captured',"
            " captured_amount = total_amount, settled_at = now(),"
            " payment_reference = 'ch_1' WHERE status = 'pending'"
        )
        done = await client.delete(path, headers=operator)

        assert refused.status_code == 409
        assert refused.json()["order_ids"] == [ada.orders[1]]
        assert kept == before
        assert done.status_code == 204

    async def test_writes_no_late_e_mail(
        self, client, a_life, operator, deliver, traces, database
    ):
        ada = await a_life()
        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)
        await database.fetch("UPDATE outbox SET relayed_at = NULL")

        await deliver()

        assert await traces() == {}

    async def test_reaches_e_mails_to_a_former_address(
        self, client, a_life, operator, shop, traces, deliver
    ):
        ada = await a_life()
        async with shop.db.transaction() as tx:
            said = {"origin": identity.Origin(), "at": shop.clock()}
            await account_mail.ask(
                tx,
                shop.vault,
                "email_changed",
                "former@example.com",
                account_id=ada.account_id,
                **said,
            )
        await deliver()

        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)

        assert await traces() == {}

    async def test_is_finished_when_an_order_came_meanwhile(
        self, client, a_life, operator, shop, traces, buy, deliver
    ):
        ada = await a_life()
        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)
        late = await buy(email="adaline.lovelace@example.com")
        await shop.db.fetch(
            "UPDATE orders SET account_id = $1 WHERE id = $2",
            ada.account_id,
            late.order.id,
        )
        await deliver()
        before = await traces()

        async with shop.db.transaction() as tx:
            first = await forget_late(tx, now=shop.clock(), limit=10)
        async with shop.db.transaction() as tx:
            again = await forget_late(tx, now=shop.clock(), limit=10)

        assert {"orders.sealed", "emails.sealed", "carts.sealed"} <= before.keys()
        assert await traces() == {}
        assert (first, again) == (2, 0)

    async def test_of_nobody_is_not_there(self, client, operator):
        answer = await client.delete(f"/v1/customers/{new_id()}", headers=operator)

        assert answer.status_code == 404

    async def test_keeps_the_last_admin(self, client, signed_in, an_operator):
        root = await signed_in("admin")
        operator = await an_operator(*identity.KEY_SCOPES)

        answer = await client.delete(
            f"/v1/customers/{root.account_id}", headers=operator
        )

        assert answer.status_code == 409
        assert answer.json()["type"] == "/problems/last-admin"

    @pytest.mark.parametrize(("method", "path"), [("DELETE", ""), ("POST", "/export")])
    async def test_of_those_who_run_the_shop_takes_as_much_as_they_may(
        self, client, signed_in, operator, method, path
    ):
        await signed_in("admin")
        colleague = await signed_in("admin")

        answer = await client.request(
            method, f"/v1/customers/{colleague.account_id}{path}", headers=operator
        )

        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/account-may-more"

    async def test_of_oneself_takes_the_way_that_asks_for_a_password(
        self, client, signed_in
    ):
        await signed_in("admin")
        root = await signed_in("admin")

        answer = await client.delete(
            f"/v1/customers/{root.account_id}", headers=root.headers
        )

        assert answer.json()["type"] == "/problems/recent-sign-in-needed"

    async def test_lets_the_address_begin_anew(
        self, client, a_life, operator, signed_in
    ):
        ada = await a_life()
        await client.delete(f"/v1/customers/{ada.account_id}", headers=operator)

        again = await signed_in(email=ada.words[0])

        archive = (await client.post("/v1/me/export", headers=again.headers)).json()
        for section in ("addresses", "orders", "open_carts", "emails"):
            assert archive[section] == []
        assert archive["profile"]["given_name"] is None


class TestEraseOwn:
    async def test_takes_the_password(self, client, a_life, traces):
        ada = await a_life()
        say = {"headers": ada.headers, "url": "/v1/me", "method": "DELETE"}

        without = await client.request(**say, json={})
        wrong = await client.request(**say, json={"password": "not the one"})
        kept = await traces()
        right = await client.request(**say, json={"password": PASSWORD})

        assert without.json()["type"] == "/problems/recent-sign-in-needed"
        assert wrong.json()["type"] == "/problems/wrong-password"
        assert kept["accounts.sealed"] == 1
        assert right.status_code == 204
        assert await traces() == {}

    async def test_without_a_password_takes_a_recent_sign_in(
        self, client, signed_in, clock
    ):
        ada, eve = await signed_in(), await signed_in()
        at_once = await client.request("DELETE", "/v1/me", json={}, headers=ada.headers)
        clock.advance(seconds=601)
        headers = {"Authorization": f"Bearer {await eve.sign()}"}

        late = await client.request("DELETE", "/v1/me", json={}, headers=headers)

        assert at_once.status_code == 204
        assert late.json()["type"] == "/problems/recent-sign-in-needed"
