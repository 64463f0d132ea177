"""Paid orders over HTTP, and who gives money of them back."""

import json

import pytest
from running import listener, running

from holdfast.kernel.ids import new_id
from holdfast.platform.settings import Secret
from holdfast.platform.webhooks import signature

__all__ = ["listener", "running"]

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBwcm92aWRlciBpbiB0ZXN0cw=="
OLDER = "whsec_" + "YW4gb2xkZXIgc2VjcmV0IG9mIHRoZSBwcm92aWRlcg=="


@pytest.fixture
async def finance(an_operator):
    """Who may give money back."""
    return await an_operator("orders:read", "orders:refund")


@pytest.fixture
def paid(a_bag):
    """Buy two TEA for 19.98 EUR; returns the order and the buyer's headers."""
    made = 0

    async def buy(method="pm_card_ok", **body):
        nonlocal made
        made += 1
        bag = await a_bag(TEA=2)
        answer = await bag.check_out(
            f"pay-{made}", body={"payment_method": method, **body}
        )
        assert answer.is_success, answer.text
        return answer.json(), bag.owner

    return buy


@pytest.fixture
def refund(client, finance):
    """Ask for a refund of an order."""

    async def send(order, body=None, *, key="refund-1", headers=finance):
        body = body or {
            "reason": "damaged",
            "amount": {"amount": 500, "currency": "EUR"},
        }
        return await client.post(
            f"/v1/orders/{order['id']}/refunds",
            json=body,
            headers={**headers, "Idempotency-Key": key},
        )

    return send


@pytest.fixture
def older_secret() -> str:
    return OLDER


@pytest.fixture
def takes_webhooks(shop):
    """The shop knows what the provider signs with, the older secret too."""
    object.__setattr__(
        shop.settings, "payment_webhook_secrets", (Secret(SECRET), Secret(OLDER))
    )


@pytest.fixture
def tell(client, clock, takes_webhooks):
    """Send a webhook as the provider would, but for what is said otherwise."""

    async def send(
        type_="charge.captured",
        data=None,
        *,
        event_id=None,
        body=None,
        secret=SECRET,
        sent=0,
        headers=None,
    ):
        event_id = event_id or f"evt_{new_id().hex}"
        if body is None:
            said = {"id": event_id, "type": type_, "data": data or {}}
            body = json.dumps(said).encode()
        at = int(clock().timestamp()) + sent
        known = {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(secret, event_id, at, body),
        }
        for name, value in (headers or {}).items():
            if value is None:
                known.pop(name)
            else:
                known[name] = value
        return await client.post("/v1/webhooks/payments", content=body, headers=known)

    return send


@pytest.fixture
def control(payment_provider):
    """Tell the payment simulator what a buyer, or somebody there, does."""
    return payment_provider.ask
