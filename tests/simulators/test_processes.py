"""What outlives a process, and what only a process can do: refuse connections."""

import asyncio
import signal
from datetime import timedelta

import httpx
import pytest

from holdfast.kernel.clock import system_clock
from holdfast.simulators.main import run


@pytest.fixture
def told(receiver):
    """The options that send webhooks to the receiver."""
    url, secret = receiver.target["url"], receiver.target["secret"]
    return ("--webhook-url", url, "--webhook-secret", secret)


class TestKill:
    async def test_forgets_no_refund_and_no_authorization(
        self, simulate, an_order, tmp_path
    ):
        first = await simulate("payment", state=tmp_path)
        answered = {}

        async def post(path: str, key: str, body: dict[str, object]) -> None:
            headers = {"Idempotency-Key": key}
            answer = await first.http.post(path, json=body, headers=headers)
            assert answer.status_code == 201
            answered[f"{path}/by-key/{key}"] = answer.json()

        await post("/v1/charges", "held", an_order(capture="manual"))
        await post("/v1/charges", "paid", an_order())
        for number in range(5):
            part = {"charge_key": "paid", "amount": 100, "currency": "EUR"}
            await post("/v1/refunds", f"r-{number}", part)
        answered["/v1/charges/by-key/paid"]["refunded_amount"] = 500
        await first.end(signal.SIGKILL)

        second = await simulate("payment", state=tmp_path)

        for path, answer in answered.items():
            assert (await second.http.get(path)).json() == answer
        too_much = await second.http.post(
            "/v1/refunds",
            json={"charge_key": "paid", "amount": 1500, "currency": "EUR"},
            headers={"Idempotency-Key": "r-6"},
        )
        assert too_much.status_code == 409

    async def test_forgets_no_label(self, simulate, a_shipment, tmp_path):
        first = await simulate("carrier", state=tmp_path)
        made = await first.http.post(
            "/v1/shipments", json=a_shipment(), headers={"Idempotency-Key": "k"}
        )
        label = await first.http.get(made.json()["label_url"])
        await first.end(signal.SIGKILL)

        second = await simulate("carrier", state=tmp_path)

        again = await second.http.post(
            "/v1/shipments", json=a_shipment(), headers={"Idempotency-Key": "k"}
        )
        shipment_id = made.json()["id"]
        same = await second.http.get(f"/v1/shipments/{shipment_id}/label.pdf")
        assert (again.status_code, again.json()) == (200, made.json())
        assert same.content == label.content
        assert [file.name for file in tmp_path.iterdir()] == ["carrier.jsonl"]

    async def test_forgets_no_webhook_that_was_not_delivered(
        self, simulate, an_order, tmp_path, receiver, told, promised
    ):
        receiver.then_answer(200, 500)
        first = await simulate("payment", *told, state=tmp_path)
        for key in ("heard", "unheard"):
            await first.http.post(
                "/v1/charges", json=an_order(), headers={"Idempotency-Key": key}
            )

        async def both_tried() -> bool:
            items = (await first.http.get("/control/webhooks")).json()["items"]
            statuses = {item["subject"]: item["status"] for item in items}
            tried = all(item["attempts"] for item in items)
            return tried and statuses == {"heard": "delivered", "unheard": "pending"}

        await promised(both_tried)
        await first.end(signal.SIGKILL)
        del receiver.received[:]

        await simulate("payment", *told, state=tmp_path)

        (again,) = await receiver.until(1)
        assert again.event["data"]["key"] == "unheard"
        assert again.is_signed()


class TestWebhooks:
    async def test_go_where_the_command_line_says_after_a_reset_too(
        self, simulate, an_order, receiver, told
    ):
        simulator = await simulate("payment", *told)
        other = {**receiver.target, "url": "http://127.0.0.1:9/"}
        await simulator.http.put("/control/webhook", json=other)
        await simulator.http.post("/control/reset")

        await simulator.http.post(
            "/v1/charges", json=an_order(), headers={"Idempotency-Key": "k"}
        )

        (received,) = await receiver.until(1)
        assert received.is_signed()

    async def test_that_are_under_way_do_not_keep_the_process(
        self, simulate, an_order, receiver, told
    ):
        receiver.answers.extend([b""] * 3)
        simulator = await simulate("payment", *told)
        for key in "abc":
            await simulator.http.post(
                "/v1/charges", json=an_order(), headers={"Idempotency-Key": key}
            )
        await receiver.until(3)
        loop = asyncio.get_running_loop()

        asked = loop.time()
        status = await simulator.end(signal.SIGTERM)

        assert (status, loop.time() - asked < 3) == (0, True)
        _, err = await simulator.process.communicate()
        assert err == b""

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"webhook_url": "http://a.test/"}, "need both"),
            ({"webhook_secret": "whsec_"}, "need both"),
            ({"webhook_url": "a.test", "webhook_secret": "x"}, "cannot go there"),
        ],
    )
    def test_need_an_address_and_a_secret(self, options, reason):
        with pytest.raises(SystemExit, match=reason):
            run("payment", host="127.0.0.1", port=0, **options)


class TestOutage:
    async def test_refuses_new_connections_and_cuts_old_ones(self, simulate):
        simulator = await simulate("payment")
        control = simulator.http
        end = system_clock() + timedelta(hours=1)

        outage = {"to": end.isoformat(), "how": "refuse"}
        answered = await control.put("/control/scenario", json={"outage": outage})
        async with httpx.AsyncClient(base_url=simulator.url) as stranger:
            with pytest.raises(httpx.ConnectError):
                await stranger.get("/v1/summary")
            with pytest.raises(httpx.TransportError):
                await control.get("/v1/summary")

        assert answered.status_code == 200

    async def test_ends_by_itself(self, simulate, promised):
        simulator = await simulate("carrier")
        end = system_clock() + timedelta(seconds=0.5)
        outage = {"to": end.isoformat(), "how": "refuse"}
        await simulator.http.put("/control/scenario", json={"outage": outage})

        async def answers() -> bool:
            async with httpx.AsyncClient(base_url=simulator.url) as stranger:
                try:
                    return (await stranger.get("/livez")).status_code == 200
                except httpx.ConnectError:
                    refused.append("once more")
                    return False

        refused: list[str] = []
        await promised(answers)

        assert refused
        assert await simulator.end(signal.SIGTERM) == 0
        out, err = await simulator.process.communicate()
        assert (out, err) == (b"", b"")

    async def test_can_be_ended_over_a_connection_that_is_still_open(self, simulate):
        simulator = await simulate("payment")
        end = system_clock() + timedelta(hours=1)
        outage = {"to": end.isoformat(), "how": "refuse"}
        await simulator.http.put("/control/scenario", json={"outage": outage})

        await simulator.http.delete("/control/scenario")

        async with httpx.AsyncClient(base_url=simulator.url) as stranger:
            assert (await stranger.get("/v1/summary")).status_code == 200
