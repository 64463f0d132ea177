"""Where the payment provider tells by itself what happens to charges and refunds."""

from typing import Any

from litestar import Request, Response

from holdfast.api import decoding
from holdfast.api.shop import Shop
from holdfast.domain import payments
from holdfast.platform.webhooks import WebhookNotVerified, verify
from holdfast.resilience.asgi import Scope
from holdfast.resilience.errors import BodyTooLarge
from holdfast.workflows.payment_webhooks import receive

MOST_BYTES = 64 * 1024


async def take(shop: Shop, request: Request[Any, Any, Any]) -> Response[None]:
    """Take a webhook (Standard Webhooks) of the payment provider.

    204 once it is true here, or was before, or is of a type that changes nothing; the
    provider need not send it again then. The body is the provider's.
    """
    result = "failed"
    try:
        result = await _take(shop, request)
    except WebhookNotVerified:
        result = "refused"
        raise
    except payments.WebhookUnreadable:
        result = "unreadable"
        raise
    finally:
        shop.metrics.payment_webhooks.labels(result).inc()
    return Response(None, status_code=204)


async def _take(shop: Shop, request: Request[Any, Any, Any]) -> str:
    secrets = shop.settings.payment_webhook_secrets
    if not secrets:
        raise payments.WebhooksNotConfigured
    body = await decoding.read_all(request.receive)  # type: ignore[arg-type]
    if len(body) > MOST_BYTES:
        raise BodyTooLarge(limit_bytes=MOST_BYTES)
    scope: Scope = request.scope  # type: ignore[assignment]
    headers = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
    }
    verified = verify(headers, body, secrets, shop.clock())
    told = payments.read_webhook(body)
    if told.id != verified.id:
        # The header is what is signed, and what tells copies apart.
        raise payments.WebhookUnreadable
    return await receive(told, db=shop.db, vault=shop.vault, clock=shop.clock)
