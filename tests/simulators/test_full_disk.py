"""A disk that takes nothing more: it is said so, and nothing was done."""

import errno

import httpx
import pytest

from holdfast.simulators import carrier, payment
from holdfast.simulators.journal import Journal


class Disk(Journal):
    """A journal that can be told that the disk is full."""

    full = False

    def append(self, entry):
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(entry)


@pytest.fixture
def disk(request, tmp_path):
    disk = Disk(tmp_path / "state.jsonl", request.param)
    yield disk
    disk.close()


@pytest.mark.parametrize("disk", [payment.Line], indirect=True)
class TestPayment:
    @pytest.fixture
    async def client(self, disk, stopped_clock, receiver, an_order):
        app = payment.build(payment.Ledger(disk, clock=stopped_clock))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://pay"
        ) as client:
            await client.put("/control/webhook", json=receiver.target)
            for key, wish in {
                "held": {"capture": "manual"},
                "paid": {"payment_method": "pm_refund_pending"},
                "asked": {"payment_method": "pm_card_3ds"},
            }.items():
                await client.post(
                    "/v1/charges",
                    json=an_order(**wish),
                    headers={"Idempotency-Key": key},
                )
            await client.post(
                "/v1/refunds",
                json={"charge_key": "paid", "amount": 5, "currency": "EUR"},
                headers={"Idempotency-Key": "waiting"},
            )
            yield client
        await app.stop()

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/v1/charges/by-key/held/capture", None),
            ("/v1/charges/by-key/held/void", None),
            ("/v1/charges/by-key/held/cancel", None),
            ("/v1/charges/by-key/new/cancel", None),
            ("/v1/refunds", {"charge_key": "paid", "amount": 1, "currency": "EUR"}),
            ("/v1/refunds/by-key/new/cancel", None),
            ("/v1/refunds/by-key/waiting/cancel", None),
            ("/control/charges/asked/complete", {"outcome": "approve"}),
            ("/control/refunds/waiting/complete", {"outcome": "fail"}),
        ],
    )
    async def test_refuses_and_changes_nothing(self, client, disk, path, body):
        before = (await client.get("/v1/charges")).text
        disk.full = True

        sent = {} if body is None else {"json": body}
        response = await client.post(path, **sent, headers={"Idempotency-Key": "k"})

        disk.full = False
        assert response.status_code == 503
        assert response.json()["type"].endswith("-recorded")
        assert (await client.get("/v1/charges")).text == before
        refunds = (await client.get("/v1/refunds")).json()["items"]
        assert [refund["status"] for refund in refunds] == ["pending"]

    async def test_a_pending_refund_settles_once_there_is_room(self, client, disk):
        disk.full = True
        await client.post("/control/clock/advance", json={"seconds": 3600})
        still = (await client.get("/v1/refunds/by-key/waiting")).json()["status"]
        disk.full = False

        await client.post("/control/clock/advance", json={"seconds": 3600})

        found = (await client.get("/v1/refunds/by-key/waiting")).json()["status"]
        assert (still, found) == ("pending", "succeeded")

    async def test_webhooks_go_out_all_the_same(self, client, disk, receiver):
        await receiver.until(4)
        disk.full = True
        (first, *_) = (await client.get("/control/webhooks")).json()["items"]

        await client.post(f"/control/webhooks/{first['id']}/redeliver")

        assert len(await receiver.until(5)) == 5


@pytest.mark.parametrize("disk", [carrier.Line], indirect=True)
class TestCarrier:
    async def test_refuses_and_the_parcel_waits_until_there_is_room(
        self, disk, stopped_clock, a_shipment
    ):
        app = carrier.build(carrier.Book(disk, clock=stopped_clock))
        transport = httpx.ASGITransport(app)
        seen = []
        async with httpx.AsyncClient(
            transport=transport, base_url="http://ship"
        ) as client:

            async def ship(key: str) -> httpx.Response:
                return await client.post(
                    "/v1/shipments", json=a_shipment(), headers={"Idempotency-Key": key}
                )

            made = await ship("a")
            disk.full = True
            paths = [
                "/v1/shipments/by-key/a/cancel",
                "/v1/shipments/by-key/new/cancel",
                f"/control/shipments/{made.json()['id']}/events",
            ]
            refused = [await ship("b")]
            refused += [
                await client.post(path, json={"status": "lost"}) for path in paths
            ]
            for seconds in (6 * 3600, 3600):
                await client.post("/control/clock/advance", json={"seconds": seconds})
                found = await client.get("/v1/shipments/by-key/a")
                seen.append(found.json()["status"])
                disk.full = False
            shipments = (await client.get("/v1/shipments")).json()["items"]

        assert [answer.status_code for answer in refused] == [503] * 4
        assert seen == ["created", "in_transit"]
        assert len(shipments) == 1
