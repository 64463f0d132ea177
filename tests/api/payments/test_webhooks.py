"""The provider's webhooks over HTTP: verified, bounded, and acted on once."""

import base64
import gzip
import json

import pytest
from cases import cases

from holdfast.kernel.ids import new_id


def charge(**changes):
    return {
        "id": "ch_1",
        "key": str(new_id()),
        "status": "captured",
        "amount": 1998,
        "currency": "EUR",
        "captured_amount": 1998,
        "refunded_amount": 0,
        "next_action": None,
        "decline_reason": None,
        **changes,
    }


@pytest.fixture
async def counted(client):
    """How often webhooks ended in each way."""

    async def read():
        text = (await client.get("/metrics")).text
        found = {}
        for line in text.splitlines():
            if line.startswith("holdfast_payment_webhooks_total{"):
                result = line.split('"')[1]
                found[result] = float(line.split()[-1])
        return found

    return read


class TestTake:
    async def test_settles_an_order_whose_answer_was_lost(
        self, client, a_bag, payment_provider, tell, control
    ):
        """The provider tells what it could not answer."""
        bag = await a_bag(TEA=2)
        payment_provider.misbehave(fail="hang_after", on=["charge", "lookup"])
        told = await bag.check_out()
        assert told.status_code == 202
        payment_provider.misbehave(fail="none")
        (made,) = control("GET", "/v1/charges")["items"]

        answers = [await tell(data=made, event_id="evt_1") for _ in range(3)]

        assert [answer.status_code for answer in answers] == [204] * 3
        order = await client.get(f"/v1/orders/{told.json()['id']}", headers=bag.owner)
        assert order.json()["status"] == "confirmed"
        assert order.json()["payment"]["reference"] == made["id"]

    async def test_an_order_that_nobody_knows_is_taken_and_listed(
        self, client, tell, an_operator
    ):
        reader = await an_operator("orders:read")
        key = str(new_id())

        assert (await tell(data=charge(key=key))).status_code == 204

        listed = await client.get("/v1/payment-discrepancies", headers=reader)
        (item,) = listed.json()["items"]
        assert (item["kind"], item["subject"]) == ("unknown_charge", key)
        assert item["detail"]["amount"] == 1998

    async def test_types_we_do_not_act_on_are_acknowledged_and_counted(
        self, tell, counted
    ):
        for type_ in ("charge.refunded", "payout.paid", "weather.changed"):
            assert (await tell(type_, {"anything": [1, {}]})).status_code == 204

        assert await counted() == {"ignored": 3.0}

    async def test_the_older_secret_is_good_while_it_is_changed(
        self, tell, older_secret
    ):
        assert (await tell(data=charge(), secret=older_secret)).status_code == 204

    @pytest.mark.parametrize("sent", [-299, 0, 299])
    async def test_is_believed_for_five_minutes(self, tell, sent):
        assert (await tell(data=charge(), sent=sent)).status_code == 204

    @cases(
        ("changed", "reason"),
        [
            ({"sent": -301}, "timestamp"),
            ({"sent": 301}, "timestamp"),
            (
                {"secret": "whsec_" + base64.b64encode(b"x" * 32).decode()},
                "signature",
            ),
            ({"headers": {"webhook-id": "evt_other"}}, "signature"),
            ({"headers": {"webhook-signature": "v1,"}}, "signature"),
            ({"headers": {"webhook-signature": "v1a,AAAA"}}, "signature"),
            ({"headers": {"webhook-timestamp": "1"}}, "signature"),
            ({"headers": {"webhook-timestamp": "soon"}}, "headers"),
            ({"headers": {"webhook-signature": None}}, "headers"),
            ({"headers": {"webhook-id": None}}, "headers"),
        ],
    )
    async def test_of_a_stranger_is_refused_and_changes_nothing(
        self, tell, shop, counted, changed, reason
    ):
        before = (await counted()).get("refused", 0.0)

        answer = await tell(data=charge(), **changed)

        assert answer.status_code == 401
        assert answer.json()["type"] == "/problems/webhook-not-verified"
        assert answer.json()["reason"] == reason
        assert await shop.db.fetchval("SELECT count(*) FROM provider_events") == 0
        assert await counted() == {"refused": before + 1}

    @cases(
        "body",
        [
            b"",
            b"OK",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b"[" * 20_000,
            gzip.compress(b"{}"),
            json.dumps({"id": "evt_1", "type": "charge.captured"}).encode(),
            json.dumps({"id": "evt_1", "type": "x", "data": 1}).encode()[:-1],
            json.dumps(
                {"id": "evt_1", "type": "charge.captured", "data": charge(id="\x00")}
            ).encode(),
            json.dumps(
                {"id": "evt_1", "type": "charge.captured", "data": charge(amount="1")}
            ).encode(),
            json.dumps(
                {"id": "evt_1", "type": "charge.captured", "data": charge(amount=-1)}
            ).encode(),
            json.dumps({"id": "evt_2", "type": "x.y", "data": {}}).encode(),
            json.dumps({"id": "evt_1", "type": "a\nb", "data": {}}).encode(),
        ],
    )
    async def test_nonsense_is_refused_though_it_is_signed(
        self, tell, shop, counted, body
    ):
        before = (await counted()).get("unreadable", 0.0)

        answer = await tell(body=body, event_id="evt_1")

        assert answer.status_code == 400
        assert answer.json()["type"] == "/problems/webhook-unreadable"
        assert await shop.db.fetchval("SELECT count(*) FROM provider_events") == 0
        assert await counted() == {"unreadable": before + 1}

    async def test_more_than_anybody_says_is_refused(self, tell):
        answer = await tell(body=b" " * (64 * 1024 + 1))

        assert answer.status_code == 413

    async def test_without_a_secret_nothing_is_taken(self, client):
        answer = await client.post("/v1/webhooks/payments", content=b"{}")

        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/webhooks-not-configured"


class TestDiscrepancies:
    async def test_are_paged_and_those_resolved_are_shown_when_asked_for(
        self, client, tell, an_operator, shop
    ):
        reader = await an_operator("orders:read")
        for number in range(3):
            await tell(data=charge(key=f"foreign-{number}"))
        async with shop.db.transaction() as tx:
            await tx.execute(
                "UPDATE discrepancies SET resolved_at = found_at "
                "WHERE subject = 'foreign-1'"
            )
        path = "/v1/payment-discrepancies"

        first = await client.get(path, params={"limit": 1}, headers=reader)
        rest = await client.get(
            path, params={"after": first.json()["next"]}, headers=reader
        )
        all_ = await client.get(path, params={"resolved": "true"}, headers=reader)

        assert [one["subject"] for one in first.json()["items"]] == ["foreign-2"]
        assert [one["subject"] for one in rest.json()["items"]] == ["foreign-0"]
        assert len(all_.json()["items"]) == 3

    async def test_a_cursor_of_ones_own_is_refused(self, client, an_operator):
        reader = await an_operator("orders:read")

        answer = await client.get(
            "/v1/payment-discrepancies", params={"after": "x"}, headers=reader
        )

        assert answer.json()["type"] == "/problems/bad-cursor"
