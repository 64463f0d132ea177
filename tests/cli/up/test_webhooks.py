"""`holdfast up` really tells its shop what happens at the payment simulator."""

import re
import shlex
import time
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.slow

SECONDS = 20


class TestWebhooks:
    def test_an_approved_payment_confirms_its_order(self, shop):
        noted = dict(
            word.partition("=")[::2]
            for word in shlex.split((shop.home / "env").read_text())
        )
        product = shop.get("/v1/products?limit=1")["items"][0]
        with httpx.Client(base_url=shop.url, trust_env=False, timeout=10) as client:
            cart = client.post(
                "/v1/carts",
                json={
                    "email": "ada@example.com",
                    "shipping_method": "pickup",
                    "shipping_address": {
                        "name": "Ada Example",
                        "line1": "1 Sample Street",
                        "city": "Berlin",
                        "postal_code": "10115",
                        "country": "DE",
                    },
                    "lines": [{"sku": product["variants"][0]["sku"], "quantity": 1}],
                },
            ).json()
            owner = {"Authorization": f"Bearer {cart['token']}"}
            order = client.post(
                f"/v1/carts/{cart['id']}/checkout",
                json={"payment_method": "pm_card_3ds"},
                headers={**owner, "Idempotency-Key": "approve-me"},
            ).json()
            page = order["payment"]["next_action"]["url"]
            assert page.startswith(noted["HOLDFAST_PAYMENT_URL"])

            httpx.post(
                f"{noted['HOLDFAST_PAYMENT_URL']}/control/charges/{order['id']}/complete",
                json={"outcome": "approve"},
                trust_env=False,
            ).raise_for_status()

            give_up = time.perf_counter() + SECONDS
            while order["status"] == "pending":
                assert time.perf_counter() < give_up, "nobody told the shop"
                time.sleep(0.05)
                order = client.get(f"/v1/orders/{order['id']}", headers=owner).json()
            assert order["status"] == "confirmed"
            counted = client.get("/metrics").text
        assert re.search(
            r'^holdfast_payment_webhooks_total\{result="done"\} [1-9]',
            counted,
            re.MULTILINE,
        ), "it was told, not asked"

    def test_the_secret_is_in_no_command_line(self, shop):
        secret = re.search(
            r"HOLDFAST_PAYMENT_WEBHOOK_SECRET=(\S+)", (shop.home / "env").read_text()
        )[1]

        for process in ("payment simulator", "api", "worker"):
            line = Path(f"/proc/{shop.pid(process)}/cmdline").read_text()
            assert secret.strip("'") not in line
