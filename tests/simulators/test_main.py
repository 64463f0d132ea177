"""``holdfast simulate``: the simulators as processes."""

import asyncio
import itertools
import re
import signal
import socket
from contextlib import closing

import httpx
import msgspec
import pytest

from holdfast.simulators.journal import Journal
from holdfast.simulators.main import run
from holdfast.simulators.payment import Line


class TestRun:
    @pytest.mark.parametrize("what", ["payment", "carrier"])
    async def test_prints_one_line_with_its_url_and_answers_there(self, simulate, what):
        simulator = await simulate(what)

        response = await simulator.http.get("/livez")
        status = await simulator.end(signal.SIGTERM)
        out, err = await simulator.process.communicate()

        assert re.fullmatch(
            rf"{what} simulator: http://127\.0\.0\.1:\d+\n", simulator.line
        )
        assert response.status_code == 200
        assert (status, out, err) == (0, b"", b"")

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_ends_promptly_though_requests_hang(self, simulate, an_order, number):
        simulator = await simulate("payment")
        loop = asyncio.get_running_loop()
        hanging = asyncio.create_task(
            simulator.http.post(
                "/v1/charges",
                json=an_order(payment_method="pm_timeout_after"),
                headers={"Idempotency-Key": "hanging"},
            )
        )
        async with asyncio.timeout(20):
            while not (await simulator.http.get("/v1/charges")).json()["items"]:
                pass
        await simulator.http.put(
            "/control/scenario", json={"latency_ms": {"fixed": 600_000}}
        )
        waiting = asyncio.create_task(
            simulator.http.post(
                "/v1/charges", json=an_order(), headers={"Idempotency-Key": "waiting"}
            )
        )
        async with asyncio.timeout(20):
            while not (await simulator.http.get("/control/state")).json()["calls"]:
                pass

        asked = loop.time()
        status = await simulator.end(number)
        took = loop.time() - asked

        assert status == 0
        assert took < 3
        for call in (hanging, waiting):
            with pytest.raises(httpx.TransportError):
                await call
        _, err = await simulator.process.communicate()
        assert err == b""

    async def test_money_that_was_answered_for_outlives_a_kill(
        self, simulate, an_order, tmp_path
    ):
        state = tmp_path / "state.jsonl"
        first = await simulate("payment", state=state)
        answered = {}

        async def buy(buyer: int) -> None:
            for number in itertools.count():
                key = f"{buyer}-{number}"
                response = await first.http.post(
                    "/v1/charges",
                    json=an_order(reference=key),
                    headers={"Idempotency-Key": key},
                )
                answered[key] = response.json()
                if len(answered) == 40:
                    first.process.kill()

        buyers = [asyncio.create_task(buy(number)) for number in range(4)]
        for buyer in buyers:
            with pytest.raises(httpx.TransportError):
                await buyer
        await first.process.wait()

        second = await simulate("payment", state=state)
        for key, charge in answered.items():
            found = await second.http.get(f"/v1/charges/by-key/{key}")
            again = await second.http.post(
                "/v1/charges",
                json=an_order(reference=key),
                headers={"Idempotency-Key": key},
            )
            assert found.json() == again.json() == charge
        summary = (await second.http.get("/v1/summary")).json()
        # A charge in flight at the kill may have been kept without an answer.
        assert len(answered) <= summary["captured"]["count"] <= len(answered) + 4

    async def test_a_tombstone_outlives_a_kill_in_a_folder_too(
        self, simulate, an_order, tmp_path
    ):
        first = await simulate("payment", state=tmp_path)
        tombstone = await first.http.post("/v1/charges/by-key/gone/cancel")
        await first.end(signal.SIGKILL)

        second = await simulate("payment", state=tmp_path)
        late = await second.http.post(
            "/v1/charges", json=an_order(), headers={"Idempotency-Key": "gone"}
        )

        assert late.json() == tombstone.json()
        assert await second.end(signal.SIGTERM) == 0
        assert [file.name for file in tmp_path.iterdir()] == ["payment.jsonl"]

    async def test_forgets_everything_when_no_state_is_given(self, simulate, an_order):
        for _ in range(2):
            simulator = await simulate("payment")
            made = await simulator.http.post(
                "/v1/charges", json=an_order(), headers={"Idempotency-Key": "k"}
            )
            assert made.status_code == 201
            await simulator.end(signal.SIGKILL)

    async def test_one_key_sent_many_times_at_once_charges_once(
        self, simulate, an_order
    ):
        simulator = await simulate("payment")

        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(
                    simulator.http.post(
                        "/v1/charges",
                        json=an_order(),
                        headers={"Idempotency-Key": "one"},
                    )
                )
                for _ in range(20)
            ]

        answers = [call.result() for call in calls]
        assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
        assert len({answer.content for answer in answers}) == 1

    async def test_a_reset_cuts_the_connection(self, simulate, an_order):
        simulator = await simulate("payment")
        await simulator.http.put("/control/scenario", json={"fail": "reset"})
        host, port = simulator.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))

        body = msgspec.json.encode(an_order())
        writer.write(
            b"POST /v1/charges HTTP/1.1\r\nhost: pay\r\nidempotency-key: k\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )

        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(20):
                await reader.read()
        writer.close()
        await simulator.http.delete("/control/scenario")
        summary = (await simulator.http.get("/v1/summary")).json()
        assert summary["captured"]["count"] == 0
        await simulator.end(signal.SIGTERM)
        _, err = await simulator.process.communicate()
        assert err == b""

    def test_refuses_a_simulator_there_is_not(self):
        with pytest.raises(SystemExit, match="There is no florist simulator"):
            run("florist", host="127.0.0.1", port=0)

    def test_says_that_a_port_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            with pytest.raises(SystemExit, match="the port is taken"):
                run("carrier", host="127.0.0.1", port=port)

    @pytest.mark.parametrize("port", [-1, 65536])
    def test_says_that_a_port_is_none(self, port):
        with pytest.raises(SystemExit, match="Cannot listen"):
            run("carrier", host="127.0.0.1", port=port)

    def test_refuses_a_state_file_in_use(self, tmp_path):
        path = tmp_path / "state.jsonl"

        with (
            closing(Journal(path, Line)),
            pytest.raises(SystemExit, match="another process holds it"),
        ):
            run("payment", host="127.0.0.1", port=0, state=path)

    def test_refuses_a_state_file_that_cannot_be(self, tmp_path):
        (tmp_path / "file").touch()

        with pytest.raises(SystemExit, match="Cannot keep state"):
            run("payment", host="127.0.0.1", port=0, state=tmp_path / "file" / "x")
