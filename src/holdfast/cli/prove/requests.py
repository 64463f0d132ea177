"""The requests of the buyers, as bytes."""

from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from holdfast.cli.bench.connection import post
from holdfast.cli.bench.journeys import ADDRESS

Lines = tuple[tuple[str, int], ...]
"""SKUs and how many of each."""
Decision = Literal["approve", "decline"]
"""What a buyer can say to their bank."""

_PAID = "https://shop.example/paid"


def cart(lines: Lines) -> bytes:
    """Make a cart that is ready for its checkout."""
    body = {
        "email": "buyer@example.com",
        "lines": _written(lines),
        "shipping_address": ADDRESS,
        "shipping_method": "standard",
    }
    return post(b"/v1/carts", msgspec.json.encode(body))


def hold(cart_id: str, token: str, lines: Lines) -> bytes:
    """Hold stock for a cart, or renew what is held."""
    body = msgspec.json.encode({"lines": _written(lines)})
    return _on_reservation(b"PUT ", cart_id, token, body)


def release(cart_id: str, token: str) -> bytes:
    """Give back what is held."""
    return _on_reservation(b"DELETE ", cart_id, token, b"")


def checkout(cart_id: str, token: str, key: str, method: str) -> bytes:
    """Order and pay a cart."""
    return post(
        f"/v1/carts/{cart_id}/checkout".encode(),
        msgspec.json.encode({"payment_method": method, "return_url": _PAID}),
        f"authorization: Bearer {token}\r\nidempotency-key: {key}\r\n".encode(),
    )


def decide(url: str, decision: Decision) -> tuple[int, bytes]:
    """What a browser sends from the page of a bank, and to which port."""
    parts = urlsplit(url)
    body = f"outcome={decision}".encode()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return parts.port or 80, head.encode() + body


def _on_reservation(method: bytes, cart_id: str, token: str, body: bytes) -> bytes:
    return b"".join(
        (
            method,
            f"/v1/carts/{cart_id}/reservation HTTP/1.1\r\nhost: shop\r\n"
            f"authorization: Bearer {token}\r\n".encode(),
            b"content-type: application/json\r\n" if body else b"",
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        )
    )


def _written(lines: Sequence[tuple[str, int]]) -> list[dict[str, str | int]]:
    return [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
